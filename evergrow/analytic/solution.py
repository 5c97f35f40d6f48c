"""Weights of a linear classifier read off feature statistics: nearest mean, LDA, ridge."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from ..errors import DataError, SettingError
from .feature_statistics import FeatureStatistics
from .leave_one_out import (
    Held,
    Judged,
    Products,
    judge,
    lda_linear,
    lda_scores,
    noise,
    pooled_noise,
)
from .penalty import Attempt, Found, at_least, choose
from .readout import fits, mixing

PRIORS, RULES = ("equal", "counts"), ("auto", "gaussian", "regression")
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
    judged: Judged

    def scores(self, q: Tensor) -> Tensor:
        """(n, k) float32.  q: (n, width) int8."""
        return q.float() @ self.weight + self.bias


def in_blocks(q: Tensor, scores: Callable[[Tensor], Tensor], rows: int = 32) -> Tensor:
    """Scores of integer rows (n, width), computed 32 at a time: a row's the same in any batch."""
    parts = []
    for block in q.split(rows):
        full = torch.nn.functional.pad(block, (0, 0, 0, rows - len(block)))
        parts.append(scores(full)[: len(block)])
    return torch.cat(parts)


def ncm(stats: FeatureStatistics) -> Solution:
    """The nearest class mean, as linear scores; no penalty.

    Source: Mensink, Verbeek, Perronnin and Csurka 2013, Distance-based image classification,
    eq. 2 with W = I.

    >>> stats = FeatureStatistics(width=1)
    >>> stats.grow(2)
    >>> rows = torch.tensor([[1], [3], [9], [11]], dtype=torch.int8)
    >>> stats.add(rows, torch.tensor([0, 0, 1, 1]))
    >>> ncm(stats).scores(torch.tensor([[5], [7]], dtype=torch.int8)).argmax(1).tolist()
    [0, 1]
    """
    view = _View(stats)
    m, d = view.means, view.deviations
    blocks = view.held.blocks(d)
    products = Products(m @ m.T, d @ m.T, blocks @ blocks.mT)
    scores = lda_scores(products, replace(view.held, freedom=math.inf), None, 0.0)
    return view.solution(m.T, -0.5 * m.square().sum(1), 0.0, scores, torch.ones_like(view.n))


def lda(
    stats: FeatureStatistics,
    penalty: float | None = None,
    prior: str = "equal",
    correct: bool = True,
    rule: str = "auto",
) -> Solution:
    """Linear discriminant analysis with one ridged covariance S of deviations from class means.

    With R = (S + penalty)^-1, class k scores m'R x - m'R m / 2, m the mean of n noisy rows, so that
    m'R m is too large by noise / n, noise = E[d'R d] of a fresh deviation d. That is
    taken off (`correct`), estimated from each class's own kept rows, every one left out of S, and
    a little from everybody's. prior: "equal", or "counts" to favour frequent classes. penalty: None
    chooses it by the Brier score of kept rows left out one by one; classes count alike (with prior
    "counts", by their rows).
    rule: "gaussian", as above; "regression" mixes the same discriminants by least squares
    (`readout.mixing`), where there are three classes or more, each of five rows or more, and the
    prior is equal; "auto": the one whose Brier score is less, penalty by penalty.
    Source: Fisher 1936; Friedman 1989, Regularized discriminant analysis, eq. 18 with lambda = 1.
    The correction and the choices are ours. Raises DataError without rows.

    >>> stats = FeatureStatistics(width=2)
    >>> stats.grow(2)
    >>> rows = torch.tensor([[9, 1], [7, -1], [-9, 1], [-7, -1]], dtype=torch.int8)
    >>> stats.add(rows, torch.tensor([0, 0, 1, 1]))
    >>> lda(stats, penalty=0.1).scores(rows).argmax(1).tolist()
    [0, 0, 1, 1]
    """
    if prior not in PRIORS:
        raise SettingError(f"prior={prior!r}: 'equal' or 'counts'.")
    if rule not in RULES:
        raise SettingError(f"rule={rule!r}: one of {', '.join(RULES)}.")
    view = _View(stats)
    within = view.scatter(view.raw_means, view.n) / view.freedom
    importance = view.n if prior == "counts" else torch.ones_like(view.n)
    log_prior = (view.n / view.n.sum() if prior == "counts" else importance).log().to(view.dtype)
    mixed = rule != "gaussian" and prior == "equal" and fits(view.held)

    def judged(found: _Linear) -> Tensor:
        scores = found.scores
        return judge(scores, view.held, importance).brier if len(scores) else scores[:, 0]

    def attempt(value: float) -> tuple[Tensor, _Linear] | None:
        factor = _factor(within, value)
        if factor is None:
            return None
        found = _Discriminants(view, factor, value, correct)
        rules = [] if mixed and rule == "regression" else [found.gaussian(log_prior)]
        rules += [found.regression()] if mixed else []
        tried = [(judged(linear), linear) for linear in rules]
        return min(tried, key=lambda pair: float(pair[0].sum()))

    value, (weight, bias, scores) = _penalised(attempt, penalty, view)
    return view.solution(weight, bias, value, scores, importance)


class _Linear(NamedTuple):
    """A linear rule.  weight: (p, k).  bias: (k,).  scores: (m, k) of held rows, left out."""

    weight: Tensor
    bias: Tensor
    scores: Tensor


class _Discriminants:
    """What a factor L L' = S + penalty gives, R its inverse: rules by two readings of it."""

    def __init__(self, view: "_View", factor: Tensor, penalty: float, correct: bool):
        k, held = len(view.n), view.held
        both = torch.cat([view.means, view.deviations])
        half = torch.linalg.solve_triangular(factor, both.T, upper=False)  # a'R b is their product
        m, d = half[:, :k], half[:, k:]
        blocks = held.blocks(d.T)
        self.held, self.products = held, Products(m.T @ m, d.T @ m, blocks @ blocks.mT)
        self.pooled, self.noises = 0.0, None
        if correct:
            found = pooled_noise(self.products, held)
            freedom = held.freedom
            self.pooled = _noise_from_sums(factor, penalty, freedom) if found is None else found
            self.noises = noise(self.products, held, self.pooled)
        self.weight = torch.linalg.solve_triangular(factor.T, m, upper=True)

    def gaussian(self, log_prior: Tensor) -> _Linear:
        """The class whose corrected mean is nearest, by its prior."""
        scores = lda_scores(self.products, self.held, self.noises, self.pooled)
        square = self.products.means.diagonal()
        square = square if self.noises is None else square - self.noises / self.held.n
        return _Linear(self.weight, log_prior - 0.5 * square, scores + log_prior)

    def regression(self) -> _Linear:
        """The largest fitted value of a regression of one-hot targets; s and M are of all rows."""
        linear, n = lda_linear(self.products, self.held), self.held.n
        added = torch.zeros_like(n) if self.noises is None else self.noises / n
        mixed = mixing(self.products.means, added, linear, self.held)
        return _Linear(self.weight @ mixed, torch.zeros_like(n), linear @ mixed)


def _noise_from_sums(factor: Tensor, penalty: float, freedom: float) -> float:
    """E[d'R d] of a fresh deviation with no row at hand: tr(R S), and what S owes to its own rows.

    Each row's d'R d grows by 1 / (1 - d'R d / freedom) when it is left out of S.
    """
    inside = len(factor) - penalty * _trace_inverse(factor)
    return inside / max(1 - inside / freedom, 1e-3)


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
    view = _View(stats)
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
        factor = _factor(total, value)
        if factor is None:
            return None
        weight = torch.cholesky_solve(target, factor)
        exact = weight.double()
        explained = float((exact * target).sum()) + value * float(exact.square().sum())
        left = spread - unit * explained
        free = rows - intercept - len(total) + value * _trace_inverse(factor)
        resolved = left > view.rounding * spread and free > 0
        loss = rows * left / free**2 if resolved else math.inf
        return torch.tensor([loss], dtype=torch.float64), weight

    value, weight = _penalised(attempt, penalty, view)
    middle = ((mean - view.centre) / view.unit**0.5).to(view.dtype)
    bias = share.to(view.dtype) - middle @ weight
    scores = torch.zeros(0, len(view.n), dtype=view.dtype)
    factor = _factor(total, value) if len(view.held.y) else None
    if factor is not None:
        x = view.means[view.held.y] + view.deviations
        half = torch.linalg.solve_triangular(factor, (x - middle).T, upper=False)
        rest = 1 - intercept / rows - half.square().sum(0) / unit
        one_hot = torch.nn.functional.one_hot(view.held.y, len(view.n)).to(view.dtype)
        wrong = one_hot - x @ weight - bias
        scores = one_hot - wrong / rest.clamp(min=view.rounding)[:, None]
    return view.solution(weight, bias, value, scores, torch.ones_like(view.n))


class _View:
    """Classes that have rows, about a common centre, in units where a feature's variance is 1.

    n, raw_means: (k,), (k, p) float64. means: (k, p), deviations: (m, p) of held rows, in `dtype`.
    """

    def __init__(self, stats: FeatureStatistics):
        counts, kept = stats.counts, stats.kept
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
        y = torch.searchsorted(self.present, kept.y)
        place = torch.arange(len(y), device=y.device) - torch.searchsorted(y, y)
        judged = (place < max(2, _JUDGED_ROWS // len(self.n))) & (self.n[y] > 1)
        y, place = y[judged], place[judged]
        deviations = kept.rows[judged].double() - self.raw_means[y]
        self.deviations = (deviations / root).to(self.dtype)
        self.held = Held(y, place, self.n.to(self.dtype), self.freedom)

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
            nothing = Judged(accuracy, math.nan, math.nan, 0)
            return Solution(full, biases, penalty, 1.0, nothing)
        found = judge(scores, self.held, importance)
        accuracy[self.present] = found.recall.float()
        everywhere = torch.full((len(scores), self.total), -math.inf, device=weight.device)
        everywhere[:, self.present] = scores.float()
        macro, y = float(found.recall.nanmean()), self.present[self.held.y]
        judged = Judged(accuracy, macro, found.nll, len(scores), everywhere, y)
        return Solution(full, biases, penalty, found.temperature, judged)


def _penalised(attempt: Attempt[Found], penalty: float | None, view: _View) -> tuple[float, Found]:
    """The penalty asked for, or one chosen."""
    if penalty is not None:
        return at_least(attempt, penalty)
    return choose(attempt, view.stats.width, scarce=view.freedom < view.stats.width)


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
        unit = torch.eye(len(rest), min(block, len(rest)), dtype=rest.dtype, device=rest.device)
        part = torch.linalg.solve_triangular(rest, unit, upper=False)
        total += float(part.double().square().sum())
    return total
