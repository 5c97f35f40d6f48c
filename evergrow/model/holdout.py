"""Held-out samples: a bounded few of each class that no method trains on, to judge updates by."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..data.task import Samples
from ..storage import stored_values
from ..training.replay_buffer import stored_samples

# At most one of so many samples of a class, and of a method's memory, is held out.
HOLD_OUT_ONE_IN = 10


@dataclass(frozen=True)
class HeldOut:
    """Samples never trained on.  x: (m, ...) canonical; y: (m,) columns; hashes: (m, 16) uint8."""

    x: Tensor
    y: Tensor
    hashes: np.ndarray

    def __len__(self) -> int:
        return len(self.y)

    def choose(self, hashes: np.ndarray, y: Tensor, each: int) -> tuple[np.ndarray, np.ndarray]:
        """Which of new samples are to be held out, and which may be trained on: (a,), (b,) rows.

        Those of the lowest content hash are held out, so that neither order nor chance matters:
        up to `each` of a class with those there are, and one in `SHARE` of what it brings. A sample
        held out already is in neither.

        >>> none = HeldOut(torch.empty(0), torch.empty(0, dtype=torch.long), _NONE)
        >>> hashes = np.arange(10, dtype=np.uint8)[:, None].repeat(16, axis=1)[::-1]
        >>> held, rest = none.choose(hashes, torch.zeros(10, dtype=torch.long), each=20)
        >>> held.tolist(), len(rest)
        ([9], 9)
        """
        known, column = np.isin(_keys(hashes), _keys(self.hashes)), y.numpy()
        fresh = np.flatnonzero(~known)
        rank = _rank(column[fresh], _keys(hashes)[fresh])
        classes = int(column.max(initial=-1)) + 1
        there = np.bincount(self.y.numpy(), minlength=classes)[:classes]
        brought = np.bincount(column[fresh], minlength=classes)
        wanted = np.minimum(np.maximum(each - there, 0), brought // HOLD_OUT_ONE_IN)
        held = rank < wanted[column[fresh]]
        return fresh[held], fresh[~held]

    def add(self, x: Tensor, y: Tensor, hashes: np.ndarray) -> "HeldOut":
        """These and those."""
        if not len(self):
            return HeldOut(x, y, hashes)
        both = np.concatenate([self.hashes, hashes])
        return HeldOut(torch.cat([self.x, x]), torch.cat([self.y, y]), both)

    def keep(self, most: int | None) -> "HeldOut":
        """At most so many of them, evenly over classes, lowest content hashes first; None: all."""
        if most is None or len(self) <= most:
            return self
        rank = _rank(self.y.numpy(), _keys(self.hashes))
        rows = np.sort(np.lexsort((self.y.numpy(), rank))[:most])
        at = torch.from_numpy(rows)
        return HeldOut(self.x[at], self.y[at], self.hashes[rows])

    def state(self) -> dict[str, Any]:
        """What a store keeps."""
        return {"samples": Samples(self.x, self.y), "hashes": torch.from_numpy(self.hashes)}


_NONE = np.zeros((0, 16), np.uint8)


def no_samples() -> HeldOut:
    """No samples."""
    return HeldOut(torch.empty(0), torch.empty(0, dtype=torch.long), _NONE)


def filled(state: dict[str, Any]) -> HeldOut:
    """The samples that gave this state."""
    samples = stored_samples(state)
    hashes = stored_values.tensor(state, "hashes", torch.uint8, (len(samples.y), 16))
    return HeldOut(samples.x, samples.y, hashes.numpy())


def _keys(hashes: np.ndarray) -> np.ndarray:
    """(n, 16) uint8 as (n,) values that compare as their bytes do."""
    return np.ascontiguousarray(hashes).view("S16")[:, 0] if len(hashes) else np.zeros(0, "S16")


def _rank(column: np.ndarray, key: np.ndarray) -> np.ndarray:
    """(n,) position of each row among those of its column, the lowest key first."""
    order = np.lexsort((np.arange(len(key)), key, column))
    size = np.bincount(column)
    start = (np.cumsum(size) - size)[column[order]]
    rank = np.empty(len(key), np.int64)
    rank[order] = np.arange(len(key)) - start
    return rank
