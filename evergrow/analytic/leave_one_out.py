"""Kept rows judged as if they had not been learnt: left-out scores, and the noise of means."""

from dataclasses import dataclass

import torch
from torch import Tensor

_PRIOR_ROWS = 2.0  # how many kept rows the pooled noise counts for in the noise of one class


@dataclass(frozen=True)
class LeaveOneOut:
    """Leave-one-out figures of kept rows.

    accuracy: (k,) recall of each class in [0, 1], NaN where no row could be judged (a class of one
    row goes with it). macro: mean recall. nll: mean negative log-likelihood in nats, at the
    solution's temperature. Both are NaN without rows. scores: (rows, k) left out, y: (rows,) their
    columns; None where only the figures were stored.
    """

    accuracy: Tensor
    macro: float
    nll: float
    rows: int
    scores: Tensor | None = None
    y: Tensor | None = None


@dataclass(frozen=True)
class JudgedRows:
    """Which kept rows are judged.  y: (m,) class, sorted; place: (m,) position within its class.

    n: (k,) float, rows learnt of each class. freedom: all rows less one a class, or inf where
    the metric does not come from the rows.
    """

    y: Tensor
    place: Tensor
    n: Tensor
    freedom: float

    @property
    def most(self) -> int:
        return int(self.place.max()) + 1 if len(self.place) else 0

    def blocks(self, flat: Tensor) -> Tensor:
        """(m, ...) by row -> (k, most, ...) by class, 0 where a class has fewer."""
        out = flat.new_zeros(len(self.n), self.most, *flat.shape[1:])
        out[self.y, self.place] = flat
        return out


@dataclass(frozen=True)
class Products:
    """Inner products in the metric R, d being what held rows deviate from their class means.

    means: (k, k) m'R m.  crosses: (m, k) d'R m.  deviations: (k, r, r) d'R d within a class.
    """

    means: Tensor
    crosses: Tensor
    deviations: Tensor


def pooled_noise(products: Products, held: JudgedRows) -> float | None:
    """E[d'R d] of a fresh deviation, each held row left out of R in turn; None without rows."""
    own, real = _noises(products, held)
    return float(own[real].mean()) if bool(real.any()) else None


def noise(products: Products, held: JudgedRows, pooled: float) -> Tensor:
    """(k,) the same for each class: its own rows', and a few rows' worth of `pooled`."""
    own, real = _noises(products, held)
    return ((own * real).sum(1) + _PRIOR_ROWS * pooled) / (real.sum(1) + _PRIOR_ROWS)


def _noises(products: Products, held: JudgedRows) -> tuple[Tensor, Tensor]:
    squares = products.deviations.diagonal(dim1=1, dim2=2)  # (k, r)
    real = held.blocks(torch.ones_like(held.y)).bool()
    return left_out_square(squares, held.n[:, None], held.freedom), real


def left_out_square(square: Tensor, n: Tensor, freedom: float) -> Tensor:
    """d'R d once its row is left out of mean and R, less what the noise of that mean adds."""
    n = n.clamp(min=2)
    return _shrunk(freedom) * n / (n - 1) * square / _rest(square * n / (n - 1) / freedom)


def _shrunk(freedom: float) -> float:
    """By what a covariance changes its divisor if one row less is learnt."""
    return 1 - 1 / freedom if freedom > 1 else 1.0


def _rest(leverage: Tensor) -> Tensor:
    """1 - leverage: positive by algebra, kept so under rounding."""
    return (1 - leverage).clamp(min=torch.finfo(leverage.dtype).eps ** 0.5)


@dataclass(frozen=True)
class _Left:
    """What leaving a held row x out of its class c changes, d = x - m_c; all (m,), or one number.

    own: d'R m_c.  squares: d'R d.  gain: of the rank-one term of R (Sherman and Morrison 1950).
    shift: by how much of d the mean moves.  scale: of R, whose divisor loses one row.
    """

    own: Tensor
    squares: Tensor
    gain: Tensor
    shift: Tensor
    scale: float

    @staticmethod
    def out_of(products: Products, held: JudgedRows) -> "_Left":
        i, n, freedom = torch.arange(len(held.y)), held.n[held.y], held.freedom
        squares = products.deviations.diagonal(dim1=1, dim2=2)[held.y, held.place]
        gain = n / (n - 1) / freedom / _rest(n / (n - 1) / freedom * squares)
        own = products.crosses[i, held.y]
        return _Left(own, squares, gain, 1 / (n - 1), _shrunk(freedom))

    @property
    def moved(self) -> Tensor:
        """d'R m_c where x is left out of m_c."""
        return self.own - self.shift * self.squares


def lda_linear(products: Products, held: JudgedRows) -> Tensor:
    """(m, k) x'R m_k of held rows x, each left out of R and of its class's mean.

    Leaving x out of class c takes n / (n - 1) d d' off the scatter, so R gains a rank-one term.
    What is added to the scatter's diagonal stays.
    """
    out, i, y = _Left.out_of(products, held), torch.arange(len(held.y)), held.y
    between, reach = products.means, out.own + out.squares  # x'R d
    linear = between[y] + products.crosses * (1 + out.gain * reach)[:, None]
    inside = out.own - out.shift * reach + out.gain * out.moved * reach
    linear[i, y] = between[y, y] + inside
    return out.scale * linear


def lda_scores(
    products: Products, held: JudgedRows, noises: Tensor | None, pooled: float
) -> Tensor:
    """(m, k) scores of held rows, each left out of R and of its class's mean, count and noise.

    `pooled` and the `noises` of other classes stay.  noises: (k,), or None: no correction.
    """
    out, i, y, n = _Left.out_of(products, held), torch.arange(len(held.y)), held.y, held.n[held.y]
    between, shift, squares = products.means, out.shift, out.squares
    quadratic = between.diagonal() + out.gain[:, None] * products.crosses.square()
    inside = shift**2 * squares - 2 * shift * out.own + out.gain * out.moved.square()
    quadratic[i, y] = between[y, y] + inside
    scores = lda_linear(products, held) - 0.5 * out.scale * quadratic
    if noises is not None:
        scores += 0.5 * noises / held.n
        without = _noise_without_each(products, held, pooled)[y, held.place]
        scores[i, y] += 0.5 * (without / (n - 1) - noises[y] / n)
    return scores


def _noise_without_each(products: Products, held: JudgedRows, pooled: float) -> Tensor:
    """(k, r) the noise of each class if one of its rows had never been learnt."""
    inner = products.deviations  # (k, i, j): row i is left out
    n = held.n[:, None, None].clamp(min=2)
    squares = inner.diagonal(dim1=1, dim2=2)
    first, second = squares[:, :, None], squares[:, None, :]
    shift = 1 / (n - 1)
    gain = n / (n - 1) / held.freedom / _rest(n / (n - 1) / held.freedom * first)
    across = inner + shift * first
    scatter = second + 2 * shift * inner + shift**2 * first + gain * across.square()
    fresh = left_out_square(_shrunk(held.freedom) * scatter, n - 1, max(held.freedom - 1, 1.0))
    real = held.blocks(torch.ones_like(held.y)).bool()
    others = real[:, None, :] & ~torch.eye(held.most, dtype=torch.bool, device=inner.device)
    others = others & (n > 2)
    return ((fresh * others).sum(2) + _PRIOR_ROWS * pooled) / (others.sum(2) + _PRIOR_ROWS)


@dataclass(frozen=True)
class Verdict:
    """What left-out scores are worth.  recall: (k,), NaN for classes without rows; nll in nats.

    brier: (m,) each row's part of the Brier score (Brier 1950), the least over temperatures about
    the best one. It is bounded: a few wild scores of a rare class, which rule the likelihood, do
    not drown the rest.
    """

    temperature: float
    recall: Tensor
    nll: float
    brier: Tensor


def judge(scores: Tensor, held: JudgedRows, importance: Tensor) -> Verdict:
    """Judge (m, k) left-out scores, m > 0.  importance: (k,) how much each class counts."""
    y, m = held.y, len(held.y)
    rows = torch.bincount(y, minlength=len(held.n))
    share = (importance / rows.clamp(min=1))[y]
    share = (share / share.sum()).to(scores.dtype)
    scores = scores - scores.max(1, keepdim=True).values
    temperature = _temperature(scores, y, share)
    nll = -float(share @ (scores / temperature).log_softmax(1)[torch.arange(m), y])
    one_hot = torch.nn.functional.one_hot(y, len(held.n)).to(scores.dtype)
    tried = [(scores / temperature / factor).softmax(1) for factor in (0.125, 0.25, 0.5, 1.0, 2.0)]
    losses = [share * (p - one_hot).square().sum(1) for p in tried]
    right = torch.bincount(y, (scores.argmax(1) == y).double(), minlength=len(rows))
    return Verdict(temperature, right / rows, nll, min(losses, key=lambda part: float(part.sum())))


def _temperature(scores: Tensor, y: Tensor, share: Tensor) -> float:
    """Where the likelihood is largest, to a part in a thousand; it is concave in 1 / temperature.

    No lower than where m rows' mean confidence is 1 - 1 / (m + 2), all that m rows can vouch for
    (Laplace's rule of succession).
    """
    if not bool((scores != 0).any()):
        return 1.0
    wanted = float(share @ scores[torch.arange(len(y)), y])
    low, high = -10.0, 22.0
    for _ in range(15):
        middle = (low + high) / 2
        p = (scores / 2**middle).softmax(1)
        sure = float(share @ p.max(1).values) > 1 - 1 / (len(y) + 2)
        too_warm = not sure and float(share @ (p * scores).sum(1)) < wanted
        low, high = (low, middle) if too_warm else (middle, high)
    return float(2 ** ((low + high) / 2))
