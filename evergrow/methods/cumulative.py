"""Cumulative training: keep all data, go on from the present weights with everything at hand.

"Transfer learning twice": the network trained on what came before is the start of the next one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from ..data.task import Task
from ..training.losses import cross_entropy
from ..training.replay_buffer import Archive
from .base import Method


@dataclass(eq=False)
class Cumulative(Method):
    """Cross-entropy on everything ever seen, from the present weights, at each task.

    Joint starts again from the initial weights each time; this goes on from what it has, so fewer
    epochs do, and the first tasks have had more of them than the last. Keeps every sample (raw, in
    the model folder too) and takes longer with every task.

    >>> Cumulative().settings()
    {}
    """

    def setup(self) -> None:
        self.everything = Archive(self.rng)

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        for batch in self.batches(task, mix=self.everything):
            yield {"all": cross_entropy(self.net(batch.x), batch.y)}
        for x, y in task.blocks(4096):
            self.everything.extend(x, y)
