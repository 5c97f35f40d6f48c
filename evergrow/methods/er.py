"""Experience replay: mix remembered samples into every step.

Chaudhry et al. 2019, "On Tiny Episodic Memories in Continual Learning", arXiv:1902.10486.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from ..data.task import Task
from ..training.losses import cross_entropy
from ..training.replay_buffer import Reservoir, check_replay
from .base import Method


@dataclass(eq=False)
class ER(Method):
    """Cross-entropy on the new batch + cross-entropy on a batch from a reservoir.

    memory: samples kept.  replay: samples drawn at each step.

    >>> ER(memory=500).settings()
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
            terms = {"new": cross_entropy(self.net(batch.x), batch.y)}
            if self.past:
                old = self.past.sample(self.replay)
                terms["replay"] = cross_entropy(self.net(old.x), old.y)
            yield terms
            self.past.add(batch)
