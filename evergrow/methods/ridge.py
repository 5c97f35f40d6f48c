"""Ridge regression to one-hot targets on fixed features: one pass, exact, nothing forgotten.

Zhuang et al. 2022, "ACIL: Analytic Class-Incremental Learning with Absolute Memorization and
Privacy Protection", arXiv:2205.14922; with one-hot targets the cross term is the matrix of class
sums. The penalty is chosen by generalized cross-validation (Golub, Heath and Wahba 1979) from the
sums. A class of few samples is nearly ignored by the squared error: prefer `lda` then.
"""

from dataclasses import dataclass

from ..analytic import ridge_regression, solution
from ..errors import SettingError
from .closed_form import ClosedForm


@dataclass(eq=False)
class Ridge(ClosedForm):
    """argmin_W |F W + b - Y|^2 + penalty |W|^2, with Y one-hot and b an intercept without penalty.

    penalty: in units of the mean feature variance times samples; None chooses it by
        cross-validation from the sums.
    keep, adapt: as in `ClosedForm`.

    >>> Ridge().settings()
    {'keep': 20, 'adapt': False, 'penalty': None}
    """

    penalty: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.penalty is not None and not self.penalty > 0:
            raise SettingError(f"penalty={self.penalty}: positive, or None.")

    def solve(self) -> solution.Solution:
        return ridge_regression.ridge(self.sums, self.penalty)
