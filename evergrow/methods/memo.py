"""MEMO: early layers are shared, the last block is new for each task.

Zhou et al. 2023, "A Model or 603 Exemplars: Towards Memory-Efficient Class-Incremental Learning",
arXiv:2205.13218: shallow layers of networks trained on different tasks are alike, deep ones are
not, so only specialised last blocks are added upon generalised early ones; an auxiliary head as in
`expand`. Where we differ: the new classes' weights are aligned with the old ones' (Zhao et al.
2020, arXiv:1911.07053, weight aligning, as public code of MEMO does), then all heads learn on an
equal number of exemplars of each class, as in `expand` (balance=0: not so). The shared layers are
computed again for each block, so a model is smaller than one of `expand` but no faster.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from ..data.task import Task
from ..nn.expansion import Branches, last_block
from ..nn.freezing import freeze
from ..nn.head import LinearHead, align
from ..training.exemplars import Exemplars
from .base import Method
from .expand import balanced, check_settings, expanded


@dataclass(eq=False)
class MEMO(Method):
    """Cross-entropy on blocks' features side by side + strength * that of an auxiliary head.

    strength: weight of the auxiliary term, 0 or more.  memory: exemplars kept, chosen by herding.
    balance: epochs of the heads on equally many exemplars of each class; 0: none.
    shared_learns: whether the shared layers go on learning after the first task; old blocks then
        get features that they were not trained on, and exemplars must make up for it.

    Stored: exemplars, and the last block for each task with new classes but the first. The last
    block is the last layer that has weights, or the last stage of a network built of stages; see
    `last_block`. With a frozen backbone, or where no class is new, none is added.

    >>> MEMO(memory=500).settings()
    {'strength': 1.0, 'memory': 500, 'balance': 20, 'shared_learns': False}
    """

    strength: float = 1.0
    memory: int = 200
    balance: int = 20
    shared_learns: bool = False

    def __post_init__(self) -> None:
        check_settings(self.strength, self.memory, self.balance)

    def setup(self) -> None:
        self.past = Exemplars(self.memory, self.how.augment, self.rng)
        self.branches = Branches()

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        freeze(self.net, self.how.freeze)
        block, before = last_block(self.net.backbone)
        layers = dict(self.net.backbone.named_parameters())
        adds = 0 < task.old < task.total and any(
            p.requires_grad for name, p in layers.items() if name in block
        )
        if adds:
            self.branches.add(self.net, block, task.old)
            self.net.head.weight.data[: task.old] = 0
        self.branches.grow(task.total)
        among = LinearHead(self.net.width).to(self.net.device)
        among.grow(task.total - task.old + 1, self.rng("auxiliary"))
        upto = self.how.freeze
        if len(self.branches) and before and upto is not True and not self.shared_learns:
            layers, upto = {k: p for k, p in layers.items() if k in block}, before
        heads = [*self.net.head.parameters(), *self.branches.heads, *among.parameters()]
        learns = [*layers.values(), *heads]
        for batch in self.batches(task, mix=self.past, params=learns, freeze=upto):
            yield expanded(self, batch, task, among)
        if adds:
            align([self.net.head.weight, *self.branches.heads], task.old)
        self.past.choose(task, lambda x: self.branches.beside(self.net, x, self.net.steady(x)))
        yield from balanced(self, task)

    def scores(self, x: Tensor) -> Tensor:
        return self.branches.logits(self.net, x, self.net.steady(x))

    def serving(self) -> dict[str, Tensor]:
        return self.branches.flat()

    def serve(self, tensors: dict[str, Tensor]) -> None:
        self.branches.unflatten(tensors)
