"""Dynamically expandable representation: a new backbone for each task, the old ones frozen.

Yan, Xie and He 2021, "DER: Dynamically Expandable Representation for Class Incremental Learning",
arXiv:2103.16788. Where we differ: nothing is pruned, so the model grows by a whole backbone a task
(the paper learns channel masks); the classifier's second stage goes on from the weights of the
first, on the exemplars of all classes, without their temperature; the rows of new features for old
classes start at zero, as do those of old features for new ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from ..data.task import Batch, Task
from ..errors import SettingError
from ..nn.expansion import Branches
from ..nn.freezing import freeze
from ..nn.head import LinearHead
from ..training.exemplars import Exemplars
from ..training.losses import cross_entropy, cross_entropy_apart
from .base import Method


@dataclass(eq=False)
class Expand(Method):
    """Cross-entropy on features side by side + strength * cross-entropy of an auxiliary head.

    The auxiliary head sees the new backbone's features alone, tells the new classes apart, and all
    old ones from them as one. The new backbone goes on from the one before. After the task, the
    heads alone are trained on an equal number of exemplars of each class.

    strength: weight of the auxiliary term (lambda_a in the paper), 0 or more.
    memory: exemplars kept, chosen by herding.
    balance: epochs of the second stage; 0 leaves it out.

    Stored: exemplars, and a backbone for each task with new classes but the first. With a frozen
    backbone, or where no class is new, none is added.

    >>> Expand(memory=500).settings()
    {'strength': 1.0, 'memory': 500, 'balance': 20}
    """

    strength: float = 1.0
    memory: int = 200
    balance: int = 20

    def __post_init__(self) -> None:
        check_settings(self.strength, self.memory, self.balance)

    def setup(self) -> None:
        self.past = Exemplars(self.memory, self.how.augment, self.rng)
        self.branches = Branches()

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        freeze(self.net, self.how.freeze)
        body = any(p.requires_grad for p in self.net.backbone.parameters())
        if task.old < task.total and task.old and body:
            self.branches.add(self.net, self.net.backbone.state_dict(), task.old)
            self.net.head.weight.data[: task.old] = 0
        self.branches.grow(task.total)
        among = LinearHead(self.net.width).to(self.net.device)
        among.grow(task.total - task.old + 1, self.rng("auxiliary"))
        learns = [*self.net.parameters(), *self.branches.heads, *among.parameters()]
        for batch in self.batches(task, mix=self.past, params=learns):
            yield expanded(self, batch, task, among)
        self.past.choose(task, lambda x: self.branches.beside(self.net, x, self.net.steady(x)))
        yield from balanced(self, task)

    def scores(self, x: Tensor) -> Tensor:
        return self.branches.logits(self.net, x, self.net.steady(x))

    def serving(self) -> dict[str, Tensor]:
        return self.branches.flat()

    def serve(self, tensors: dict[str, Tensor]) -> None:
        self.branches.unflatten(tensors)


def check_settings(strength: float, memory: int, balance: int) -> None:
    """Raise SettingError for what methods that expand cannot work with."""
    if strength < 0 or balance < 0 or memory < 1:
        raise SettingError(
            f"strength={strength}, memory={memory}, balance={balance}: "
            "0 or more; at least one exemplar."
        )


def expanded(method: Any, batch: Batch, task: Task, among: LinearHead) -> dict[str, Tensor]:
    """Cross-entropy on all features; where there are branches and new classes, `among`'s as well.

    among: the auxiliary head on the newest features, (1 + new) rows.
    """
    features = method.net.features(batch.x)
    logits = method.branches.logits(method.net, batch.x, features)
    terms = {"all": cross_entropy(logits, batch.y)}
    if len(method.branches) and task.old < task.total:
        apart = cross_entropy_apart(among(features), batch.y, task.old)
        terms["apart"] = method.strength * apart
    return terms


def balanced(method: Any, task: Task) -> Iterator[dict[str, Tensor]]:
    """The second stage: `method.balance` epochs of the heads on equally many of each class."""
    if method.balance and task.old and task.boundary:
        equal = replace(task, records=method.past, y=method.past.y)
        heads = [*method.net.head.parameters(), *method.branches.heads]
        for batch in method.batches(equal, params=heads, epochs=method.balance):
            yield {"balance": cross_entropy(method.scores(batch.x), batch.y)}
