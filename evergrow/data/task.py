"""What flows through evergrow: a `Task` is a chunk of labelled data, cut into `Batch`es."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

Stage = Callable[[Tensor], Tensor]


class Records(Protocol):
    """Canonical tensors by row: in memory, or decoded from files as they are asked for.

    Those that take time have an attribute `decoded` that is true: they are fetched ahead.
    """

    def __len__(self) -> int: ...

    def take(self, rows: Tensor) -> Tensor:
        """(len(rows), ...) canonical tensors, in the order of `rows`."""


@dataclass(frozen=True)
class Tensors:
    """Records that are in memory already.  x: (n, ...).

    >>> Tensors(torch.tensor([[1.0], [2.0]])).take(torch.tensor([1])).tolist()
    [[2.0]]
    """

    x: Tensor

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: Tensor) -> Tensor:
        part: Tensor = self.x[rows]
        return part


@dataclass(frozen=True)
class Part:
    """Some rows of other records.  rows: (m,).

    >>> Part(Tensors(torch.tensor([4, 5, 6])), torch.tensor([2, 0])).take(torch.tensor([0])).item()
    6
    """

    records: Records
    rows: Tensor

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def decoded(self) -> bool:
        """Whether the other records are."""
        return bool(getattr(self.records, "decoded", False))

    def take(self, rows: Tensor) -> Tensor:
        return self.records.take(self.rows[rows])


@dataclass(frozen=True)
class Samples:
    """Raw samples as memories store them: x (n, ...), y (n,), logits (n, k) with NaN, or None."""

    x: Tensor
    y: Tensor
    logits: Tensor | None = None


@dataclass
class Batch:
    """A few samples, as a method sees them.

    x: (n, ...) inputs ready for the network, augmented when training.
    y: (n,) column of each sample's class in the network's output.
    raw: (n, ...) the same inputs before augmentation: this is what memories store.
    first: whether they are seen for the first time in this task (first epoch): reservoirs take
        these alone.
    logits: (n, k) outputs recorded earlier, NaN where the class did not exist yet; or None.
    """

    x: Tensor
    y: Tensor
    raw: Tensor
    first: bool = True
    logits: Tensor | None = None


@dataclass(frozen=True)
class Task:
    """One chunk of data to learn: what a single call of `partial_fit` brings.

    y: (n,) columns.  old, total: classes known before it, and once it is learnt.
    number: tasks learnt before it.  boundary: whether methods may consolidate at it (see
        `boundary=`).
    auxiliary: unlabelled inputs that came with it, for methods that use such; or None.
    """

    records: Records
    y: Tensor
    old: int
    total: int
    number: int = 0
    boundary: bool = True
    auxiliary: Records | None = None

    def __len__(self) -> int:
        return len(self.y)

    @property
    def classes(self) -> Tensor:
        """Columns present in this task, sorted; old classes may come back."""
        present: Tensor = self.y.unique()
        return present

    def absent(self, old: int) -> Tensor:
        """Columns below `old` of which this task has no sample, sorted.

        >>> Task(Tensors(torch.zeros(2, 1)), torch.tensor([1, 3]), old=3, total=4).absent(3)
        tensor([0, 2])
        """
        columns = torch.arange(old)
        return columns[~torch.isin(columns, self.classes)]

    def part(self, rows: Tensor) -> "Task":
        """The same task with these rows alone, in their order."""
        return replace(self, records=Part(self.records, rows), y=self.y[rows])

    def blocks(
        self, size: int, workers: int = 0, stage: Stage | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Every sample once, in order: (m, ...) canonical tensors and (m,) columns, m <= size.

        workers, stage: see `fetched`.
        """
        parts = torch.arange(len(self.y)).split(size)
        for rows, x in fetched(self.records, parts, workers, stage):
            yield x, self.y[rows]


def fetched(
    records: Records, parts: Sequence[Tensor], workers: int = 0, stage: Stage | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """(rows, canonical tensors) of each part, in order; `workers` threads fetch ahead, 0: in turn.

    What has to be decoded is fetched ahead by one thread at least.
    stage: done to what is fetched ahead, by the thread that fetched it; see `devices.staging`.

    >>> data, parts = Tensors(torch.arange(3)), torch.arange(3).split(2)
    >>> [x.tolist() for _, x in fetched(data, parts, workers=2)]
    [[0, 1], [2]]
    """
    if len(parts) > 1:
        workers = workers or int(getattr(records, "decoded", False))
    if not workers:
        for rows in parts:
            yield rows, records.take(rows)
        return

    def take(rows: Tensor) -> Tensor:
        x = records.take(rows)
        return x if stage is None else stage(x)

    with ThreadPoolExecutor(workers, "evergrow-fetch") as pool:
        waiting: deque[tuple[Tensor, Future[Tensor]]] = deque()
        try:
            for rows in parts:
                waiting.append((rows, pool.submit(take, rows)))
                if len(waiting) > 2 * workers:
                    ready, x = waiting.popleft()
                    yield ready, x.result()
            while waiting:
                ready, x = waiting.popleft()
                yield ready, x.result()
        finally:
            for _, x in waiting:
                x.cancel()
