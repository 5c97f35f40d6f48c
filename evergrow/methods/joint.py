"""Joint training: keep all data, train anew from the initial weights: the ceiling of tables.

It is also "transfer learning twice": with a pretrained backbone it starts again from the pretrained
weights.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from ..data.task import Task
from ..nn.freezing import begin_anew
from ..nn.network import modules_state
from ..training.losses import cross_entropy
from ..training.replay_buffer import Archive
from .base import Method


@dataclass(eq=False)
class Joint(Method):
    """Cross-entropy on everything ever seen, from the initial weights, after each task.

    Keeps every sample (raw, in the model folder too) and takes longer with every task.

    >>> Joint().settings()
    {}
    """

    def setup(self) -> None:
        self.everything = Archive(self.rng)
        self.birth = modules_state(self.net.backbone)
        self.rows = modules_state(self.net.head)  # those of a network trained elsewhere

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        begin_anew(self.net, self.birth, self.rows, task.total, self.rng("weights"))
        self.moments = {}  # a stream's optimizer begins anew as well
        for batch in self.batches(task, mix=self.everything):
            yield {"all": cross_entropy(self.net(batch.x), batch.y)}
        for x, y in task.blocks(4096):
            self.everything.extend(x, y)
