"""Analytic class-incremental learning: ridge regression on random ReLU features, one pass.

Zhuang et al. 2022, "ACIL: Analytic Class-Incremental Learning with Absolute Memorization and
Privacy Protection", arXiv:2205.14922: a random "buffer" layer with ReLU, then a linear classifier
by recursive least squares, equal to one fit on everything. Where we differ: the recursion is a sum
of integers, so it is equal bit for bit and not up to rounding; the penalty is relative; and the
backbone is taken as it is unless `adapt` trains it on the first task, as the paper does.
"""

from dataclasses import dataclass

from ..analytic import ridge_regression, solution
from ..analytic.random_projection import Projection
from ..errors import SettingError
from .closed_form import ClosedForm


@dataclass(eq=False)
class ACIL(ClosedForm):
    """argmin_W |relu(F P) W - Y|^2 + penalty |W|^2, P random and fixed, Y one-hot, no intercept.

    size: random features (buffer or expansion size; 8,192 in the authors' code: better and dearer).
        Sums take size^2 * 8 bytes, solving size^3 / 3 multiplications.
    penalty: gamma, in units of the mean square of a random feature times samples; positive.
        The authors' is absolute (0.1 in their code), so theirs is lighter the more samples came.
    seed: of the random layer, which is made anew from it.
    keep, adapt: as in `ClosedForm`.

    >>> ACIL(size=2048).settings()
    {'keep': 20, 'adapt': False, 'size': 2048, 'penalty': 0.01, 'seed': 0}
    """

    size: int = 1024
    penalty: float = 0.01
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size < 1 or not self.penalty > 0:
            raise SettingError(
                f"size={self.size}, penalty={self.penalty}: size at least 1, penalty positive."
            )

    def random_layer(self) -> Projection:
        return Projection(self.net.width, self.size, self.seed)

    def solve(self) -> solution.Solution:
        return ridge_regression.ridge(self.sums, self.penalty, intercept=False)
