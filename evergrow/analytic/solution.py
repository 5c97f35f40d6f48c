"""A linear classifier solved from feature statistics; what its solvers share."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import DataError
from .feature_statistics import FeatureStatistics
from .leave_one_out import (
    JudgedRows,
    LeaveOneOut,
    judge,
)
from .penalty import Attempt, Fit, at_least, choose_penalty

_DOUBLE_WIDTH = 1_024  # up to so many features everything is float64
_JUDGED_ROWS = 2_048  # kept rows judged at most, of all classes together


@dataclass(frozen=True)
class Solution:
    """A linear classifier of integer rows.

    scores = q.float() @ weight + bias, probabilities = softmax(scores / temperature).
    weight: (width, k) float32; bias: (k,) float32, -inf for a class without rows. penalty: in units
    of the mean variance of a feature, 0 where there is none. judged: kept rows, left out.
    """

    weight: Tensor
    bias: Tensor
    penalty: float
    temperature: float
    judged: LeaveOneOut

    def scores(self, q: Tensor) -> Tensor:
        """(n, k) float32.  q: (n, width) int8."""
        return q.float() @ self.weight + self.bias


def scores_in_blocks(q: Tensor, scores: Callable[[Tensor], Tensor], rows: int = 32) -> Tensor:
    """Scores of integer rows (n, width), computed 32 at a time: a row's the same in any batch."""
    parts = []
    for block in q.split(rows):
        full = torch.nn.functional.pad(block, (0, 0, 0, rows - len(block)))
        parts.append(scores(full)[: len(block)])
    return torch.cat(parts)


class ClassView:
    """Classes that have rows, about a common centre, in units where a feature's variance is 1.

    n, raw_means: (k,), (k, p) float64. means: (k, p), deviations: (m, p) of held rows, in `dtype`.
    """

    def __init__(self, stats: FeatureStatistics):
        counts, kept_rows = stats.counts, stats.kept
        if not bool((counts > 0).any()):
            raise DataError("Expected rows of at least one class, got none; learn something first.")
        self.stats, self.total = stats, len(counts)
        self.present = counts.nonzero()[:, 0]
        self.n = counts[self.present].double()
        self.freedom = max(1.0, float(self.n.sum()) - len(self.n))
        self.dtype = torch.float64 if stats.width <= _DOUBLE_WIDTH else torch.float32
        self.rounding = torch.finfo(self.dtype).eps ** 0.5
        self.raw_means = stats.sums[self.present].double() / self.n[:, None]
        self.centre, self.unit = self.raw_means.mean(0), self._unit()
        root = self.unit**0.5
        self.means = ((self.raw_means - self.centre) / root).to(self.dtype)
        y = torch.searchsorted(self.present, kept_rows.y)
        place = torch.arange(len(y), device=y.device) - torch.searchsorted(y, y)
        judged = (place < max(2, _JUDGED_ROWS // len(self.n))) & (self.n[y] > 1)
        y, place = y[judged], place[judged]
        deviations = kept_rows.rows[judged].double() - self.raw_means[y]
        self.deviations = (deviations / root).to(self.dtype)
        self.held = JudgedRows(y, place, self.n.to(self.dtype), self.freedom)

    def _unit(self) -> float:
        """The mean variance of a feature within its class; without one, among all rows; or 1."""
        squares = sum(float(strip.diagonal().double().sum()) for _, strip in self.stats.strips())
        within = squares - float((self.raw_means.square().sum(1) * self.n).sum())
        if within > 1e-9 * squares:
            return within / self.freedom / self.stats.width
        rows = float(self.n.sum())
        among = squares - float((self.n @ self.raw_means).square().sum()) / rows
        return among / rows / self.stats.width if among > 1e-9 * squares else 1.0

    def scatter(self, means: Tensor, n: Tensor) -> Tensor:
        """(p, p): the Gram matrix less the sum of n m m'.  means: (k, p) float64, raw."""
        p = self.stats.width
        out = torch.empty(p, p, dtype=self.dtype, device=means.device)
        weighted = means * n[:, None]
        for i, strip in self.stats.strips():
            j = i + len(strip)
            part = strip.double().sub_(weighted[:, i:j].T @ means[:, i:]).div_(self.unit)
            out[i:j, i:] = part
            out[i:, i:j] = part.T
        return out

    def solution(
        self, weight: Tensor, bias: Tensor, penalty: float, scores: Tensor, importance: Tensor
    ) -> Solution:
        """Back to raw units and all columns.  scores: (m, k) of held rows, left out."""
        raw = weight.double() / self.unit**0.5
        full = torch.zeros(len(weight), self.total, device=weight.device)
        full[:, self.present] = raw.float()
        biases = torch.full((self.total,), -math.inf, device=weight.device)
        biases[self.present] = (bias.double() - self.centre @ raw).float()
        accuracy = torch.full((self.total,), math.nan, device=weight.device)
        if len(scores) == 0:
            nothing = LeaveOneOut(accuracy, math.nan, math.nan, 0)
            return Solution(full, biases, penalty, 1.0, nothing)
        judgement = judge(scores, self.held, importance)
        accuracy[self.present] = judgement.recall.float()
        everywhere = torch.full((len(scores), self.total), -math.inf, device=weight.device)
        everywhere[:, self.present] = scores.float()
        macro, y = float(judgement.recall.nanmean()), self.present[self.held.y]
        judged = LeaveOneOut(accuracy, macro, judgement.nll, len(scores), everywhere, y)
        return Solution(full, biases, penalty, judgement.temperature, judged)


def penalised(attempt: Attempt[Fit], penalty: float | None, view: ClassView) -> tuple[float, Fit]:
    """The penalty asked for, or one chosen."""
    if penalty is not None:
        return at_least(attempt, penalty)
    return choose_penalty(attempt, view.stats.width, scarce=view.freedom < view.stats.width)


def cholesky_factor(matrix: Tensor, penalty: float) -> Tensor | None:
    """The lower Cholesky factor of matrix + penalty; None where rounding leaves it without one."""
    ridged = matrix.clone()
    ridged.diagonal().add_(penalty)
    factor, wrong = torch.linalg.cholesky_ex(ridged)
    return None if bool(wrong) else factor


def trace_of_inverse(factor: Tensor, block: int = 640) -> float:
    """tr((L L')^-1), without the inverse: the squares of L^-1, a few columns at a time."""
    total = 0.0
    for i in range(0, len(factor), block):
        rest = factor[i:, i:]
        unit = torch.eye(len(rest), min(block, len(rest)), dtype=rest.dtype, device=rest.device)
        part = torch.linalg.solve_triangular(rest, unit, upper=False)
        total += float(part.double().square().sum())
    return total
