"""Fine-tuning: learn the new task and do nothing about the old ones. The floor of every table."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from ..data.task import Task
from ..training.losses import cross_entropy
from .base import Method


@dataclass(eq=False)
class FineTune(Method):
    """Plain cross-entropy on whatever arrives.

    >>> FineTune().settings()
    {}
    """

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        for batch in self.batches(task):
            yield {"new": cross_entropy(self.net(batch.x), batch.y)}
