"""What methods share that answer the class whose mean, of samples that they keep, is nearest.

Rebuffi et al. 2017, "iCaRL: Incremental Classifier and Representation Learning", arXiv:1611.07725,
algorithm 1.
"""

from abc import abstractmethod

from torch import Tensor

from ..data.task import Task
from ..training.exemplars import nearest, unanswered, unit_means
from ..training.replay_buffer import Memory
from .base import Method


class NearestMean(Method):
    """Answers by means of unit features; a method sets `means` to None, and takes them when learnt.

    Stored: means, (classes, width), of unit length; NaN where the memory has no sample of a class.
    Scores are minus the squared distance, in [-4, 0], so probabilities are never sharp.
    """

    means: Tensor | None

    @property
    @abstractmethod
    def samples(self) -> Memory:
        """The samples that the means are of."""

    def take_means(self) -> None:
        """Answer by the means of what is kept now, by features as they are now."""
        self.means = unit_means(self.samples, self.net)

    def remember(self, task: Task) -> None:
        super().remember(task)
        if self.means is not None:
            self.take_means()

    def scores(self, x: Tensor) -> Tensor:
        """Minus the squared distance to each class's mean; the head's logits until it has any."""
        if self.means is None:
            return super().scores(x)
        return nearest(self.net.steady(x), self.means)

    def warnings(self) -> list[str]:
        return unanswered(self.means)

    def serving(self) -> dict[str, Tensor]:
        return {} if self.means is None else {"means": self.means}

    def serve(self, tensors: dict[str, Tensor]) -> None:
        self.means = tensors["means"]
