"""Asymmetric replay (ER-ACE): new data compete among themselves, the replayed among all.

Caccia et al. 2022, "New Insights on Reducing Abrupt Representation Change in Online Continual
Learning", arXiv:2104.05025 (ER-ACE). As published, the incoming batch sees the classes that are in
it, not those of its whole task, so that no step pushes old classes down by force.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from ..data.task import Task
from ..training.losses import cross_entropy, cross_entropy_among
from ..training.replay_buffer import Reservoir, check_replay
from .base import Method


@dataclass(eq=False)
class ERACE(Method):
    """Cross-entropy among the batch's classes + full cross-entropy on a batch from a reservoir.

    memory: samples kept.  replay: samples drawn at each step.

    A batch of one class teaches nothing by itself: it is learnt when it comes back from the memory.

    >>> ERACE(memory=500).settings()
    {'memory': 500, 'replay': 32}
    """

    memory: int = 200
    replay: int = 32

    def __post_init__(self) -> None:
        check_replay(self.memory, self.replay)

    def setup(self) -> None:
        self.past = Reservoir(self.memory, self.how.augment, self.rng)

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        for batch in self.batches(task):
            present = batch.y.unique()
            terms = {"new": cross_entropy_among(self.net(batch.x), batch.y, present)}
            if self.past:
                old = self.past.sample(self.replay)
                terms["replay"] = cross_entropy(self.net(old.x), old.y)
            yield terms
            self.past.add(batch)
