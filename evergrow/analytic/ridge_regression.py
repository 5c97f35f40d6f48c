"""Ridge regression of one-hot targets, from feature statistics."""

import math

import torch
from torch import Tensor

from .feature_statistics import FeatureStatistics
from .solution import ClassView, Solution, cholesky_factor, penalised, trace_of_inverse


def ridge(
    stats: FeatureStatistics, penalty: float | None = None, intercept: bool = True
) -> Solution:
    """Ridge regression of one-hot targets, with an intercept that is not penalised, or with none.

    penalty: None chooses it by generalized cross-validation, from the sums alone: one-hot targets
    have a known norm. Kept rows are judged by (y - f) / (1 - leverage): leaving one out, exactly.
    Source: Hoerl and Kennard 1970; Golub, Heath and Wahba 1979, Generalized cross-validation as a
    method for choosing a good ridge parameter, eq. 1.4. Raises DataError without rows.

    >>> stats = FeatureStatistics(width=1)
    >>> stats.grow(2)
    >>> stats.add(torch.tensor([[0], [2]], dtype=torch.int8), torch.tensor([0, 1]))
    >>> ridge(stats, penalty=1.0).scores(torch.tensor([[2]], dtype=torch.int8)).tolist()
    [[0.25, 0.75]]
    """
    view = ClassView(stats)
    rows = float(view.n.sum())
    share = view.n / rows if intercept else torch.zeros_like(view.n)
    mean = share @ view.raw_means
    total = view.scatter(mean[None], view.n.sum()[None])
    unit = float(total.diagonal().double().mean()) or 1.0
    total /= unit
    offset = (view.raw_means - mean) / view.unit**0.5  # (k, p)
    target = (view.n[:, None] * offset / unit).T.to(view.dtype)
    spread = rows - rows * float(share.square().sum())

    def attempt(value: float) -> tuple[Tensor, Tensor] | None:
        factor = cholesky_factor(total, value)
        if factor is None:
            return None
        weight = torch.cholesky_solve(target, factor)
        exact = weight.double()
        explained = float((exact * target).sum()) + value * float(exact.square().sum())
        residual = spread - unit * explained
        free = rows - intercept - len(total) + value * trace_of_inverse(factor)
        resolved = residual > view.rounding * spread and free > 0
        loss = rows * residual / free**2 if resolved else math.inf
        return torch.tensor([loss], dtype=torch.float64), weight

    value, weight = penalised(attempt, penalty, view)
    middle = ((mean - view.centre) / view.unit**0.5).to(view.dtype)
    bias = share.to(view.dtype) - middle @ weight
    scores = torch.zeros(0, len(view.n), dtype=view.dtype)
    factor = cholesky_factor(total, value) if len(view.held.y) else None
    if factor is not None:
        x = view.means[view.held.y] + view.deviations
        half = torch.linalg.solve_triangular(factor, (x - middle).T, upper=False)
        rest = 1 - intercept / rows - half.square().sum(0) / unit
        one_hot = torch.nn.functional.one_hot(view.held.y, len(view.n)).to(view.dtype)
        wrong = one_hot - x @ weight - bias
        scores = one_hot - wrong / rest.clamp(min=view.rounding)[:, None]
    return view.solution(weight, bias, value, scores, torch.ones_like(view.n))
