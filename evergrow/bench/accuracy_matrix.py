"""How well a stream of tasks was learnt: pure functions of an accuracy matrix.

R is a matrix (tasks, tasks): R[i, j] is the accuracy in [0, 1] on the test samples of task j once
task i is learnt, NaN where it was not measured. n is (tasks,), the test samples of each task.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DataError
from ..model.recall import mean


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
    measured = values[~np.isnan(values)]
    return float(measured.max()) if len(measured) else float("nan")
