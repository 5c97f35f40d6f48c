"""GDumb: keep a balanced memory; after each task, train anew on the memory alone.

Prabhu, Torr and Dokania 2020, "GDumb: A Simple Approach that Questions Our Progress in Continual
Learning", ECCV 2020: the greedy balancing sampler (algorithm 1) and the dumb learner.

Where we differ: one cosine from the learning rate down to zero, where the paper
restarts a longer one again and again between the same ends; no CutMix, which is for images alone;
for the sampler see `replay_buffer.Balanced`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from torch import Tensor

from ..data.task import Batch, Task
from ..errors import SettingError
from ..nn.freezing import begin_anew
from ..nn.network import modules_state
from ..training.losses import cross_entropy
from ..training.replay_buffer import Balanced
from .base import Method


@dataclass(eq=False)
class GDumb(Method):
    """Cross-entropy on the memory alone, from the initial weights, after each task.

    memory: samples kept, equal numbers a class.
    passes: epochs over the memory, 1 or more, in place of the model's `epochs`; 256 in the paper.

    Stored: the memory and the initial weights. Each task costs a whole training.

    >>> GDumb(memory=500).settings()
    {'memory': 500, 'passes': 50}
    """

    memory: int = 200
    passes: int = 50

    def __post_init__(self) -> None:
        if self.memory < 1 or self.passes < 1:
            raise SettingError(f"memory={self.memory}, passes={self.passes}: both at least 1.")

    def setup(self) -> None:
        self.kept = Balanced(self.memory, self.how.augment, self.rng)
        self.birth = modules_state(self.net.backbone)
        self.rows = modules_state(self.net.head)  # those of a network trained elsewhere

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        for x, y in task.blocks(4096, self.how.num_workers):
            self.kept.add(Batch(x, y, x))
        begin_anew(self.net, self.birth, self.rows, task.total, self.rng("weights"))
        self.moments = {}  # a stream's optimizer begins anew as well
        alone = replace(task, records=self.kept, y=self.kept.y)
        for batch in self.batches(alone, epochs=self.passes, schedule="cosine"):
            yield {"kept": cross_entropy(self.net(batch.x), batch.y)}
