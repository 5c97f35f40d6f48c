"""Nearest class means and linear discriminant analysis, from feature statistics."""

import math
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from ..errors import SettingError
from .feature_statistics import FeatureStatistics
from .leave_one_out import (
    Products,
    judge,
    lda_linear,
    lda_scores,
    noise,
    pooled_noise,
)
from .regression_rule import fits, mixing
from .solution import ClassView, Solution, cholesky_factor, penalised, trace_of_inverse

PRIORS, RULES = ("equal", "counts"), ("auto", "gaussian", "regression")


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
    view = ClassView(stats)
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
    (`regression_rule.mixing`), where there are three classes or more, each of five rows or more,
    and the prior is equal; "auto": the one whose Brier score is less, penalty by penalty.
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
    view = ClassView(stats)
    within = view.scatter(view.raw_means, view.n) / view.freedom
    importance = view.n if prior == "counts" else torch.ones_like(view.n)
    log_prior = (view.n / view.n.sum() if prior == "counts" else importance).log().to(view.dtype)
    mixed = rule != "gaussian" and prior == "equal" and fits(view.held)

    def judged(rule_scores: _Linear) -> Tensor:
        scores = rule_scores.scores
        return judge(scores, view.held, importance).brier if len(scores) else scores[:, 0]

    def attempt(value: float) -> tuple[Tensor, _Linear] | None:
        factor = cholesky_factor(within, value)
        if factor is None:
            return None
        discriminants = _Discriminants(view, factor, value, correct)
        rules = [] if mixed and rule == "regression" else [discriminants.gaussian(log_prior)]
        rules += [discriminants.regression()] if mixed else []
        tried = [(judged(linear), linear) for linear in rules]
        return min(tried, key=lambda pair: float(pair[0].sum()))

    value, (weight, bias, scores) = penalised(attempt, penalty, view)
    return view.solution(weight, bias, value, scores, importance)


class _Linear(NamedTuple):
    """A linear rule.  weight: (p, k).  bias: (k,).  scores: (m, k) of held rows, left out."""

    weight: Tensor
    bias: Tensor
    scores: Tensor


class _Discriminants:
    """What a factor L L' = S + penalty gives, R its inverse: rules by two readings of it."""

    def __init__(self, view: "ClassView", factor: Tensor, penalty: float, correct: bool):
        k, held = len(view.n), view.held
        both = torch.cat([view.means, view.deviations])
        half = torch.linalg.solve_triangular(factor, both.T, upper=False)  # a'R b is their product
        m, d = half[:, :k], half[:, k:]
        blocks = held.blocks(d.T)
        self.held, self.products = held, Products(m.T @ m, d.T @ m, blocks @ blocks.mT)
        self.pooled, self.noises = 0.0, None
        if correct:
            from_rows = pooled_noise(self.products, held)
            freedom = held.freedom
            self.pooled = (
                _noise_from_sums(factor, penalty, freedom) if from_rows is None else from_rows
            )
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
    inside = len(factor) - penalty * trace_of_inverse(factor)
    return inside / max(1 - inside / freedom, 1e-3)
