"""Texts -> canonical tensors: token ids of one length, padded; long texts are cut and counted."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ..errors import DataError
from .dataset import Chunk

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PAD = -1  # stands where a text has ended; no token has this id
TEXTS_AT_ONCE = 4096  # texts given to the tokenizer at once


class Tokens:
    """A chunk of texts as token ids (n, length) int32: what methods learn from (`task.Records`).

    All texts are read by the tokenizer once, now, and kept as ids. Positions after the end of a
    text hold `PAD`.

    length: of every row; a longer text loses its end.  prompt: what stands before each text.
    key: tells this reading of a chunk from others.
    Raises DataError for texts without a token.
    """

    def __init__(
        self, chunk: Chunk, tokenizer: "Tokenizer", length: int, prompt: str = "", key: str = ""
    ):
        self.chunk, self.length, self.key = chunk, length, key
        if chunk.store.stable and key in chunk.cache:
            self.read: _Read = chunk.cache[key]
            return
        self.read = _Read()
        texts = chunk.store.take(np.arange(len(chunk.store)))
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            part = [prompt + str(text).strip() for text in texts[start : start + TEXTS_AT_ONCE]]
            self.read.add(part, tokenizer, length)
        if chunk.store.stable:
            chunk.cache[key] = self.read

    def __len__(self) -> int:
        return len(self.chunk)

    @property
    def cut(self) -> int:
        """How many texts of the chunk were longer than `length`."""
        return int(np.sum([self.read.cut[i] for i in self.chunk.at(np.arange(len(self)))]))

    def take(self, rows: Tensor) -> Tensor:
        """(len(rows), length) int32 token ids, `PAD` after the end."""
        x = np.full((len(rows), self.length), PAD, np.int32)
        for line, i in zip(x, self.chunk.at(rows.numpy()).tolist(), strict=True):
            ids = self.read.ids[i]
            line[: len(ids)] = ids
        return torch.from_numpy(x)


class _Read:
    """What a tokenizer made of texts.  ids: of each.  cut: whether it was too long."""

    def __init__(self) -> None:
        self.ids: list[np.ndarray] = []
        self.cut: list[bool] = []

    def add(self, texts: list[str], tokenizer: "Tokenizer", length: int) -> None:
        tokenizer.no_padding()
        tokenizer.enable_truncation(length)
        for text, encoding in zip(texts, tokenizer.encode_batch(texts), strict=True):
            if not encoding.ids:
                raise DataError(
                    f"row {len(self.ids)} is a text without a token ({text[:40]!r}); leave it out."
                )
            self.ids.append(np.array(encoding.ids, np.int32))
            self.cut.append(bool(encoding.overflowing))


def lengths(x: Tensor) -> Tensor:
    """(n,) tokens of each row of ids.

    >>> lengths(torch.tensor([[5, 7, PAD], [5, PAD, PAD]])).tolist()
    [2, 1]
    """
    return (x != PAD).sum(1)
