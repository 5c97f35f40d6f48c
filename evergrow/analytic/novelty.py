"""Is a row one of these classes? Mahalanobis metrics of a few classes, terms made comparable."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .leave_one_out import left_out_square
from .mahalanobis import inverse_factor

_DOUBLE_WIDTH = 1_024  # up to so many features a covariance is factored in float64
_FEWEST = 1e-6  # squares below this count as this


@dataclass(frozen=True)
class Metric:
    """Squared distances |F x - centre|^2.  factor: F, (width, width); centres: (k, width)."""

    factor: Tensor
    centres: Tensor

    @classmethod
    def of(cls, means: Tensor, covariance: Tensor, penalty: float) -> "Metric":
        """F'F = (covariance + penalty * its mean diagonal)^-1; means (k, width) float64.

        Without any spread, as with one row a class, that of the means themselves is taken.

        >>> Metric.of(torch.tensor([[4.0]]), torch.tensor([[2.0]]), 1.0).factor
        tensor([[0.5000]])
        """
        unit = torch.eye(len(covariance), dtype=covariance.dtype)
        size = covariance.diagonal().mean()
        if not size > 1e-9:
            size = means.square().mean().clamp(min=_FEWEST)
            covariance = size * unit
        whole = covariance + penalty * size * unit
        factor = inverse_factor(whole if len(whole) <= _DOUBLE_WIDTH else whole.float())
        return cls(factor.float(), (means.to(factor) @ factor.T).float())

    def squares(self, rows: Tensor) -> Tensor:
        """(n, k) squared distances of rows (n, width) to each centre."""
        moved = rows.float() @ self.factor.T
        return torch.stack([(moved - centre).square().sum(1) for centre in self.centres], 1)


def terms(near: Tensor, alike: Tensor, logits: Tensor) -> Tensor:
    """(n, 3): logarithms of the smallest of two kinds of squares (n, k), log-sum-exp of logits.

    >>> terms(torch.ones(1, 2), torch.ones(1, 2), torch.zeros(1, 1)).tolist()
    [[0.0, 0.0, 0.0]]
    """
    both = [squares.amin(1).clamp(min=_FEWEST).log() for squares in (near, alike)]
    return torch.stack([*both, logits.logsumexp(1)], 1)


def standards(known: Tensor, widths: list[int]) -> Tensor:
    """(2, 3) mean and deviation of each term on rows that are known: (m, 3).

    Fewer than two: what rows of as many dimensions would give about (log widths, deviation 1).

    >>> standards(torch.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 5.0]]), [1, 1])
    tensor([[2.0000, 2.0000, 4.0000],
            [1.0000, 0.0100, 1.0000]])
    """
    if len(known) < 2:
        guess = torch.tensor([float(w) for w in widths]).log().tolist()
        energy = float(known[:, 2].mean()) if len(known) else 0.0
        return torch.tensor([[*guess, energy], [1.0, 1.0, 1.0]])
    return torch.stack([known.mean(0), known.std(0, correction=0).clamp(min=0.01)])


def left_out(squares: Tensor, own: Tensor, n: Tensor, freedom: int) -> Tensor:
    """Squares (m, k) with each row left out of its own class `own` (m,), of `n` (m,) rows."""
    at = own[:, None]
    mine = left_out_square(squares.gather(1, at)[:, 0], n.to(squares), float(freedom))
    return squares.scatter(1, at, mine[:, None])


def share_of_known(known: Tensor, mixed: Tensor, delta: float = 0.1, gamma: float = 0.01) -> float:
    """The share of rows of the known kind among mixed ones, in [0, 1], from scores high for it.

    known: (m,) scores of rows of that kind.  mixed: (n,) scores.  At the threshold where
    the bound on the ratio of the two shares above it is lowest, that ratio is the answer.
    Source: best bin estimation, Garg et al. 2021, arXiv:2111.00980, algorithm 1: confidence delta,
    slack gamma.

    >>> round(share_of_known(torch.ones(400), torch.tensor([1.0, 0.0, 0.0, 0.0]).repeat(100)), 2)
    0.25
    """
    at = torch.cat([known, mixed]).unique()
    above = [1 - torch.searchsorted(s.sort().values, at).double() / len(s) for s in (known, mixed)]
    room = [(torch.tensor(4 / delta).log() / (2 * len(s))).sqrt() for s in (known, mixed)]
    some = above[0] > 0
    q, u = above[0][some], above[1][some]
    best = ((u + room[1] + (1 + gamma) * room[0]) / q).argmin()
    return float((u[best] / q[best]).clamp(0, 1))
