"""Ridge regression to one-hot targets on fixed features: one pass, exact, nothing forgotten.

Zhuang et al. 2022, "ACIL: Analytic Class-Incremental Learning with Absolute Memorization and
Privacy Protection", arXiv:2205.14922; with one-hot targets the cross term is the matrix of class
sums. The penalty is chosen by generalized cross-validation (Golub, Heath and Wahba 1979) from the
sums. A class of few samples is nearly ignored by the squared error: prefer `lda` then.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from .. import solve
from ..data import Task
from ..errors import SettingError
from ..statistics import FeatureStatistics
from . import closed
from .base import Method


@dataclass(eq=False)
class Ridge(Method):
    """argmin_W |F W + b - Y|^2 + penalty |W|^2, with Y one-hot and b an intercept without penalty.

    penalty: in units of the mean feature variance times samples; None chooses it by
        cross-validation from the sums.
    keep: integer feature rows kept a class, to judge by.

    >>> Ridge().settings()
    {'penalty': None, 'keep': 20}
    """

    needs_fixed: ClassVar[bool] = True
    penalty: float | None = None
    keep: int = 20

    def __post_init__(self) -> None:
        if (self.penalty is not None and not self.penalty > 0) or self.keep < 0:
            raise SettingError(
                f"penalty={self.penalty}, keep={self.keep}: "
                "penalty is positive or None, keep 0 or more."
            )

    def setup(self) -> None:
        self.sums = FeatureStatistics(self.net.width, self.keep)
        self._solution: solve.Solution | None = None

    def grow(self, old: int, total: int) -> None:
        """The head stays as it is: columns live in the sums."""

    def learn(self, task: Task) -> None:
        closed.gather(self, task)

    def solve(self) -> solve.Solution:
        """Weights read off the sums."""
        return solve.ridge(self.sums, self.penalty)

    def scores(self, x: Tensor) -> Tensor:
        return closed.scores(self, x)

    def serving(self) -> dict[str, Tensor]:
        return closed.serving(self)

    def serve(self, tensors: dict[str, Tensor]) -> None:
        self._solution = closed.served(tensors)

    def probabilities(self, scores: Tensor) -> Tensor:
        return closed.probabilities(self, scores)

    def figures(self) -> dict[str, Any]:
        return closed.figures(self)

    def snapshot(self) -> Callable[[], None]:
        return closed.staged(self)

    def done(self) -> None:
        self.sums.commit()
