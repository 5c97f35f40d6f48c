"""How well a stream of tasks was learnt: pure functions of an accuracy matrix and of answers.

R is a matrix (tasks, tasks): R[i, j] is the accuracy in [0, 1] on the test samples of task j once
task i is learnt, NaN where it was not measured. n is (tasks,), the test samples of each task.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import DataError


@dataclass(frozen=True)
class Summary:
    """A matrix in a few numbers; the first two belong together and are told apart nowhere.

    last: accuracy on all test samples once everything is learnt.  average: mean over tasks of the
    accuracy on the test samples of the tasks so far (average incremental accuracy; Rebuffi et al.
    2017, arXiv:1611.07725). The average is nearly always higher: it counts times with few classes.
    forgetting, backward, forward: see the functions of these names.  old, new: parts of `last`, on
    the test samples of all tasks but the last one, and of the last one.  NaN: not measured.
    """

    last: float
    average: float
    forgetting: float
    backward: float
    forward: float
    old: float
    new: float


def summary(matrix: Any, sizes: Any, untaught: Any = 0.0) -> Summary:
    """All numbers that a matrix R and test sizes n give.  untaught: as for `forward`.

    Raises DataError where R is not square, or n has not as many entries.

    >>> s = summary([[1.0, 0.0], [0.5, 0.9]], [10, 30])
    >>> s.last, s.average, s.forgetting, s.old, s.new
    (0.8, 0.9, 0.5, 0.5, 0.9)
    """
    R, n = _checked(matrix, sizes)
    so_far = accuracies(R, n)
    return Summary(
        last=float(so_far[-1]),
        average=_mean(so_far),
        forgetting=forgetting(R),
        backward=backward(R),
        forward=forward(R, untaught),
        old=_weighted(R[-1, :-1], n[:-1]),
        new=_weighted(R[-1, -1:], n[-1:]),
    )


def accuracies(matrix: Any, sizes: Any) -> np.ndarray:
    """(tasks,) accuracy after each task on all test samples of the tasks so far.

    A sample counts the same whatever its task: larger tasks weigh more.

    >>> accuracies([[1.0, 0.0], [0.5, 0.9]], [10, 30]).tolist()
    [1.0, 0.8]
    """
    R, n = _checked(matrix, sizes)
    return np.array([_weighted(R[i, : i + 1], n[: i + 1]) for i in range(len(n))])


def forgetting(matrix: Any) -> float:
    """How much accuracy the tasks lost since they were best, in [-1, 1]; mean over old tasks.

    Source: Chaudhry et al. 2018, arXiv:1801.10112: the mean over j < T of
    max over i < T of R[i, j] - R[T, j]. We look at i >= j alone: before task j is learnt there is
    nothing to forget.  NaN where there is one task.

    >>> round(forgetting([[0.9, 0.0, 0.0], [0.5, 0.8, 0.0], [0.6, 0.2, 1.0]]), 6)
    0.45
    """
    R = np.asarray(matrix, float)
    last = len(R) - 1
    return _mean([_highest(R[j:last, j]) - R[last, j] for j in range(last)])


def backward(matrix: Any) -> float:
    """Backward transfer, in [-1, 1]: what later tasks did to earlier ones; negative: harm.

    Source: Lopez-Paz and Ranzato 2017, arXiv:1706.08840: the mean over j < T of R[T, j] - R[j, j].
    NaN where there is one task.

    >>> round(backward([[0.9, 0.0, 0.0], [0.5, 0.8, 0.0], [0.6, 0.2, 1.0]]), 6)
    -0.45
    """
    R = np.asarray(matrix, float)
    last = len(R) - 1
    return _mean([R[last, j] - R[j, j] for j in range(last)])


def forward(matrix: Any, untaught: Any = 0.0) -> float:
    """Forward transfer, in [-1, 1]: what is known of a task before it is learnt.

    untaught: accuracy of a model that has learnt nothing, one number or (tasks,). 0 where a task
    brings classes of its own, since no model names a class that it has not met (forward transfer is
    0 there by definition); 1 / classes where tasks share their classes.

    Source: Lopez-Paz and Ranzato 2017, arXiv:1706.08840: the mean over j > 1 of R[j - 1, j] - b_j.
    NaN where there is one task.

    >>> forward([[0.9, 0.5], [0.9, 0.8]], untaught=0.1)
    0.4
    """
    R = np.asarray(matrix, float)
    b = np.broadcast_to(np.asarray(untaught, float), len(R))
    return _mean([R[j - 1, j] - b[j] for j in range(1, len(R))])


def mean(values: Iterable[float | None] | np.ndarray) -> float | None:
    """The mean of the values that are known; None where there is none.

    >>> mean([0.5, None, 1.0]), mean([None, float("nan")])
    (0.75, None)
    """
    known = [value for value in values if value is not None and not np.isnan(value)]
    return float(np.mean(known)) if known else None


# -- by class and by answer ------------------------------------------------------------------------


def per_class(labels: Any, answers: Any) -> dict[str, float]:
    """Recall in [0, 1] by label, in the order of the sorted labels: the share of its samples right.

    >>> per_class(["cat", "dog", "dog"], ["cat", "cat", "dog"])
    {'cat': 1.0, 'dog': 0.5}
    """
    given, right = np.asarray(labels), np.asarray(labels) == np.asarray(answers)
    return {str(label): float(right[given == label].mean()) for label in _distinct(given)}


def mean_recall(recalls: Mapping[str, float]) -> float:
    """Mean of the recalls: every class counts the same, however rare.

    >>> mean_recall({"cat": 1.0, "dog": 0.5})
    0.75
    """
    return _mean(list(recalls.values()))


def confusion(labels: Any, answers: Any) -> list[tuple[str, str, int]]:
    """(label, answer, samples) of every pair that occurs, right ones too, sorted.

    >>> confusion(["cat", "dog", "dog"], ["cat", "cat", "cat"])
    [('cat', 'cat', 1), ('dog', 'cat', 2)]
    """
    pairs: dict[tuple[str, str], int] = {}
    for label, answer in zip(
        np.asarray(labels).tolist(), np.asarray(answers).tolist(), strict=True
    ):
        pairs[str(label), str(answer)] = pairs.get((str(label), str(answer)), 0) + 1
    return [(*pair, count) for pair, count in sorted(pairs.items())]


def calibration(
    probabilities: Any, right: Any, bins: int = 10
) -> tuple[float, list[tuple[float, float, int]]]:
    """Expected calibration error in [0, 1], and its bins: (mean confidence, accuracy, samples).

    probabilities: (n,) that of each answer, in [0, 1]; NaN, of a model that diverged, counts as 0.
    right: (n,) whether the answer was right.
    bins: of equal width, closed above: ((k - 1) / bins, k / bins]; empty ones are left out. NaN and
    no bins where there are no answers.

    Source: Guo et al. 2017, arXiv:1706.04599: the mean over samples of |accuracy - confidence| of
    their bins.

    >>> error, found = calibration([0.9, 0.96, 0.85], [True, False, True])
    >>> round(error, 3), [(round(c, 3), a, n) for c, a, n in found]
    (0.403, [(0.875, 1.0, 2), (0.96, 0.0, 1)])
    """
    p, hit = np.nan_to_num(np.asarray(probabilities, float)), np.asarray(right, float)
    at = np.clip(np.ceil(np.round(p * bins, 9)).astype(int) - 1, 0, bins - 1)
    found = [
        (float(p[at == k].mean()), float(hit[at == k].mean()), int((at == k).sum()))
        for k in np.unique(at)
    ]
    if not found:
        return float("nan"), []
    return sum(n * abs(a - c) for c, a, n in found) / len(p), found


# -- what it took ----------------------------------------------------------------------------------


def bytes_kept(parts: Mapping[str, Any]) -> int:
    """Bytes of a model: weights, sums, and samples that are kept, as they lie in its folder.

    parts: of `saving.parts`: mappings of tensors, tables; what has no size of its own is passed
    over. The manifest and the ledger (what was learnt, not how) do not count.

    >>> bytes_kept({"serving": {"head": np.zeros((2, 3), np.float32)}, "memory": None})
    24
    """
    total = 0
    for name, part in parts.items():
        if name != "ledger":
            held = part.values() if isinstance(part, Mapping) else [part]
            blobs = [v for h in held for v in (h.values() if isinstance(h, Mapping) else [h])]
            total += sum(int(getattr(value, "nbytes", 0)) for value in blobs)
    return total


def begin_peak() -> None:
    """From now on `peak_memory` tells of what comes; without effect but on Linux."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def peak_memory() -> int | None:
    """Bytes: the most memory that this process had since `begin_peak`, all of its parts counted.

    Elsewhere than on Linux, since it began; None where the system does not tell.
    """
    try:
        with open("/proc/self/status") as file:
            line = next(line for line in file if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    except (OSError, StopIteration):
        return _peak_since_the_beginning()


def _peak_since_the_beginning() -> int | None:
    import sys

    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024  # bytes there, kilobytes elsewhere


# -- parts -----------------------------------------------------------------------------------------


def _checked(matrix: Any, sizes: Any) -> tuple[np.ndarray, np.ndarray]:
    R, n = np.asarray(matrix, float), np.asarray(sizes, float)
    if R.ndim != 2 or R.shape[0] != R.shape[1] or n.shape != R.shape[:1] or not len(n):
        raise DataError(
            f"an accuracy matrix is (tasks, tasks) with a test size for each task; this one is "
            f"{R.shape} with sizes {n.shape}: give a row for each task learnt."
        )
    return R, n


def _weighted(accuracy: np.ndarray, n: np.ndarray) -> float:
    """Mean over test samples, of tasks that have any; NaN where none was measured."""
    there = (n > 0) & ~np.isnan(accuracy)
    return float(np.average(accuracy[there], weights=n[there])) if there.any() else float("nan")


def _mean(values: Sequence[float] | np.ndarray) -> float:
    """Mean of those that were measured; NaN where none was."""
    measured = mean(values)
    return float("nan") if measured is None else measured


def _highest(values: np.ndarray) -> float:
    found = values[~np.isnan(values)]
    return float(found.max()) if len(found) else float("nan")


def _distinct(labels: np.ndarray) -> list[Any]:
    return sorted(set(labels.tolist()))
