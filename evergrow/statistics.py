"""Counts, class sums and Gram matrix of 8-bit features: exact in any order, chunking, merging."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .errors import DataError
from .integers import hashes, pack, product, unpack

STRIP = (
    1_024  # rows of the Gram matrix held together; its upper triangle alone is computed and stored
)
_FEWEST_ROWS, _PENDING_ROWS = 1_024, 4_096
_PENDING_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Kept:
    """A few rows of each class.  rows: (m, width) int8; y, code: (m,) int64; sorted by both."""

    rows: Tensor
    y: Tensor
    code: Tensor

    @staticmethod
    def of(rows: Tensor, y: Tensor) -> "Kept":
        """All of these rows, each with the hash of its content and class, in any order."""
        return Kept(rows, y, hashes(rows) ^ y)

    def join(self, other: "Kept", keep: int) -> "Kept":
        """The `keep` smallest distinct hashes of each class, whichever comes first."""
        y, code = torch.cat([self.y, other.y]), torch.cat([self.code, other.code])
        order = code.argsort(stable=True)
        order = order[y[order].argsort(stable=True)]
        distinct = torch.ones_like(order, dtype=torch.bool)
        distinct[1:] = code[order[1:]] != code[order[:-1]]
        order = order[distinct]
        place = torch.arange(len(order), device=y.device) - torch.searchsorted(y[order], y[order])
        order, here = order[place < keep], len(self.y)
        if not torch.equal(order[:here], torch.arange(here, device=order.device)):
            rows = torch.cat([self.rows, other.rows])[order]
        elif len(order) == here:
            return self
        else:  # classes arrived, and none of those before them changed
            rows = torch.cat([self.rows, other.rows[order[here:] - here]])
        return Kept(rows, y[order], code[order])

    def without(self, other: "Kept") -> "Kept":
        """All but the rows that `other` holds too."""
        stays = ~torch.isin(self.code, other.code)
        return Kept(self.rows[stays], self.y[stays], self.code[stays])

    def to(self, device: torch.device) -> "Kept":
        return Kept(self.rows.to(device), self.y.to(device), self.code.to(device))


@dataclass(frozen=True)
class _Sums:
    """What rows add up to.  by_class: (k, width) int64; strips: the Gram matrix, see `strips`."""

    by_class: Tensor
    strips: list[Tensor]
    kept: Kept

    def to(self, device: torch.device) -> "_Sums":
        return _Sums(
            self.by_class.to(device),
            [strip.to(device) for strip in self.strips],
            self.kept.to(device),
        )

    def plus(self, other: "_Sums", keep: int) -> "_Sums":
        by_class = _padded(self.by_class, len(other.by_class)) + _padded(
            other.by_class, len(self.by_class)
        )
        strips = [a + b for a, b in zip(self.strips, other.strips, strict=True)]
        return _Sums(by_class, strips, self.kept.join(other.kept, keep))

    def with_rows(
        self, rows: Tensor, y: Tensor, keep: int, total: int, in_place: bool, sign: int = 1
    ) -> "_Sums":
        """The sums and (n, width) rows; sign -1 takes them out; `in_place` destroys what was."""
        by_class = _padded(self.by_class, total).clone()
        present, row = y.unique(return_inverse=True)
        one_hot = (row == torch.arange(len(present), device=y.device)[:, None]).to(
            torch.int8
        ) * sign
        by_class[present] += product(one_hot, rows)
        strips, columns = [], rows.T.contiguous()
        for start, strip in zip(range(0, rows.shape[1], STRIP), self.strips, strict=True):
            part = product(columns[start : start + STRIP], rows[:, start:])
            add = strip.add_ if in_place else strip.add
            strips.append(add(part, alpha=sign))
        some = Kept.of(rows, y)
        return _Sums(
            by_class, strips, self.kept.join(some, keep) if sign > 0 else self.kept.without(some)
        )


@dataclass(frozen=True)
class _Before:
    """What a failed task goes back to.  pending: rows in the buffer's front that it found there."""

    counts: Tensor
    pending: int
    done: _Sums


class FeatureStatistics:
    """All that analytic methods remember: counts, class sums, Gram matrix and a few rows a class.

    They are exact integers: the same rows in any order, chunks or merges give the same sums bit for
    bit. New rows wait in a buffer (1,024 to 4,096 rows, at most 64 MB) and are added by one product
    when it is full or sums are read, so one row costs microseconds. Memory: 8 bytes for each pair
    of features; on disk about 3. keep: distinct rows kept of each class, to judge weights by: those
    of the smallest content hashes. Taking out a kept row leaves its class with fewer; later rows
    fill up.

    >>> stats = FeatureStatistics(width=2)
    >>> stats.grow(2)
    >>> stats.add(torch.tensor([[1, 2], [3, 4]], dtype=torch.int8), torch.tensor([0, 1]))
    >>> stats.counts.tolist(), stats.sums.tolist(), stats.gram.tolist()
    ([1, 1], [[1, 2], [3, 4]], [[10, 14], [14, 20]])
    """

    def __init__(self, width: int, keep: int = 20, device: str | torch.device = "cpu"):
        self.width, self.keep, self.device = width, keep, torch.device(device)
        self.counts = self._zeros(0)
        strips = [self._zeros(min(STRIP, width - i), width - i) for i in range(0, width, STRIP)]
        kept = Kept.of(self._zeros(0, width, dtype=torch.int8), self._zeros(0))
        self._done = _Sums(self._zeros(0, width), strips, kept)
        self._rows, self._y = self._zeros(0, width, dtype=torch.int8), self._zeros(0)
        self._pending = 0
        self._before: _Before | None = None

    @property
    def sums(self) -> Tensor:
        """(k, width) int64: the sum of the rows of each class."""
        k = len(self.counts)
        return _padded(self._flushed().by_class, k)[:k]

    @property
    def gram(self) -> Tensor:
        """(width, width) int64, a new tensor: the sum of all rows' outer products."""
        full = self._zeros(self.width, self.width)
        for i, strip in self.strips():
            full[i : i + len(strip), i:] = strip
            full[i:, i : i + len(strip)] = strip.T
        return full

    def strips(self) -> Iterator[tuple[int, Tensor]]:
        """The upper triangle of `gram` without copying: pairs i, gram[i : i + STRIP, i:]."""
        return zip(range(0, self.width, STRIP), self._flushed().strips, strict=True)

    @property
    def kept(self) -> Kept:
        """At most `keep` distinct rows of each class; all of them are in the sums too."""
        return self._flushed().kept

    def grow(self, total: int) -> None:
        """Make room for classes up to `total`; they start with count 0."""
        if total < len(self.counts):
            raise DataError(
                f"Expected {len(self.counts)} classes or more, got {total}; none is taken away."
            )
        self.counts = _padded(self.counts, total)

    def add(self, q: Tensor, y: Tensor) -> None:
        """Learn rows.  q: (n, width) int8 in -127..127; y: (n,) columns below k."""
        self.counts = self.counts + self._count(q, y)
        while len(y):
            if self._pending == self._room:
                self._settle_before()
            if self._pending == self._room:
                self._flushed()
            taken = min(self._room - self._pending, len(y))
            self._extend(self._pending + taken)
            self._rows[self._pending : self._pending + taken] = q[:taken]
            self._y[self._pending : self._pending + taken] = y[:taken]
            self._pending += taken
            q, y = q[taken:], y[taken:]

    def subtract(self, q: Tensor, y: Tensor) -> None:
        """Unlearn rows that were added: the sums are as if they had never come."""
        left = self.counts - self._count(q, y)
        if bool((left < 0).any()):
            j = int((left < 0).nonzero()[0])
            raise DataError(
                f"Expected at most {int(self.counts[j])} rows of class {j} to take out, got "
                f"{int(self.counts[j] - left[j])}; only rows that were learnt can be unlearnt."
            )
        self._flushed()
        for rows, columns in zip(q.split(_PENDING_ROWS), y.split(_PENDING_ROWS), strict=True):
            self._done = self._with(rows.to(self.device), columns.to(self.device), sign=-1)
        self.counts = left

    def merge(self, other: "FeatureStatistics") -> None:
        """Add the sums of `other`, whose columns mean the same; it stays as it is."""
        if other.width != self.width:
            raise DataError(
                f"Expected statistics of {self.width} features, got {other.width}; "
                "models that are merged have one backbone."
            )
        self.grow(max(len(self.counts), len(other.counts)))
        self._done = self._flushed().plus(other._flushed().to(self.device), self.keep)
        self.counts = self.counts + _padded(other.counts, len(self.counts)).to(self.device)

    # Staging: between begin() and commit() or rollback(), whatever is added can be undone.

    def begin(self) -> None:
        """Start a task; nothing is copied until the buffer is full or sums are read."""
        if self._before is not None:
            raise RuntimeError("A task is under way already: commit() or rollback() it first.")
        self._before = _Before(self.counts, self._pending, self._done)

    def commit(self) -> None:
        """The task is learnt."""
        self._before = None

    def rollback(self) -> None:
        """Everything is as it was at begin(); without a task under way nothing happens."""
        if self._before is not None:
            self.counts, self._pending, self._done = (
                self._before.counts,
                self._before.pending,
                self._before.done,
            )
            self._before = None

    def of(self, start: int, width: int) -> "FeatureStatistics":
        """What the statistics of `width` features from `start` on are, without the others."""
        part, stop = FeatureStatistics(width, self.keep, self.device), start + width
        part.counts, kept = self.counts.clone(), self.kept
        gram = self.gram[start:stop, start:stop]
        strips = [gram[i : i + STRIP, i:].clone() for i in range(0, width, STRIP)]
        rows = Kept(kept.rows[:, start:stop].contiguous(), kept.y, kept.code)
        part._done = _Sums(self.sums[:, start:stop].clone(), strips, rows)
        return part

    # On disk.

    def state(self) -> dict[str, Any]:
        """Tensors and numbers that `fill` restores; equal models have equal states."""
        sums = self._flushed()
        return {
            "width": self.width,
            "keep": self.keep,
            "counts": self.counts.cpu(),
            "sums": pack(self.sums.flatten()),
            "gram": [pack(strip.triu().flatten()) for strip in sums.strips],
            "kept": sums.kept.rows.cpu(),
            "kept_y": sums.kept.y.cpu(),
        }

    def fill(self, state: dict[str, Any]) -> None:
        """Take over what `state` gave; the width must be the same."""
        if state["width"] != self.width:
            raise DataError(f"Expected statistics of {self.width} features, got {state['width']}.")
        self._settle_before()
        before = self._before  # what a task under way goes back to stays the same
        self.__init__(self.width, state["keep"], self.device)  # type: ignore[misc]
        self._before = before
        self.counts = state["counts"].to(self.device, copy=True)
        sums = unpack(state["sums"]).view(-1, self.width).to(self.device)
        for strip, packed in zip(self._done.strips, state["gram"], strict=True):
            strip.copy_(unpack(packed).view_as(strip))
            square = strip[:, : len(strip)]
            square += square.triu(1).T.clone()
        kept = Kept.of(
            state["kept"].to(self.device, copy=True), state["kept_y"].to(self.device, copy=True)
        )
        self._done = _Sums(sums, self._done.strips, kept)

    # The buffer of rows that wait.

    @property
    def _room(self) -> int:
        """As many as there are features: then the product takes longer than what is added to."""
        rows = min(max(self.width, _FEWEST_ROWS), _PENDING_ROWS)
        return max(1, min(rows, _PENDING_BYTES // self.width))

    def _count(self, q: Tensor, y: Tensor) -> Tensor:
        """Rows of each class, once they are known to be such as these sums take."""
        if q.dtype != torch.int8 or q.shape != (len(y), self.width):
            raise DataError(
                f"Expected int8 rows of {self.width} features, one for each of {len(y)} columns; "
                f"got {q.dtype} of shape {tuple(q.shape)}."
            )
        count = torch.bincount(y.to(self.device), minlength=len(self.counts))
        if len(count) > len(self.counts):
            raise DataError(
                f"Expected columns below {len(self.counts)}, got {len(count) - 1}; "
                "grow() comes first."
            )
        return count

    def _extend(self, needed: int) -> None:
        if needed > len(self._y):
            size = min(self._room, max(needed, 2 * len(self._y)))
            rows, y = self._zeros(size, self.width, dtype=torch.int8), self._zeros(size)
            rows[: self._pending], y[: self._pending] = (
                self._rows[: self._pending],
                self._y[: self._pending],
            )
            self._rows, self._y = rows, y

    def _flushed(self) -> _Sums:
        """The sums, no row waiting. One assignment: an interrupt comes before it or after."""
        self._settle_before()
        if self._pending:
            sums = self._with(self._rows[: self._pending], self._y[: self._pending])
            self._done, self._pending = sums, 0
        return self._done

    def _settle_before(self) -> None:
        """Add up the rows that waited before the task under way began; its own go on waiting."""
        before = self._before
        if before is not None and before.pending:
            sums = self._with(self._rows[: before.pending], self._y[: before.pending])
            rows, y = (
                self._rows[before.pending : self._pending],
                self._y[before.pending : self._pending],
            )
            self._rows, self._y, self._done, self._pending = rows.clone(), y.clone(), sums, len(y)
            self._before = _Before(before.counts, 0, sums)

    def _with(self, rows: Tensor, y: Tensor, sign: int = 1) -> _Sums:
        """The sums and these rows; sums that a rollback would drop are overwritten."""
        spare = self._before is not None and self._before.done is not self._done
        return self._done.with_rows(rows, y, self.keep, len(self.counts), spare, sign)

    def _zeros(self, *shape: int, dtype: torch.dtype = torch.int64) -> Tensor:
        return torch.zeros(*shape, dtype=dtype, device=self.device)


def _padded(x: Tensor, total: int) -> Tensor:
    """`x` with rows of zeros below, `total` rows at least."""
    return x if len(x) >= total else torch.cat([x, x.new_zeros(total - len(x), *x.shape[1:])])
