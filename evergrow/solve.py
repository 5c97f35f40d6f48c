"""Weights of a linear classifier, read off feature statistics: nearest class mean, LDA, ridge regression."""

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn.functional import nll_loss

from evergrow.statistics import FeatureStatistics

GRID = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)  # penalties, in units of tr(S) / features
_JUDGED_ROWS = 8_192  # kept rows judged at most, over all classes


@dataclass(frozen=True)
class Judged:
    """Leave-one-out figures of kept rows.  accuracy: (k,) recall of each class, NaN where no row could be judged."""

    accuracy: Tensor
    macro: float
    nll: float
    rows: int


@dataclass(frozen=True)
class Solution:
    """A linear classifier of integer rows q: scores = q.float() @ weight + bias; softmax(scores / temperature).

    weight: (width, k); bias: (k,), -inf for a class without rows; penalty in units of the mean variance.
    """

    weight: Tensor
    bias: Tensor
    penalty: float
    temperature: float
    judged: Judged

    def scores(self, q: Tensor) -> Tensor:
        """(n, k) float32.  q: (n, width) int8."""
        return q.float() @ self.weight + self.bias


@dataclass
class _Problem:
    """Present classes alone, in units where the mean feature has variance 1 within its class, about a common centre."""

    counts: Tensor  # (k,) float64
    means: Tensor  # (k, p)
    rows: Tensor  # (m, p)
    y: Tensor  # (m,)
    present: Tensor  # (k,) columns
    total: int  # columns in all
    centre: Tensor  # (p,) float64, raw units
    unit: float
    freedom: float


def _problem(stats: FeatureStatistics, unit: float) -> _Problem:
    counts = stats.counts
    present = counts.nonzero()[:, 0]
    n = counts[present].double()
    means = stats.sums[present].double() / n[:, None]
    centre = means.mean(0)
    dtype = _dtype(stats.width)
    rows, y = stats.kept.rows, torch.searchsorted(present, stats.kept.y)
    place = torch.arange(len(y), device=y.device) - torch.searchsorted(y, y)
    chosen = (place < max(2, _JUDGED_ROWS // max(1, len(present)))) & (n[y] > 1)
    rows, y = rows[chosen], y[chosen]
    root = unit**0.5
    return _Problem(
        n,
        ((means - centre) / root).to(dtype),
        ((rows.to(torch.float64) - centre) / root).to(dtype),
        y,
        present,
        len(counts),
        centre,
        unit,
        max(1.0, float(n.sum()) - len(n)),
    )


def _dtype(width: int) -> torch.dtype:
    return torch.float64 if width <= 1024 else torch.float32


def _unit(stats: FeatureStatistics) -> float:
    """The mean variance of a feature within its class; of everything where that is 0; 1 where that is 0 too."""
    n = stats.counts.double().clamp(min=1)
    sums = stats.sums.double()
    total = sum(float(strip.diagonal().double().sum()) for _, strip in stats.strips())
    within = total - float((sums.square() / n[:, None]).sum())
    freedom = float(stats.counts.sum() - (stats.counts > 0).sum())
    if within > 1e-9 * total and freedom > 0:
        return within / freedom / stats.width
    rows = float(stats.counts.sum())
    spread = total - float((sums.sum(0).square() / max(1.0, rows)).sum())
    return spread / rows / stats.width if spread > 1e-9 * total else 1.0


def _scatter(stats: FeatureStatistics, means: Tensor, n: Tensor, scale: float) -> Tensor:
    """(p, p): (gram - sum of n m m') / scale, each entry rounded once.  means: (k, p) float64, raw units."""
    out = torch.empty(stats.width, stats.width, dtype=_dtype(stats.width), device=stats.device)
    weighted = means * n[:, None]
    for i, strip in stats.strips():
        part = (strip.double() - weighted[:, i : i + len(strip)].T @ means[:, i:]) / scale
        out[i : i + len(strip), i:] = part
        out[i:, i : i + len(strip)] = part.T
    return out


def ncm(stats: FeatureStatistics) -> Solution:
    """Nearest class mean, as linear scores."""
    problem = _problem(stats, _unit(stats))
    m, x = problem.means, problem.rows
    d = x - m[problem.y]
    own = 1 / (problem.counts[problem.y] - 1).to(m.dtype)
    scores = x @ m.T - 0.5 * m.square().sum(1)
    moved = m[problem.y] - d * own[:, None]
    scores[torch.arange(len(x)), problem.y] = (x * moved).sum(1) - 0.5 * moved.square().sum(1)
    weight, bias = m.T, -0.5 * m.square().sum(1)
    return _solution(problem, weight, bias, torch.inf, *_judge(problem, scores))


def lda(
    stats: FeatureStatistics,
    penalty: float | None = None,
    prior: str = "equal",
    correct: bool = True,
) -> Solution:
    """Linear discriminant analysis whose quadratic terms are corrected for the noise of the means."""
    unit = _unit(stats)
    problem = _problem(stats, unit)
    raw = problem.means.double() * unit**0.5 + problem.centre
    within = _scatter(stats, raw, problem.counts, problem.freedom * unit)
    log_prior = (
        (problem.counts / problem.counts.sum()).log() if prior == "counts" else 0 * problem.counts
    )
    best = None
    for value in (penalty,) if penalty is not None else GRID:
        weight, bias, scores = _lda(problem, within, value, correct)
        temperature, judged = _judge(problem, scores + log_prior.to(scores.dtype))
        if best is None or judged.nll < best[-1].nll:
            best = weight, bias + log_prior.to(bias.dtype), value, temperature, judged
    return _solution(problem, *best)


def _lda(problem: _Problem, within: Tensor, penalty: float, correct: bool):
    m, x, y, n, freedom = (
        problem.means,
        problem.rows,
        problem.y,
        problem.counts.to(problem.means.dtype),
        problem.freedom,
    )
    p = len(within)
    ridged = within.clone()
    ridged.diagonal().add_(penalty)
    factor = torch.linalg.cholesky(ridged)
    del ridged
    solved = torch.cholesky_solve(torch.cat([m, x]).T.contiguous(), factor).T  # (k + m, p)
    weight, rx = solved[: len(m)], solved[len(m) :]
    trace = _trace_inverse(factor)
    noise = p - penalty * trace
    P, C, h = m @ weight.T, x @ weight.T, (x * rx).sum(1)
    bias = -0.5 * (P.diagonal() - correct * noise / n)
    i = torch.arange(len(x))
    g = n[y] / (n[y] - 1) / freedom
    r = rx - weight[y]
    Q = C - P[y]
    xr = h - C[i, y]
    dr = xr - Q[i, y]
    gamma = g / (1 - g * dr).clamp(min=1e-6)
    eps = 1 / (n[y] - 1)
    s = (freedom - 1) / freedom if freedom > 1 else 1.0
    left = noise - penalty * gamma * r.square().sum(1)  # trace without the row
    quad = P.diagonal() + gamma[:, None] * Q.square()
    lin = C + gamma[:, None] * Q * xr[:, None]
    scores = s * (lin - 0.5 * quad) + correct * 0.5 * left[:, None] / n
    mr = Q[i, y] - eps * dr
    lin_own = C[i, y] - eps * xr + gamma * mr * xr
    quad_own = P[y, y] - 2 * eps * Q[i, y] + eps**2 * dr + gamma * mr.square()
    scores[i, y] = s * (lin_own - 0.5 * quad_own) + correct * 0.5 * left / (n[y] - 1)
    return weight.T, bias, scores


def _trace_inverse(factor: Tensor, block: int = 640) -> float:
    """tr((L L')^-1), without the inverse: the squares of L^-1, a few columns at a time."""
    total = 0.0
    for i in range(0, len(factor), block):
        rest = factor[i:, i:]
        unit = torch.eye(len(rest), min(block, len(rest)), dtype=factor.dtype, device=factor.device)
        total += float(torch.linalg.solve_triangular(rest, unit, upper=False).square().sum())
    return total


def _judge(problem: _Problem, scores: Tensor) -> tuple[float, Judged]:
    """The temperature at which leave-one-out scores are best calibrated, and their figures, every class alike."""
    k, y = problem.total, problem.y
    if len(y) == 0:
        return 1.0, Judged(torch.full((k,), torch.nan), torch.nan, torch.nan, 0)
    held = torch.bincount(y, minlength=len(problem.present)).double()
    share = (1 / held[y]) / (held > 0).sum()

    def nll(t: float) -> float:
        return float(
            (nll_loss((scores.double() / t).log_softmax(1), y, reduction="none") * share).sum()
        )

    low, high = -6.0, 12.0
    for _ in range(40):
        a, b = low + (high - low) * 0.382, low + (high - low) * 0.618
        if nll(2**a) <= nll(2**b):
            high = b
        else:
            low = a
    t = 2 ** ((low + high) / 2)
    right = (scores.argmax(1) == y).double()
    recall = torch.bincount(y, right, minlength=len(held)) / held
    accuracy = torch.full((k,), torch.nan, dtype=torch.float64)
    accuracy[problem.present] = recall
    return t, Judged(accuracy.float(), float(recall[held > 0].mean()), nll(t), len(y))


def _solution(
    problem: _Problem,
    weight: Tensor,
    bias: Tensor,
    penalty: float,
    temperature: float,
    judged: Judged,
) -> Solution:
    full = weight.new_zeros(len(weight), problem.total, dtype=torch.float32)
    full[:, problem.present] = (weight.double() / problem.unit**0.5).float()
    offset = torch.full((problem.total,), -torch.inf, device=weight.device)
    moved = bias.double() - problem.centre @ weight.double() / problem.unit**0.5
    offset[problem.present] = moved.float()
    return Solution(full, offset, penalty, temperature, judged)


def ridge(stats: FeatureStatistics, penalty: float | None = None) -> Solution:
    """One-hot ridge regression with an intercept."""
    unit = _unit(stats)
    problem = _problem(stats, unit)
    n = problem.counts
    N = float(n.sum())
    raw = problem.means.double() * unit**0.5 + problem.centre
    mean = (n[:, None] * raw).sum(0) / N
    scatter = _scatter(stats, mean[None], n.sum()[None], unit)
    target = (n[:, None] * (raw - mean) / unit**0.5).T.to(scatter.dtype)  # (p, k)
    spread = N - float(n.square().sum()) / N
    mean_unit = float(scatter.diagonal().double().mean()) or 1.0
    best = None
    for value in (penalty,) if penalty is not None else GRID:
        lam = value * mean_unit
        ridged = scatter.clone()
        ridged.diagonal().add_(lam)
        factor = torch.linalg.cholesky(ridged)
        weight = torch.cholesky_solve(target, factor)
        df = 1 + len(scatter) - lam * _trace_inverse(factor)
        rss = (
            spread
            - float((weight.double() * target).sum())
            - lam * float(weight.double().square().sum())
        )
        gcv = N * max(rss, 0) / max(N - df, 1e-9) ** 2
        if best is None or gcv < best[0]:
            best = gcv, value, weight, factor
    _, value, weight, factor = best
    shift = ((mean - problem.centre) / unit**0.5).to(weight.dtype)
    bias = (n / N).to(weight.dtype) - shift @ weight
    x = problem.rows - shift
    h = 1 / N + torch.linalg.solve_triangular(factor, x.T, upper=False).square().sum(0)
    one_hot = torch.nn.functional.one_hot(problem.y, len(n)).to(weight.dtype)
    scores = one_hot - (one_hot - (problem.rows @ weight + bias)) / (1 - h).clamp(min=1e-6)[:, None]
    return _solution(problem, weight, bias, value, *_judge(problem, scores))
