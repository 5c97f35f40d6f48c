"""A probe: the backbone stays as it is, the head alone is trained by gradient.

Alain and Bengio 2016, "Understanding intermediate layers using linear classifier probes",
arXiv:1610.01644: a linear classifier on features that its training does not move. On one head and
class after class the features do not forget, and the head still does.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from ..data.task import Task
from ..training.losses import cross_entropy
from .base import Method


@dataclass(eq=False)
class Probe(Method):
    """Cross-entropy on whatever arrives; only the head moves, whatever `freeze` says.

    It knows classes by weights, not by sums, so it runs on every backbone and changes to and from
    the other methods that train. Keeps nothing. With features worth reading (pretrained, patches)
    a closed form (`lda`) reads the same features and forgets nothing.

    >>> Probe().settings()
    {}
    """

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        for batch in self.batches(task, freeze=True):
            yield {"new": cross_entropy(self.net(batch.x), batch.y)}
