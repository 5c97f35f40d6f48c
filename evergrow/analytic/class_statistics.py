"""Counts, sums and a Gram matrix of each class's integer rows: exact in any order and chunking."""

import copy
from typing import Any

import torch
from torch import Tensor

from ..storage import stored_values
from ..storage.durable_files import Fault
from .integer_math import pack, product, unpack


class ClassStatistics:
    """The first two moments of each class.  Memory: width^2 * 8 bytes a class; on disk about 3.

    Tensors are replaced and never written into, so what was can be kept and brought back.

    >>> moments = ClassStatistics(width=2)
    >>> moments.grow(1)
    >>> moments.add(torch.tensor([[1, 2], [3, 4]], dtype=torch.int8), torch.tensor([0, 0]))
    >>> moments.counts.tolist(), moments.sums.tolist(), moments.grams[0].tolist()
    ([2], [[4, 6]], [[10, 14], [14, 20]])
    """

    def __init__(self, width: int):
        self.width = width
        self.counts = torch.zeros(0, dtype=torch.int64)
        self.sums = torch.zeros(0, width, dtype=torch.int64)
        self.grams: list[Tensor] = []

    def grow(self, total: int) -> None:
        """Make room for classes up to `total`; they start with nothing."""
        more = total - len(self.grams)
        self.counts = torch.nn.functional.pad(self.counts, (0, more))
        self.sums = torch.nn.functional.pad(self.sums, (0, 0, 0, more))
        empty = torch.zeros(self.width, self.width, dtype=torch.int64)
        self.grams = [*self.grams, *[empty] * more]

    def add(self, q: Tensor, y: Tensor) -> None:
        """Learn rows.  q: (n, width) int8 in -127..127, n at most 133,144; y: (n,) columns."""
        q = q.cpu()
        counts, sums, grams = self.counts.clone(), self.sums.clone(), list(self.grams)
        for c in y.unique().tolist():
            rows = q[y == c]
            counts[c] += len(rows)
            sums[c] += rows.sum(0)
            grams[c] = grams[c] + product(rows.T.contiguous(), rows)
        self.counts, self.sums, self.grams = counts, sums, grams

    def fork(self) -> "ClassStatistics":
        """The same, to go on from: what is added to one is not in the other."""
        return copy.copy(self)

    def covariance(self, c: int) -> Tensor:
        """(width, width) float64 unbiased covariance of class c; zeros for one row."""
        n, total = int(self.counts[c]), self.sums[c].double()
        return (self.grams[c].double() - total[:, None] * (total / n)) / max(n - 1, 1)

    def state(self) -> dict[str, Any]:
        packed = [pack(gram.triu().flatten()) for gram in self.grams]
        return {"counts": self.counts, "sums": self.sums, "grams": packed}

    def fill(self, state: dict[str, Any]) -> None:
        self.counts = stored_values.tensor(state, "counts", torch.int64, (None,))
        self.sums = stored_values.tensor(state, "sums", torch.int64, (len(self.counts), self.width))
        if len(stored_values.item(state, "grams")) != len(self.counts):
            raise Fault(f"grams are not {len(self.counts)}, as counts are")
        size = self.width, self.width
        halves = [unpack(packed, self.width**2).view(size) for packed in state["grams"]]
        self.grams = [half + half.triu(1).T for half in halves]
