"""Linear discriminant analysis on fixed features, noise-corrected means: one pass, exact.

Streaming LDA: Hayes and Kanan 2020, "Lifelong Machine Learning with Deep Streaming Linear
Discriminant Analysis", arXiv:1909.01520. Where we differ: the sums are integers, so any order and
chunking give the same model bit for bit; the norm of a mean of few samples is corrected for its
noise; the penalty is chosen by leave-one-out (see `solve`).
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
class LDA(Method):
    """The class whose corrected mean is nearest in the pooled within-class covariance's metric.

    prior: "equal", or "counts" to favour frequent classes.
    penalty: of the covariance, in units of its mean diagonal; None chooses it by leave-one-out.
    correct: take the noise of small classes off their means' norms.
    keep: integer feature rows kept a class, to judge by.

    >>> LDA(prior="counts").settings()
    {'prior': 'counts', 'penalty': None, 'correct': True, 'keep': 20}
    """

    needs_fixed: ClassVar[bool] = True
    prior: str = "equal"
    penalty: float | None = None
    correct: bool = True
    keep: int = 20

    def __post_init__(self) -> None:
        if self.prior not in ("equal", "counts"):
            raise SettingError(f"prior={self.prior!r}: 'equal' or 'counts'.")
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
        return solve.lda(self.sums, self.penalty, self.prior, self.correct)

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
