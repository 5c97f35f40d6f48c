"""A data set cut into a stream of tasks: which rows come when, and which are asked about."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DataError, SettingError

TaskRows = tuple[np.ndarray, ...]  # row numbers, one array a task


@dataclass(frozen=True)
class Cut:
    """How a data set is cut; plain data, with a seed it gives a `Scenario`.

    classes_per_task: classes that each task brings.  first: of the first task, if another number.
    shuffled: the order of classes is drawn by the seed; else it is the sorted one.
    blurry: share of each class's samples, in [0, 1), that come in other tasks than its own.
    returning: share in [0, 1) that comes again in the tasks after its own.
    imbalance: samples of the largest class over those of the smallest, 1 or more; sizes in between
        fall by a constant factor, over classes in an order drawn by the seed.
    batch: samples that arrive at once: 10 is a stream in small batches, 1 a stream of single
        samples, 0 a whole task. A stream is passed through once.
    conditions: names of `corruptions.CHANGES`, one a task: then every task has all classes, each on
        its own share of the samples, and it is the inputs that change.
    test_share: held out for testing, of data that has no test part of its own.
    """

    classes_per_task: int = 2
    first: int = 0
    shuffled: bool = True
    blurry: float = 0.0
    returning: float = 0.0
    imbalance: float = 1.0
    batch: int = 0
    conditions: tuple[str, ...] = ()
    test_share: float = 0.2

    def __post_init__(self) -> None:
        """Raise SettingError for a number out of range."""
        _within("classes_per_task", self.classes_per_task, 1, None)
        _within("first", self.first, 0, None)
        _within("blurry", self.blurry, 0, 1)
        _within("returning", self.returning, 0, 1)
        _within("imbalance", self.imbalance, 1, None)
        _within("batch", self.batch, 0, None)
        _within("test_share", self.test_share, 0, 1)
        if self.blurry + self.returning >= 1:
            raise SettingError(
                f"blurry={self.blurry} and returning={self.returning} leave nothing of a class to "
                "its own task; choose shares that sum to less than 1."
            )


@dataclass(frozen=True)
class Scenario:
    """What comes when, as row numbers of the training data and of the test data.

    train: rows a task, in the order in which they arrive.  test: rows a task: of the classes (or in
    the condition) that are its own. No test row belongs to two tasks.
    classes: labels that are a task's own.  batch: as of `Cut`.  conditions: one a task, or none.
    """

    train: TaskRows
    test: TaskRows
    classes: tuple[tuple[Any, ...], ...]
    batch: int = 0
    conditions: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.train)

    @property
    def sizes(self) -> list[int]:
        """Test samples of each task."""
        return [len(rows) for rows in self.test]

    def arrivals(self, task: int) -> list[np.ndarray]:
        """The rows of a task as they come: one array a call of `partial_fit`."""
        rows = self.train[task]
        if not self.batch:
            return [rows]
        return [rows[start : start + self.batch] for start in range(0, len(rows), self.batch)]


def cut(y: Any, y_test: Any, how: Cut, seed: int = 0) -> Scenario:
    """Labels of the training and of the test data, cut into tasks; the same for the same seed.

    y: (n,), y_test: (m,) labels.  Raises DataError where there are fewer classes than two tasks
    need.

    >>> found = cut([0, 1, 2, 3], [3, 0], Cut(2, shuffled=False))
    >>> [sorted(rows.tolist()) for rows in found.train], [rows.tolist() for rows in found.test]
    ([[0, 1], [2, 3]], [[1], [0]])
    """
    y, y_test = np.asarray(y), np.asarray(y_test)
    if how.conditions:
        domains = tuple(_dealt(len(part), len(how.conditions), seed) for part in (y, y_test))
        return by_domain(y, domains, how, seed)
    tasks = class_order(y, how, seed)
    rows = _kept(y, how, seed)
    home = _home(y[rows], tasks)
    arrives = _moved(y[rows], home, how, seed)
    train = [_shuffled(rows[arrives == k], seed, k) for k in range(len(tasks))]
    at = _home(y_test, tasks)
    test = [np.flatnonzero(at == k) for k in range(len(tasks))]
    return Scenario(tuple(train), tuple(test), tasks, how.batch)


def by_domain(y: Any, domains: Sequence[Any], how: Cut, seed: int = 0) -> Scenario:
    """A task for each domain, with whatever classes it has; the order of domains by the seed.

    domains: that of each training sample (n,), and of each test sample (m,), str or int; with
    `how.conditions`, the number of the condition that each is brought into.

    >>> found = by_domain(["a", "b", "a"], ([0, 0, 1], [1, 0]), Cut(shuffled=False))
    >>> [sorted(rows.tolist()) for rows in found.train], [rows.tolist() for rows in found.test]
    ([[0, 1], [2]], [[1], [0]])
    """
    y, (train, test) = np.asarray(y), (np.asarray(part) for part in domains)
    names = sorted(set(train.tolist()))
    order = _rng(seed, "order").permutation(len(names)) if how.shuffled else range(len(names))
    chosen = [names[i] for i in order]
    rows = [np.flatnonzero(train == name) for name in chosen]
    return Scenario(
        tuple(_shuffled(part, seed, k) for k, part in enumerate(rows)),
        tuple(np.flatnonzero(test == name) for name in chosen),
        tuple(tuple(sorted(set(y[part].tolist()))) for part in rows),
        how.batch,
        tuple(how.conditions[name] for name in chosen) if how.conditions else (),
    )


def class_order(y: Any, how: Cut, seed: int = 0) -> tuple[tuple[Any, ...], ...]:
    """The classes of each task: in an order drawn by the seed, or sorted.

    >>> class_order([3, 1, 2, 1, 0], Cut(1, first=2, shuffled=False))
    ((0, 1), (2,), (3,))
    """
    labels = sorted(set(np.asarray(y).tolist()))
    first = how.first or how.classes_per_task
    if len(labels) <= first:
        raise DataError(
            f"the first task takes {first} classes, and the data has {len(labels)}; a scenario "
            "needs more than one task: choose fewer classes a task."
        )
    if how.shuffled:
        labels = [labels[i] for i in _rng(seed, "order").permutation(len(labels))]
    starts = [0, *range(first, len(labels), how.classes_per_task), len(labels)]
    return tuple(tuple(labels[a:b]) for a, b in zip(starts, starts[1:], strict=False))


def hold_out(y: Any, share: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows to learn and rows to test on: the same share of every class, one sample at least.

    A class of one sample is learnt and not tested.

    >>> [rows.tolist() for rows in hold_out(["a", "b", "b", "b", "b"], share=0.5)]
    [[0, 1, 4], [2, 3]]
    """
    y, rng = np.asarray(y), _rng(seed, "test")
    held = np.zeros(len(y), bool)
    for label in sorted(set(y.tolist())):
        rows = rng.permutation(np.flatnonzero(y == label))
        count = min(max(round(share * len(rows)), 1), len(rows) - 1)
        held[rows[:count]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


def _kept(y: np.ndarray, how: Cut, seed: int) -> np.ndarray:
    """Rows that are there: all, or a long tail of classes.

    Class k of K in an order drawn by the seed keeps n_k * imbalance ** (-k / (K - 1)) samples, one
    at least.  Source: Cui et al. 2019, arXiv:1901.05555 (long-tailed CIFAR), whose classes fall in
    their given order.
    """
    if how.imbalance == 1:
        return np.arange(len(y))
    rng, parts = _rng(seed, "imbalance"), []
    labels = sorted(set(y.tolist()))
    for k, i in enumerate(rng.permutation(len(labels))):
        rows = rng.permutation(np.flatnonzero(y == labels[i]))
        share = how.imbalance ** (-k / max(len(labels) - 1, 1))
        parts.append(rows[: max(round(share * len(rows)), 1)])
    return np.sort(np.concatenate(parts))


def _home(y: np.ndarray, tasks: Sequence[Sequence[Any]]) -> np.ndarray:
    """(n,) the task that each label is at home in; -1 for a label of none."""
    of = {label: k for k, labels in enumerate(tasks) for label in labels}
    return np.array([of.get(label, -1) for label in y.tolist()], dtype=np.int64)


def _moved(y: np.ndarray, home: np.ndarray, how: Cut, seed: int) -> np.ndarray:
    """(n,) the task that each sample comes in: at home, but for the shares that do not.

    Blurry tasks share classes as in Bang et al. 2021, arXiv:2103.17230 (Rainbow Memory); here the
    other task of a sample is drawn among all of them alike. What returns comes in a task after its
    own, drawn alike too; classes of the last task have none and stay.
    """
    arrives, rng = home.copy(), _rng(seed, "moved")
    tasks = int(home.max()) + 1
    for label in sorted(set(y.tolist())):
        rows = rng.permutation(np.flatnonzero(y == label))
        blurry, back = (int(share * len(rows)) for share in (how.blurry, how.returning))
        k = int(home[rows[0]])
        others = np.delete(np.arange(tasks), k)
        arrives[rows[:blurry]] = rng.choice(others, blurry)
        if k + 1 < tasks:
            arrives[rows[blurry : blurry + back]] = rng.integers(k + 1, tasks, back)
    return arrives


def _dealt(n: int, parts: int, seed: int) -> np.ndarray:
    """(n,) numbers below `parts`, as many of each as can be, in an order drawn by the seed."""
    return _rng(seed, "dealt").permutation(np.arange(n) % parts)


def _shuffled(rows: np.ndarray, seed: int, task: int) -> np.ndarray:
    return _rng(seed, f"arrival {task}").permutation(rows)


def _rng(seed: int, purpose: str) -> np.random.Generator:
    """A generator for each purpose, so that one more draw in one place moves nothing elsewhere."""
    return np.random.default_rng([seed, *purpose.encode()])


def _within(name: str, value: float, low: float, below: float | None) -> None:
    if value < low or (below is not None and value >= below):
        end = "or more" if below is None else f"or more, less than {below}"
        raise SettingError(f"{name}={value}: expected {low} {end}.")
