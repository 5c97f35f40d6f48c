"""RanPAC: class prototypes on random ReLU features, decorrelated by ridge regression.

McDonnell et al. 2023, "RanPAC: Random Projections and Pre-trained Models for Continual Learning",
arXiv:2307.02251: features through a frozen random projection and ReLU, sums of their outer products
(G) and by class (C), weights (G + lambda I)^-1 C; the first task may adapt the backbone (`adapt`,
as every closed form here). Where we differ: the sums are integers; lambda is chosen by generalized
cross-validation on all sums, where the paper holds out a fifth of the present task.
"""

from dataclasses import dataclass

from ..analytic import ridge_regression, solution
from ..analytic.random_projection import Projection
from ..errors import SettingError
from .closed_form import ClosedForm


@dataclass(eq=False)
class RanPAC(ClosedForm):
    """argmin_W |relu(F P) W - Y|^2 + lambda |W|^2, P random, lambda by cross-validation.

    size: random features (M; 10,000 in the paper: better and dearer). Sums take size^2 * 8 bytes.
    seed: of the random projection, which is made anew from it.
    keep, adapt: as in `ClosedForm`.

    >>> RanPAC(adapt=True).settings()
    {'keep': 20, 'adapt': True, 'size': 1024, 'seed': 0}
    """

    size: int = 1024
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size < 1:
            raise SettingError(f"size={self.size}: random features, at least 1.")

    def random_layer(self) -> Projection:
        return Projection(self.net.width, self.size, self.seed)

    def solve(self) -> solution.Solution:
        return ridge_regression.ridge(self.sums, intercept=False)
