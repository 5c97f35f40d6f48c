"""The body of a sentence encoder: token ids -> the embedding, and mean states of its layers."""

import hashlib
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from ..data.dataset import Chunk
from ..data.task import Records
from ..data.tokenizer import PAD, Tokens, lengths
from ..errors import ModelError
from ..nn.network import Body
from ..storage.extras import optional
from .transformer_config import transformer

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TOKENS = 128  # of a block computed at once, padding included
LENGTHS = (
    *range(4, 33, 4),
    *range(40, 65, 8),
    80,
    96,
    128,
    192,
    256,
    384,
    512,
    *(2**i for i in range(10, 18)),
)
SPREAD = 5.0  # features are cut at so many times their mean size, as integers


class Encoder(Body):
    """A transformer whose last states are pooled as its makers did, and means of states below.

    Each part has unit length; the first is the sentence embedding. While nothing learns, texts of
    like length are computed together, in blocks of one shape for each of `LENGTHS`, so that a
    text's features do not depend on its batch and short texts do not cost the full length.

    prepared: the canonical form; see `text.Text.prepare`.  tokenizer: its JSON, as bytes.
    """

    block_rows, pretrained, vmappable = 0, True, False
    tokenizer: Tensor

    def __init__(self, prepared: dict[str, Any], depths: int):
        super().__init__()
        self.form, self.encoder = prepared, prepared["encoder"]
        self.transformer = _transformer(self.encoder["config"])
        config: Any = self.transformer.config
        self.pad = int(config.pad_token_id or 0)
        self.below = below(config.num_hidden_layers, depths)
        self.width = config.hidden_size * (len(self.below) + 1)
        self.scale = 127 * config.hidden_size**0.5 / SPREAD if self.encoder["normalize"] else None
        size = prepared["tokenizer"]["bytes"]
        self.register_buffer("tokenizer", torch.zeros(size, dtype=torch.uint8))
        self._reads: Tokenizer | None = None

    def forward(self, x: Tensor) -> Tensor:
        """(n, width) features.  x: (n, length) token ids."""
        if torch.is_grad_enabled():
            return self._features(x[:, : max(int(lengths(x).max()), 1)])
        features = torch.zeros(len(x), self.width, device=x.device)
        long = lengths(x)
        for least, most in zip((0, *LENGTHS), LENGTHS, strict=False):
            there, size = ((long > least) & (long <= most)).nonzero()[:, 0], max(TOKENS // most, 1)
            for start in range(0, len(there), size):
                rows = there[start : start + size]
                features[rows] = self._block(x[rows, :most], size)
        return features

    def _block(self, x: Tensor, rows: int) -> Tensor:
        """Features of a few texts, computed with so many rows."""
        n = len(x)
        full = nn.functional.pad(x, (0, 0, 0, rows - n), value=PAD)
        full[n:, 0] = self.pad  # a row without a token has no mean
        return self._features(full)[:n].float()

    def _features(self, x: Tensor) -> Tensor:
        mask = x != PAD
        states = self.transformer(
            input_ids=x.masked_fill(~mask, self.pad).long(),
            attention_mask=mask.long(),
            output_hidden_states=bool(self.below),
        )
        parts = [pooled(states.last_hidden_state, mask, self.encoder["pooling"])]
        if self.encoder["normalize"]:
            parts = [normalize(parts[0])]
        parts += [normalize(pooled(states.hidden_states[i], mask, "mean")) for i in self.below]
        return torch.cat(parts, 1)

    def records(self, chunk: Chunk, form: dict[str, Any]) -> Records:
        """The chunk's texts as token ids.  Raises ModelError for another tokenizer."""
        return self._tokens(chunk)

    def notes(self, chunk: Chunk) -> list[str]:
        """How many texts were cut."""
        cut, length = self._tokens(chunk).cut, self.form["length"]
        if not cut:
            return []
        return [f"{cut:,} of {len(chunk):,} texts are longer than {length} tokens and were cut"]

    def _tokens(self, chunk: Chunk) -> Tokens:
        sha256, length, prompt = self.form["tokenizer"]["sha256"], self.form["length"], ""
        prompt = self.encoder["prompt"]
        return Tokens(chunk, self._reader(), length, prompt, f"{sha256} {length} {prompt}")

    def _reader(self) -> "Tokenizer":
        if self._reads is None:
            content = self.tokenizer.cpu().numpy().tobytes()
            digest, named = hashlib.sha256(content).hexdigest(), self.form["tokenizer"]
            if digest != named["sha256"]:
                raise ModelError(
                    f"this model reads texts by the tokenizer of {named['name']} with the sha256 "
                    f"{named['sha256'][:12]}, and the one that is there has {digest[:12]}; texts "
                    "would mean something else to it: use the model as it was saved."
                )
            tokenizers = optional("tokenizers", "text", "a model of texts")
            self._reads = tokenizers.Tokenizer.from_str(content.decode())
        return self._reads


def below(layers: int, depths: int) -> list[int]:
    """Which hidden states are pooled beside the last one: evenly spaced from the first, 0, on.

    >>> below(6, 7), below(12, 7), below(12, 1), below(4, 7)
    ([0, 1, 2, 3, 4, 5], [0, 2, 4, 6, 8, 10], [], [0, 1, 2, 3])
    """
    many = min(depths - 1, layers)
    return [i * layers // many for i in range(many)]


def pooled(states: Tensor, mask: Tensor, how: str) -> Tensor:
    """(n, hidden) of token states (n, length, hidden): "mean", "cls" (the first token) or "max".

    mask: (n, length) bool; tokens that are not there have no share.

    >>> states, mask = torch.tensor([[[1.0], [3.0], [9.0]]]), torch.tensor([[True, True, False]])
    >>> [pooled(states, mask, how).item() for how in ("mean", "cls", "max")]
    [2.0, 1.0, 3.0]
    """
    if how == "cls":
        return states[:, 0]
    there = mask[:, :, None]
    if how == "max":
        return states.masked_fill(~there, -torch.inf).amax(1)
    return states.masked_fill(~there, 0).sum(1) / there.sum(1)


def _transformer(config: dict[str, Any]) -> nn.Module:
    """The network that a configuration describes, without what pools a sentence otherwise."""
    module = transformer(config)
    if getattr(module, "pooler", None) is not None:
        module.pooler = None  # type: ignore[assignment]  # not what the sentence is pooled by
    return module
