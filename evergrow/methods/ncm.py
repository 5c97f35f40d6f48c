"""Nearest class mean of fixed features: the simplest classifier that never forgets.

Mensink et al. 2013, "Distance-Based Image Classification"; with a pretrained network it is the
SimpleCIL baseline of Zhou et al. 2023, "Revisiting Class-Incremental Learning with Pre-Trained
Models", arXiv:2303.07338 (there with the cosine, here with the Euclidean distance).
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
class NCM(Method):
    """The class whose mean feature vector is nearest.

    keep: integer feature rows kept a class, to judge by.

    >>> NCM().settings()
    {'keep': 20}
    """

    needs_fixed: ClassVar[bool] = True
    keep: int = 20

    def __post_init__(self) -> None:
        if self.keep < 0:
            raise SettingError(f"keep={self.keep}: rows kept a class, 0 or more.")

    def setup(self) -> None:
        self.sums = FeatureStatistics(self.net.width, self.keep)
        self._solution: solve.Solution | None = None

    def grow(self, old: int, total: int) -> None:
        """The head stays as it is: columns live in the sums."""

    def learn(self, task: Task) -> None:
        closed.gather(self, task)

    def solve(self) -> solve.Solution:
        """Weights read off the sums."""
        return solve.ncm(self.sums)

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
