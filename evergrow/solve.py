"""Weights of a linear classifier, read off feature statistics: nearest class mean, LDA, ridge regression."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from torch import Tensor

from .errors import DataError, SettingError
from .leaveout import Held, Judged, Products, judge, lda_scores, noise, pooled_noise
from .statistics import FeatureStatistics

GRID = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)  # penalties, in units of the mean variance of a feature
_START = (
    3  # where the search of the grid starts; with fewer rows than features, no penalty is lower
)
_WHOLE_WIDTH = 2_048  # up to here the whole grid is tried
_DOUBLE_WIDTH = 1_024  # up to here everything is float64
_JUDGED_ROWS = 4_096  # kept rows judged at most, of all classes together

Found = TypeVar("Found")


@dataclass(frozen=True)
class Solution:
    """A linear classifier of integer rows: scores = q.float() @ weight + bias, probabilities softmax(scores / temperature).

    weight: (width, k) float32; bias: (k,) float32, -inf for a class without rows. penalty: in units of the mean
    variance of a feature, 0 where there is none. judged: what it would have said of kept rows not learnt.
    """

    weight: Tensor
    bias: Tensor
    penalty: float
    temperature: float
    judged: Judged

    def scores(self, q: Tensor) -> Tensor:
        """(n, k) float32.  q: (n, width) int8."""
        return q.float() @ self.weight + self.bias


def ncm(stats: FeatureStatistics) -> Solution:
    """Nearest class mean: Mensink et al. 2013, Distance-based image classification, eq. 2, written as linear scores.

    >>> stats = FeatureStatistics(width=1)
    >>> stats.grow(2)
    >>> stats.add(torch.tensor([[1], [3], [9], [11]], dtype=torch.int8), torch.tensor([0, 0, 1, 1]))
    >>> ncm(stats).scores(torch.tensor([[5], [7]], dtype=torch.int8)).argmax(1).tolist()
    [0, 1]
    """
    view = _View(stats)
    m, d = view.means, view.deviations
    blocks = view.held.blocks(d)
    products = Products(m @ m.T, d @ m.T, blocks @ blocks.mT)
    scores = lda_scores(products, replace(view.held, freedom=math.inf), None, 0.0)
    return view.solution(m.T, -0.5 * m.square().sum(1), 0.0, scores)


def lda(
    stats: FeatureStatistics,
    penalty: float | None = None,
    prior: str = "equal",
    correct: bool = True,
) -> Solution:
    """Linear discriminant analysis (Fisher 1936; Friedman 1989 for the ridge) on one within-class covariance S.

    With R = (S + penalty)^-1, class k scores m'R x - m'R m / 2, its mean m being that of n noisy rows: m'R m is too
    large by the noise E[d'R d] / n, which is taken off (`correct`). The noise is estimated for each class from its own
    kept rows, each left out of S, and a little of everybody's; the smaller a class, the more it matters.
    prior: "equal", or "counts" to favour frequent classes.  penalty: None chooses it from GRID by the Brier score of
    kept rows left out one by one, classes counting alike (or by frequency, with prior "counts").

    >>> stats = FeatureStatistics(width=2)
    >>> stats.grow(2)
    >>> rows = torch.tensor([[9, 1], [7, -1], [-9, 1], [-7, -1]], dtype=torch.int8)
    >>> stats.add(rows, torch.tensor([0, 0, 1, 1]))
    >>> lda(stats, penalty=0.1).scores(rows).argmax(1).tolist()
    [0, 0, 1, 1]
    """
    if prior not in ("equal", "counts"):
        raise SettingError(f"prior={prior!r}: 'equal' or 'counts'.")
    view = _View(stats)
    within = view.scatter(view.raw_means, view.n) / view.freedom
    log_prior = (view.n / view.n.sum()).log() if prior == "counts" else torch.zeros_like(view.n)
    importance = view.n if prior == "counts" else torch.ones_like(view.n)

    def attempt(value: float) -> tuple[float, tuple[Tensor, Tensor, Tensor]] | None:
        factor = _factor(within, value)
        if factor is None:
            return None
        weight, bias, scores = _discriminants(view, factor, value, correct)
        scores = scores + log_prior.to(scores.dtype)
        loss = judge(scores, view.held, importance)[1] if len(scores) else math.nan
        return loss, (weight, bias + log_prior.to(bias.dtype), scores)

    value, (weight, bias, scores) = _choose(attempt, penalty, view)
    return view.solution(weight, bias, value, scores, importance)


def _discriminants(
    view: "_View", factor: Tensor, penalty: float, correct: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Weights (p, k), biases (k,) and leave-one-out scores (m, k), from the Cholesky factor of S + penalty."""
    k, held = len(view.n), view.held
    both = torch.cat([view.means, view.deviations])
    half = torch.linalg.solve_triangular(
        factor, both.T, upper=False
    )  # (p, k + m), of R = half-inverse squared
    m, d = half[:, :k], half[:, k:]
    blocks = held.blocks(d.T)
    products = Products(m.T @ m, d.T @ m, blocks @ blocks.mT)
    noises, pooled = None, 0.0
    if correct:
        found = pooled_noise(products, held)
        pooled = _noise_from_sums(factor, penalty, held.freedom) if found is None else found
        noises = noise(products, held, pooled)
    scores = lda_scores(products, held, noises, pooled)
    weight = torch.linalg.solve_triangular(factor.T, m, upper=True)
    square = products.means.diagonal()
    return weight, -0.5 * (square if noises is None else square - noises / held.n), scores


def _noise_from_sums(factor: Tensor, penalty: float, freedom: float) -> float:
    """E[d'R d] of a fresh row without any row at hand: tr(R S), and that rows in S are nearer to it than fresh ones."""
    inside = len(factor) - penalty * _trace_inverse(factor)
    return inside / max(1 - inside / freedom, 1e-3)


def ridge(stats: FeatureStatistics, penalty: float | None = None) -> Solution:
    """Ridge regression of one-hot targets with an intercept that is not penalised (Hoerl and Kennard 1970).

    penalty: None chooses it from GRID by generalized cross-validation (Golub, Heath and Wahba 1979, eq. 1.4), from
    the sums alone: one-hot targets have a known norm. Kept rows are judged by (y - f) / (1 - leverage), which is exact.

    >>> stats = FeatureStatistics(width=1)
    >>> stats.grow(2)
    >>> stats.add(torch.tensor([[0], [2]], dtype=torch.int8), torch.tensor([0, 1]))
    >>> [round(s, 3) for s in ridge(stats, penalty=1.0).scores(torch.tensor([[2]], dtype=torch.int8))[0].tolist()]
    [0.25, 0.75]
    """
    view = _View(stats)
    rows = float(view.n.sum())
    mean = (view.n @ view.raw_means) / rows
    total = view.scatter(mean[None], view.n.sum()[None])
    unit = float(total.diagonal().double().mean()) or 1.0
    total /= unit
    offset = (view.raw_means - mean) / view.unit**0.5  # (k, p)
    target = (view.n[:, None] * offset / unit).T.to(total.dtype)
    spread = rows - float(view.n.square().sum()) / rows
    rounding = torch.finfo(total.dtype).eps ** 0.5

    def attempt(value: float) -> tuple[float, tuple[Tensor, Tensor]] | None:
        factor = _factor(total, value)
        if factor is None:
            return None
        weight = torch.cholesky_solve(target, factor)
        exact = weight.double()
        explained = float((exact * target).sum()) + value * float(exact.square().sum())
        freedom = rows - 1 - len(total) + value * _trace_inverse(factor)
        left = spread - explained * unit
        resolved = left > rounding * spread and freedom > 0
        return rows * left / freedom**2 if resolved else math.inf, (weight, factor)

    value, (weight, factor) = _choose(attempt, penalty, view)
    middle = ((mean - view.centre) / view.unit**0.5).to(weight.dtype)
    bias = (view.n / rows).to(weight.dtype) - middle @ weight
    x = view.means[view.held.y] + view.deviations
    half = torch.linalg.solve_triangular(factor, (x - middle).T, upper=False)
    leverage = 1 / rows + half.square().sum(0) / unit
    one_hot = torch.nn.functional.one_hot(view.held.y, len(view.n)).to(weight.dtype)
    scores = one_hot - (one_hot - x @ weight - bias) / (1 - leverage).clamp(min=rounding)[:, None]
    return view.solution(weight, bias, value, scores)


class _View:
    """The sums of classes that have rows, about a common centre, in units where a feature's mean variance is 1."""

    def __init__(self, stats: FeatureStatistics):
        counts, kept = stats.counts, stats.kept
        if not bool((counts > 0).any()):
            raise DataError("Expected rows of at least one class, got none; learn something first.")
        self.stats, self.total = stats, len(counts)
        self.present = counts.nonzero()[:, 0]
        self.n = counts[self.present].double()
        self.freedom = max(1.0, float(self.n.sum()) - len(self.n))
        self.dtype = torch.float64 if stats.width <= _DOUBLE_WIDTH else torch.float32
        self.raw_means = stats.sums[self.present].double() / self.n[:, None]
        self.centre, self.unit = self.raw_means.mean(0), self._unit()
        self.means = ((self.raw_means - self.centre) / self.unit**0.5).to(self.dtype)
        y = torch.searchsorted(self.present, kept.y)
        place = torch.arange(len(y), device=y.device) - torch.searchsorted(y, y)
        judged = (place < max(2, _JUDGED_ROWS // len(self.n))) & (self.n[y] > 1)
        y, place = y[judged], place[judged]
        self.deviations = ((kept.rows[judged].double() - self.raw_means[y]) / self.unit**0.5).to(
            self.dtype
        )
        self.held = Held(y, place, self.n.to(self.dtype), self.freedom)

    def _unit(self) -> float:
        """The mean variance of a feature within its class; where there is none, among all rows, and 1 without that."""
        squares = sum(float(strip.diagonal().double().sum()) for _, strip in self.stats.strips())
        within = squares - float((self.raw_means.square().sum(1) * self.n).sum())
        if within > 1e-9 * squares:
            return within / self.freedom / self.stats.width
        rows = self.n.sum()
        among = squares - float(((self.n @ self.raw_means).square().sum() / rows))
        return among / float(rows) / self.stats.width if among > 1e-9 * squares else 1.0

    def scatter(self, means: Tensor, n: Tensor) -> Tensor:
        """(p, p): the Gram matrix less the sum of n m m', in this view's units.  means: (k, p) float64, raw."""
        p = self.stats.width
        out = torch.empty(p, p, dtype=self.dtype, device=means.device)
        weighted = means * n[:, None]
        for i, strip in self.stats.strips():
            j = i + len(strip)
            part = (strip.double() - weighted[:, i:j].T @ means[:, i:]) / self.unit
            out[i:j, i:] = part
            out[i:, i:j] = part.T
        return out

    def solution(
        self,
        weight: Tensor,
        bias: Tensor,
        penalty: float,
        scores: Tensor,
        importance: Tensor | None = None,
    ) -> Solution:
        """Back to raw units and all columns.  scores: (m, k) of held rows, left out."""
        plain = weight.double() / self.unit**0.5
        full = torch.zeros(len(weight), self.total, device=weight.device)
        full[:, self.present] = plain.float()
        biases = torch.full((self.total,), -math.inf, device=weight.device)
        biases[self.present] = (bias.double() - self.centre @ plain).float()
        accuracy = torch.full((self.total,), math.nan, device=weight.device)
        if len(scores) == 0:
            return Solution(full, biases, penalty, 1.0, Judged(accuracy, math.nan, math.nan, 0))
        even = torch.ones_like(self.n)
        temperature, _, recall, nll = judge(
            scores, self.held, even if importance is None else importance
        )
        accuracy[self.present] = recall.float()
        judged = Judged(accuracy, float(recall.nanmean()), nll, len(scores))
        return Solution(full, biases, penalty, temperature, judged)


def _factor(matrix: Tensor, penalty: float) -> Tensor | None:
    """The lower Cholesky factor of matrix + penalty; None where rounding leaves it without one."""
    ridged = matrix.clone()
    ridged.diagonal().add_(penalty)
    factor, wrong = torch.linalg.cholesky_ex(ridged)
    return None if bool(wrong) else factor


def _trace_inverse(factor: Tensor, block: int = 640) -> float:
    """tr((L L')^-1), without the inverse: the squares of L^-1, a few columns at a time."""
    total = 0.0
    for i in range(0, len(factor), block):
        rest = factor[i:, i:]
        unit = torch.eye(len(rest), min(block, len(rest)), dtype=factor.dtype, device=factor.device)
        total += float(
            torch.linalg.solve_triangular(rest, unit, upper=False).double().square().sum()
        )
    return total


def _choose(
    attempt: Callable[[float], tuple[float, Found] | None], penalty: float | None, view: _View
) -> tuple[float, Found]:
    """A penalty and what was found with it: the one asked for, or that of least loss on the grid.

    attempt: penalty -> (loss, found), None where rounding forbids it; a penalty asked for is then
    raised until it can be computed. Losses are NaN where no row can be judged: the start is kept.
    """
    best: tuple[float, float, Found] | None = None
    losses: dict[float, float] = {}

    def loss(value: float) -> float:
        nonlocal best
        if value not in losses:
            found = attempt(value)
            losses[value] = math.inf if found is None else found[0]
            if found is not None and (best is None or found[0] < best[0]):
                best = losses[value], value, found[1]
        return losses[value]

    if penalty is None:
        _search(loss, GRID[_START if view.freedom < view.stats.width else 0 :], view.stats.width)
    for i in range(12):
        if penalty is not None and best is None:
            loss(penalty * 10**i)
    if best is None:
        raise DataError(
            "Expected sums of rows, got sums that no rows can have; "
            "were rows subtracted that had not been learnt?"
        )
    return best[1:]


def _search(loss: Callable[[float], float], grid: Sequence[float], width: int) -> None:
    """Try the whole grid where that is cheap; else go by twos while it helps, then one step."""
    if width <= _WHOLE_WIDTH:
        for value in sorted(grid, key=lambda v: (v != GRID[_START], v)):
            loss(value)
        return

    def at(i: int) -> float:
        return loss(grid[i]) if 0 <= i < len(grid) else math.inf

    best = grid.index(GRID[_START])
    for step in (-2, 2):
        while at(best + step) < at(best):
            best += step
    at(best - 1 if at(best - 2) < at(best + 2) else best + 1)
