"""Memories: a bounded set of past samples, kept raw (before augmentation), on the CPU."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from ..data.task import Batch, Samples
from ..errors import SettingError
from ..storage import stored_values
from ..storage.durable_files import Fault

Augment = Callable[[Tensor], Tensor]


class Purposes(Protocol):
    """Gives a generator for a purpose; see `generators.Generators`."""

    def __call__(self, purpose: str) -> torch.Generator: ...


def check_replay(memory: int, replay: int, least: int = 1) -> None:
    """Raise SettingError unless `memory` samples can be kept and `replay` drawn.

    least: fewest that may be drawn.

    >>> check_replay(memory=200, replay=32)
    """
    if memory < 0 or replay < least:
        raise SettingError(
            f"memory={memory}, replay={replay}: at least 0 kept, at least {least} drawn."
        )


def pad_columns(t: Tensor, width: int, value: float = torch.nan) -> Tensor:
    """(n, k) -> (n, width), new columns filled with `value`.

    >>> pad_columns(torch.ones(1, 1), 2, 0.0).tolist()
    [[1.0, 0.0]]
    """
    return torch.nn.functional.pad(t, (0, width - t.shape[1]), value=value)


class Memory:
    """Up to `room` samples: x (m, ...), y (m,) and, if they were recorded, logits (m, k).

    Subclasses decide which samples stay. Buffers grow by doubling, so a step costs no copy of what
    is kept.
    """

    def __init__(self, room: int, augment: Augment | None, rng: Purposes):
        if room < 0:
            raise SettingError(f"memory={room}: the number of samples to keep, 0 or more.")
        self.room, self._augment, self._rng = room, augment, rng
        self.given = 0  # samples in the first slots that came by `remember` and stay for good
        self.size = 0
        self.seen = 0  # samples ever offered
        self._x, self._y = torch.empty(0), torch.empty(0, dtype=torch.long)
        self._logits: Tensor | None = None
        self._columns = 0

    def remember(self, x: Tensor, y: Tensor, logits: Tensor | None = None) -> None:
        """Keep these old samples for good, on top of the room: x (n, ...), y (n,), answers (n, k).

        They come before all others, which move up.
        """
        rest = torch.arange(self.given, self.size)
        later = self._x[rest], self._y[rest], None if self.logits is None else self.logits[rest]
        self.given += len(y)
        self._put(torch.arange(self.given - len(y), self.given), x, y, logits)
        self._put(torch.arange(self.given, self.given + len(rest)), *later)

    def __len__(self) -> int:
        return self.size

    @property
    def x(self) -> Tensor:
        """(m, ...) canonical tensors."""
        return self._x[: self.size]

    @property
    def y(self) -> Tensor:
        """(m,) columns."""
        return self._y[: self.size]

    @property
    def logits(self) -> Tensor | None:
        """(m, k) recorded answers, NaN where a class did not exist yet; None if there are none."""
        return None if self._logits is None else self._logits[: self.size, : self._columns]

    def take(self, rows: Tensor) -> Tensor:
        """(len(rows), ...) canonical tensors: a memory serves as records too."""
        return self._x[rows]

    def sample(self, n: int) -> Batch:
        """n samples drawn without replacement (all of them if fewer), augmented afresh."""
        rows = distinct(self.size, n, self._rng("sample"))
        raw, logits = self._x[rows], None
        if self._logits is not None:
            logits = self._logits[rows, : self._columns]
        x = self._augment(raw) if self._augment else raw
        return Batch(x, self._y[rows], raw, False, logits)

    def _put(self, slots: Tensor, x: Tensor, y: Tensor, logits: Tensor | None) -> None:
        """Write samples into these distinct slots, growing the buffers as far as needed."""
        if not len(slots):
            return
        top = max(self.size, int(slots.max()) + 1)
        if top > len(self._y):
            room = min(self.room + self.given, max(top, 2 * len(self._y)))
            self._x, self._y = _resized(self._x, room, x), _resized(self._y, room, y)
            if self._logits is not None:
                self._logits = _resized(self._logits, room, self._logits)
        self.size = top
        self._x[slots], self._y[slots] = x.cpu(), y.cpu()
        if logits is not None:
            self._record(slots, logits)
        elif self._logits is not None:
            self._logits[slots] = torch.nan

    def _record(self, slots: Tensor, logits: Tensor) -> None:
        self._columns = max(self._columns, logits.shape[1])
        if self._logits is None:
            self._logits = torch.full((len(self._y), self._columns), torch.nan)
        if self._columns > self._logits.shape[1]:
            self._logits = pad_columns(self._logits, self._columns + self._columns // 2)
        self._logits[slots, logits.shape[1] :] = torch.nan
        self._logits[slots, : logits.shape[1]] = logits.detach().float().cpu()

    def state(self) -> dict[str, Any]:
        """What a store keeps: the `samples`, how many were `given`, how many `seen`."""
        samples = Samples(self.x, self.y, self.logits)
        return {"samples": samples, "seen": self.seen, "given": self.given}

    def fill(self, state: dict[str, Any]) -> None:
        """Become the memory that gave this state; less room drops evenly, newest last."""
        samples = stored_samples(state)
        x, y, logits = samples.x, samples.y, samples.logits
        self.seen = stored_values.whole(state, "seen")
        self.given = 0
        if "given" in state:  # models saved before samples could be given lack it
            self.given = stored_values.whole(state, "given", most=len(y))
        self.size, self._columns, self._logits = 0, 0, None
        self._x, self._y = torch.empty(0), torch.empty(0, dtype=torch.long)
        if len(y) > self.room + self.given:
            rows = self.given + self._fewer(y[self.given :])
            rows = torch.cat([torch.arange(self.given), rows])
            x, y, logits = x[rows], y[rows], None if logits is None else logits[rows]
        self._put(torch.arange(len(y)), x, y, logits)

    def _fewer(self, y: Tensor) -> Tensor:
        """Rows of samples with these columns that stay where there is room for fewer."""
        return torch.linspace(0, len(y) - 1, self.room).round().long()


class Reservoir(Memory):
    """A uniform sample of everything ever offered.

    Source: Vitter 1985, "Random Sampling with a Reservoir", algorithm R.

    Each sample is offered once: batches of later epochs are passed over. Room that is free (the
    memory was made larger) is filled with what comes first.

    >>> from evergrow.training.random_generators import Generators
    >>> past = Reservoir(2, None, Generators(0))
    >>> past.add(Batch(torch.zeros(9, 1), torch.arange(9), torch.zeros(9, 1)))
    >>> len(past), past.seen
    (2, 9)
    """

    def add(self, batch: Batch, logits: Tensor | None = None) -> None:
        """Offer a batch, with the answers (n, classes) given to it if these are to be recorded."""
        n = len(batch.y)
        if not batch.first or not self.room:
            return
        order = torch.arange(self.seen, self.seen + n)
        draws = torch.rand(n, generator=self._rng("memory"), dtype=torch.float64)
        there = self.size - self.given
        filling = torch.arange(there, there + n)  # equals `order` until the memory is full
        slots = torch.where(filling < self.room, filling, (draws * (order + 1)).long())
        self.seen += n
        rows = _last_of_each(slots, self.room)
        logits_kept = None if logits is None else logits[rows]
        self._put(self.given + slots[rows], batch.raw[rows], batch.y[rows], logits_kept)


class Balanced(Memory):
    """A uniform sample of each class, classes of equal size as far as their data goes.

    Source: the greedy sampler of Prabhu et al. 2020, "GDumb", ECCV (algorithm 1): a full memory
    takes from its largest class. There a late sample of a full class is turned away or replaces
    one at random; here each sample has a random key, drawn once, and a class keeps its smallest:
    that is a uniform sample of the class, and a whole batch is offered at once.

    >>> from evergrow.training.random_generators import Generators
    >>> past, y = Balanced(4, None, Generators(0)), torch.tensor([0] * 8 + [1])
    >>> past.add(Batch(torch.zeros(9, 1), y, torch.zeros(9, 1)))
    >>> past.y.sort().values.tolist()
    [0, 0, 0, 1]
    """

    def __init__(self, room: int, augment: Augment | None, rng: Purposes):
        super().__init__(room, augment, rng)
        self._keys = torch.empty(0, dtype=torch.float64)

    def add(self, batch: Batch, logits: Tensor | None = None) -> None:
        """Offer a batch, with the answers (n, classes) given to it if these are to be recorded."""
        if not batch.first or not self.room:
            return
        old, n = len(self._keys), len(batch.y)
        draws = torch.rand(n, generator=self._rng("memory"), dtype=torch.float64)
        self.seen += n
        stays = _evenly(
            torch.cat([self.y[self.given :], batch.y]), torch.cat([self._keys, draws]), self.room
        )
        freed, rows = (~stays[:old]).nonzero()[:, 0], stays[old:].nonzero()[:, 0]
        more = len(rows) - len(freed)  # a full memory takes as many as it lets go
        slots = torch.cat([freed, torch.arange(old, old + more)])
        self._keys = torch.cat([self._keys, draws[:more]])
        self._keys[slots] = draws[rows]
        logits_kept = None if logits is None else logits[rows]
        self._put(self.given + slots, batch.raw[rows], batch.y[rows], logits_kept)

    def state(self) -> dict[str, Any]:
        return super().state() | {"keys": self._keys}

    def fill(self, state: dict[str, Any]) -> None:
        self._keys = stored_values.tensor(state, "keys", torch.float64, (None,))
        if len(self._keys) != len(stored_samples(state).y) - state.get("given", 0):
            raise Fault("keys are not as many as the samples that were drawn")
        super().fill(state)

    def _fewer(self, y: Tensor) -> Tensor:
        stays = _evenly(y, self._keys, self.room)
        self._keys = self._keys[stays]
        return stays.nonzero()[:, 0]


class Archive(Memory):
    """Everything ever offered: the memory of methods that keep all data.

    >>> from evergrow.training.random_generators import Generators
    >>> everything = Archive(Generators(0))
    >>> everything.extend(torch.zeros(3, 2), torch.tensor([0, 1, 1]))
    >>> len(everything)
    3
    """

    def __init__(self, rng: Purposes):
        super().__init__(2**62, None, rng)

    def extend(self, x: Tensor, y: Tensor) -> None:
        """Keep these samples: x (n, ...), y (n,)."""
        self.seen += len(y)
        self._put(torch.arange(self.size, self.size + len(y)), x, y, None)


def with_replay(batch: Batch, memory: Memory, n: int) -> tuple[Tensor, Tensor]:
    """x and y of a batch and, behind them, of `n` samples drawn from the memory, if it has any.

    >>> batch = Batch(torch.zeros(1, 2), torch.tensor([3]), torch.zeros(1, 2))
    >>> past = Reservoir(5, None, lambda purpose: torch.Generator())
    >>> len(with_replay(batch, past, 1)[1])
    1
    >>> past.add(batch)
    >>> with_replay(batch, past, 1)[1].tolist()
    [3, 3]
    """
    if not n or not len(memory):
        return batch.x, batch.y
    old = memory.sample(n)
    return torch.cat([batch.x, old.x.to(batch.x)]), torch.cat([batch.y, old.y])


def distinct(size: int, n: int, rng: torch.Generator) -> Tensor:
    """(min(n, size),) different rows of `size`, drawn uniformly; for small n, work is O(n)."""
    if n * 8 >= size:
        return torch.randperm(size, generator=rng)[:n]
    rows: Tensor = torch.randint(size, (2 * n,), generator=rng).unique()
    while len(rows) < n:
        more = torch.randint(size, (2 * n,), generator=rng)
        rows = torch.cat([rows, more]).unique()
    return rows[torch.randperm(len(rows), generator=rng)[:n]]


def _resized(buffer: Tensor, room: int, like: Tensor) -> Tensor:
    fresh = like.new_empty(room, *like.shape[1:], device="cpu")
    if like.is_floating_point():
        fresh.fill_(torch.nan)
    fresh[: len(buffer)] = buffer if len(buffer) else fresh[:0]
    return fresh


def _last_of_each(slots: Tensor, capacity: int) -> Tensor:
    """Rows whose slot is below `capacity`; where several want one slot, the last of them."""
    places = slots.numpy()
    rows = np.flatnonzero(places < capacity)[::-1]
    _, first = np.unique(places[rows], return_index=True)
    return torch.from_numpy(rows[first].copy())


def evenly(sizes: Tensor, room: int) -> Tensor:
    """(classes,) samples a class may keep: equal shares of `room`, as far as `sizes` go.

    >>> evenly(torch.tensor([9, 1, 0, 9]), room=8).tolist()
    [4, 1, 0, 3]
    """
    level, room_left, waiting = torch.zeros_like(sizes), room, (sizes > 0).nonzero()[:, 0]
    while room_left and len(waiting):
        share = max(room_left // len(waiting), 1)
        waiting = waiting[:room_left]
        level[waiting] = torch.minimum(sizes[waiting], level[waiting] + share)
        room_left = room - int(level.sum())
        waiting = (level < sizes).nonzero()[:, 0]
    return level


def _evenly(y: Tensor, keys: Tensor, room: int) -> Tensor:
    """(n,) whether a sample stays: the smallest keys of each class, classes of equal size."""
    order = torch.argsort(keys)
    order = order[torch.argsort(y[order], stable=True)]
    sizes = torch.bincount(y)
    rank = torch.arange(len(y)) - (sizes.cumsum(0) - sizes)[y[order]]
    stays = torch.zeros(len(y), dtype=torch.bool)
    stays[order] = rank < evenly(sizes, room)[y[order]]
    return stays


def stored_samples(state: dict[str, Any]) -> Samples:
    """The samples of a state.  Fault: inputs, columns and outputs, if any, are not as many."""
    samples = stored_values.item(state, "samples")
    if not isinstance(samples, Samples):
        raise Fault("samples are none")
    x, y, logits = samples.x, samples.y, samples.logits
    fitting = y.dtype == torch.int64 and y.ndim == 1 and len(x) == len(y)
    if not fitting or (len(y) and int(y.min()) < 0):
        raise Fault(f"samples are {len(x)} with columns of shape {tuple(y.shape)}, {y.dtype}")
    if logits is not None and (logits.ndim != 2 or len(logits) != len(y)):
        raise Fault(f"outputs of samples are of shape {tuple(logits.shape)}")
    return samples
