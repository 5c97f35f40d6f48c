"""Recall of each class, means of recalls, and what classes are taken for: pure functions."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np


def mean(values: Iterable[float | None] | np.ndarray) -> float | None:
    """The mean of the values that are known; None where there is none.

    >>> mean([0.5, None, 1.0]), mean([None, float("nan")])
    (0.75, None)
    """
    known = [value for value in values if value is not None and not np.isnan(value)]
    return float(np.mean(known)) if known else None


def per_class(labels: Any, answers: Any) -> dict[str, float]:
    """Recall in [0, 1] by label, in the order of the sorted labels: the share of its samples right.

    >>> per_class(["cat", "dog", "dog"], ["cat", "cat", "dog"])
    {'cat': 1.0, 'dog': 0.5}
    """
    truth, right = np.asarray(labels), np.asarray(labels) == np.asarray(answers)
    return {str(label): float(right[truth == label].mean()) for label in _distinct(truth)}


def mean_recall(recalls: Mapping[str, float]) -> float:
    """Mean of the recalls: every class counts the same, however rare; NaN of none.

    >>> mean_recall({"cat": 1.0, "dog": 0.5})
    0.75
    """
    known = mean(recalls.values())
    return float("nan") if known is None else known


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


def _distinct(labels: np.ndarray) -> list[Any]:
    return sorted(set(labels.tolist()))


def exceeds(share: float, limit: float) -> bool:
    """Whether a difference of recalls is above a limit in truth.

    Recalls are counts over counts; those that a model keeps in single precision are off by up to
    3e-8, which is no loss.

    >>> import numpy as np
    >>> exceeds(float(np.float32(5 / 7)) - 5 / 7, 0.0), exceeds(1 / 100_000, 0.0)
    (False, True)
    """
    return round(share - limit, 6) > 0
