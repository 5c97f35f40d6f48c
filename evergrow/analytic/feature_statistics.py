"""Counts, class sums and Gram matrix of 8-bit features: exact in any order, chunking, merging."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ..errors import DataError
from ..storage import stored_values
from ..storage.durable_files import Fault
from .integer_math import pack, product, row_hashes, unpack

# Rows of the Gram matrix held together; its upper triangle alone is computed and stored.
STRIP = 1_024
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
        return Kept(rows, y, row_hashes(rows) ^ y)

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


@dataclass
class _Buffer:
    """Rows that wait to be added up.  rows: (room, width) int8; y: (room,); used: how many are in.

    Forks share it: each knows how many in front are its own, and only one that knows of all may
    append.
    """

    rows: Tensor
    y: Tensor
    used: int = 0


@dataclass(frozen=True)
class _Held:
    """Sums and the first `pending` rows of the buffer: replaced together, in one assignment.

    mine: whether nobody else has these sums, so that they may be written into.
    """

    done: _Sums
    buffer: _Buffer
    pending: int = 0
    mine: bool = True

    @property
    def waiting(self) -> tuple[Tensor, Tensor]:
        return self.buffer.rows[: self.pending], self.buffer.y[: self.pending]


MOST_KEPT = 1 << 30  # rows a class that a state may ask for


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
        kept_rows = Kept.of(self._zeros(0, width, dtype=torch.int8), self._zeros(0))
        done = _Sums(self._zeros(0, width), strips, kept_rows)
        self._held = _Held(done, self._buffer(0))
        self._alone = True  # whether no other thread may look

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
            if self._held.pending == self._room:
                self._flushed()
            fits = min(self._room - self._held.pending, len(y))
            self._append(q[:fits], y[:fits])
            q, y = q[fits:], y[fits:]

    def subtract(self, q: Tensor, y: Tensor) -> None:
        """Unlearn rows that were added: the sums are as if they had never come."""
        remaining = self.counts - self._count(q, y)
        if bool((remaining < 0).any()):
            j = int((remaining < 0).nonzero()[0])
            raise DataError(
                f"Expected at most {int(self.counts[j])} rows of class {j} to take out, got "
                f"{int(self.counts[j] - remaining[j])}; only rows that were learnt can be unlearnt."
            )
        self._flushed()
        for rows, columns in zip(q.split(_PENDING_ROWS), y.split(_PENDING_ROWS), strict=True):
            self._add_up(self._held, rows.to(self.device), columns.to(self.device), sign=-1)
        self.counts = remaining

    def merge(self, other: "FeatureStatistics") -> None:
        """Add the sums of `other`, whose columns mean the same; it stays as it is."""
        if other.width != self.width:
            raise DataError(
                f"Expected statistics of {self.width} features, got {other.width}; "
                "models that are merged have one backbone."
            )
        self.grow(max(len(self.counts), len(other.counts)))
        sums = self._flushed().plus(other._flushed().to(self.device), self.keep)
        self._held = _Held(sums, self._buffer(0), mine=self._alone)
        self.counts = self.counts + _padded(other.counts, len(self.counts)).to(self.device)

    def fork(self) -> "FeatureStatistics":
        """The same sums, to go on from: what is added to one is not in the other.

        Nothing is copied until the buffer is full or sums are read.

        >>> stats = FeatureStatistics(width=1)
        >>> stats.grow(1)
        >>> later = stats.fork()
        >>> later.add(torch.tensor([[3]], dtype=torch.int8), torch.tensor([0]))
        >>> stats.sums.tolist(), later.sums.tolist()
        ([[0]], [[3]])
        """
        self.settle()
        twin = copy.copy(self)
        twin._alone = True
        return twin

    def settle(self) -> None:
        """From here on several threads may read; whatever is added goes into sums of its own."""
        self._alone = False
        if self._held.mine:
            self._held = replace(self._held, mine=False)

    def of(self, start: int, width: int) -> "FeatureStatistics":
        """What the statistics of `width` features from `start` on are, without the others."""
        part, stop = FeatureStatistics(width, self.keep, self.device), start + width
        part.counts, kept_rows = self.counts.clone(), self.kept
        gram = self.gram[start:stop, start:stop]
        strips = [gram[i : i + STRIP, i:].clone() for i in range(0, width, STRIP)]
        rows = Kept(kept_rows.rows[:, start:stop].contiguous(), kept_rows.y, kept_rows.code)
        sums = _Sums(self.sums[:, start:stop].clone(), strips, rows)
        part._held = _Held(sums, part._buffer(0))
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
        width = stored_values.whole(state, "width")
        if width != self.width:
            raise DataError(f"Expected statistics of {self.width} features, got {width}.")
        keep = stored_values.whole(state, "keep", most=MOST_KEPT)
        counts = stored_values.tensor(state, "counts", torch.int64, (None,))
        kept_y = stored_values.tensor(state, "kept_y", torch.int64, (None,))
        stored_values.tensor(state, "kept", torch.int8, (len(kept_y), width))
        if len(kept_y) and not 0 <= int(kept_y.min()) <= int(kept_y.max()) < len(counts):
            raise Fault(f"kept_y names columns that are none of {len(counts)}")
        if len(counts) and int(counts.min()) < 0:
            raise Fault("counts are below 0")
        self.__init__(self.width, keep, self.device)  # type: ignore[misc]
        self.counts = counts.to(self.device, copy=True)
        sums = unpack(state["sums"], len(counts) * width).view(-1, width).to(self.device)
        strips = self._held.done.strips
        for strip, packed in zip(strips, stored_values.item(state, "gram"), strict=True):
            strip.copy_(unpack(packed, strip.numel()).view_as(strip))
            square = strip[:, : len(strip)]
            square += square.triu(1).T.clone()
        kept_rows = Kept.of(
            state["kept"].to(self.device, copy=True), state["kept_y"].to(self.device, copy=True)
        )
        self._held = _Held(_Sums(sums, strips, kept_rows), self._buffer(0))

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

    def _append(self, q: Tensor, y: Tensor) -> None:
        """Let rows wait, as many as there is room for."""
        held = self._held
        buffer, begin, end = held.buffer, held.pending, held.pending + len(y)
        if end > len(buffer.y) or begin != buffer.used:  # full, or another fork went on here
            rows, columns = held.waiting
            buffer = self._buffer(min(self._room, max(end, 2 * len(buffer.y))))
            buffer.rows[:begin], buffer.y[:begin] = rows, columns
        buffer.rows[begin:end], buffer.y[begin:end] = q, y
        buffer.used = end
        self._held = _Held(held.done, buffer, end, held.mine)

    def _flushed(self) -> _Sums:
        """The sums, no row waiting.

        Several threads may ask: each finds or makes the same, and puts it in place at once.
        """
        held = self._held
        if held.pending:
            return self._add_up(held, *held.waiting)
        return held.done

    def _add_up(self, held: _Held, rows: Tensor, y: Tensor, sign: int = 1) -> _Sums:
        """Put the sums and these rows in place, nothing waiting."""
        sums = held.done.with_rows(rows, y, self.keep, len(self.counts), held.mine, sign)
        self._held = _Held(sums, self._buffer(0), mine=self._alone)
        return sums

    def _buffer(self, room: int) -> _Buffer:
        return _Buffer(self._zeros(room, self.width, dtype=torch.int8), self._zeros(room))

    def _zeros(self, *shape: int, dtype: torch.dtype = torch.int64) -> Tensor:
        return torch.zeros(*shape, dtype=dtype, device=self.device)


def _padded(x: Tensor, total: int) -> Tensor:
    """`x` with rows of zeros below, `total` rows at least."""
    return x if len(x) >= total else torch.cat([x, x.new_zeros(total - len(x), *x.shape[1:])])
