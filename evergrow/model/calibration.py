"""Whether probabilities are as often right as they say: the expected calibration error."""

from typing import Any

import numpy as np


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
    per_bin = [
        (float(p[at == k].mean()), float(hit[at == k].mean()), int((at == k).sum()))
        for k in np.unique(at)
    ]
    if not per_bin:
        return float("nan"), []
    return sum(n * abs(a - c) for c, a, n in per_bin) / len(p), per_bin
