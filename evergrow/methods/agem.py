"""A-GEM: never step against the gradient of remembered samples.

Chaudhry et al. 2019, "Efficient Lifelong Learning with A-GEM", arXiv:1812.00420, eq. 11. As
published, the memory is added to at the end of a task, so that it holds earlier tasks alone.

Made for models that are told the task at prediction. Without that it stays near the floor: a step
that does no harm to old samples may still put new classes above them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..data.task import Batch, Task
from ..training.losses import cross_entropy
from ..training.replay_buffer import Balanced, check_replay
from .base import Method


@dataclass(eq=False)
class AGEM(Method):
    """Cross-entropy on new data; a gradient against the memory's loses that component.

    memory: samples kept, equal numbers a class.
    replay: samples drawn at each step for the memory's gradient (g_ref in the paper).

    >>> AGEM(memory=500).settings()
    {'memory': 500, 'replay': 64}
    """

    memory: int = 200
    replay: int = 64

    def __post_init__(self) -> None:
        check_replay(self.memory, self.replay)

    def setup(self) -> None:
        self.kept = Balanced(self.memory, self.how.augment, self.rng)

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        for batch in self.batches(task):
            yield {"new": cross_entropy(self.net(batch.x), batch.y)}
        for x, y in task.blocks(4096, self.how.num_workers):
            self.kept.add(Batch(x, y, x))

    def before_step(self) -> None:
        if not self.kept:
            return
        old = self.kept.sample(self.replay)
        weights = [p for p in self.net.parameters() if p.grad is not None]
        reference = torch.autograd.grad(cross_entropy(self.net(old.x), old.y), weights)
        project([p.grad for p in weights if p.grad is not None], reference)


def project(gradients: list[Tensor], reference: tuple[Tensor, ...]) -> None:
    """Where they point against the reference, take that component off the gradients, in place.

    >>> project([gradient := torch.tensor([-1.0, 1.0])], (torch.tensor([2.0, 0.0]),)); gradient
    tensor([0., 1.])
    """
    pairs = list(zip(gradients, reference, strict=True))
    along = torch.stack([(g * r).sum() for g, r in pairs]).sum()
    if along < 0:
        share = along / torch.stack([(r * r).sum() for r in reference]).sum()
        for g, r in pairs:
            g.sub_(share * r)
