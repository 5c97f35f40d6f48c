"""Deep model consolidation: two teachers, one for each set of classes, taught to a fresh student.

Zhang et al. 2020, "Class-incremental Learning via Deep Model Consolidation", WACV 2020,
arXiv:1903.07864, the double distillation loss. Only unlabelled auxiliary inputs are seen by the
student: no cross-entropy, no labels, no exemplars. Where we differ, or the paper is silent: without
auxiliary inputs the task's own take their place, and a warning says so; classes may return, and
one that both teachers know gets the mean of their two targets; a network trained elsewhere starts
every model from its own weights; where no boundary is marked, the network is only fine-tuned.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..data.task import Records, Task
from ..errors import SettingError
from ..nn.freezing import frozen
from ..nn.network import Network, modules_state
from ..training.losses import (
    cross_entropy,
    cross_entropy_among,
    distance,
    double_target,
    match_logits,
)
from .base import Method


@dataclass(eq=False)
class DMC(Method):
    """Squared distance of a fresh student's logits to both teachers', each centred on its classes.

    epochs, lr: the student's passes over the auxiliary inputs, and its learning rate, by AdamW:
        regression to logits diverges at rates that suit cross-entropy.
    far: distance of the task's inputs from the auxiliary ones (`losses.distance` of the old
        network's features, 1024 of each) above which a warning is given. On Fashion-MNIST
        its own other half had 0.9 to 1.4, digits 2.4 to 3.1, inverted images 1.8, noise 4.8.

    The offset of a teacher is taken away, its scale is not: logits of two teachers that are sure to
    different degrees are compared as they are, and a mean over 8 classes is not a mean over 2. One
    new class alone gets the target 0 everywhere. Stored: initial weights, no teacher, no sample.

    >>> DMC().settings()
    {'epochs': 10, 'lr': 0.001, 'far': 1.5}
    """

    uses_auxiliary: ClassVar[bool] = True
    epochs: int = 10
    lr: float = 0.001
    far: float = 1.5

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.lr <= 0 or self.far <= 0:
            raise SettingError(
                f"epochs={self.epochs}, lr={self.lr}, far={self.far}: "
                "at least one epoch; rate and distance are positive."
            )

    def setup(self) -> None:
        self.birth = modules_state(self.net.backbone)
        self._notes: list[str] = []

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        self._notes = []
        if not task.old or not task.boundary:
            for batch in self.batches(task):
                yield {"new": cross_entropy(self.net(batch.x), batch.y)}
            return
        inputs = task.records if task.auxiliary is None else task.auxiliary
        old = frozen(self.net)
        self._judge(old, task)
        self._reborn(task)
        for batch in self.batches(task):
            yield {"new": cross_entropy_among(self.net(batch.x), batch.y, task.classes)}
        new = frozen(self.net)
        self._reborn(task)
        unlabelled = replace(task, records=inputs, y=torch.zeros(len(inputs), dtype=torch.long))
        how: dict[str, Any] = {"epochs": self.epochs, "lr": self.lr, "optimizer": "adamw"}
        for batch in self.batches(unlabelled, **how):
            with torch.no_grad():
                both = old(batch.x)[:, : task.old], new(batch.x)[:, task.classes]
                target = double_target(*both, task.classes, task.total)
            yield {"both": match_logits(self.net(batch.x), target)}

    def warnings(self) -> list[str]:
        return self._notes

    def _reborn(self, task: Task) -> None:
        self.net.backbone.load_state_dict(self.birth)
        self.net.head.forget()
        self.net.head.grow(task.total, self.rng("weights"))

    def _judge(self, old: Network, task: Task) -> None:
        if task.auxiliary is None:
            return
        off = distance(_some(old, task.records), _some(old, task.auxiliary))
        if off > self.far:
            self._notes = [
                f"the auxiliary inputs are far from the task's (distance {off:.1f}, same data: "
                "about 1): expect both old and new classes to suffer; pass inputs of its kind."
            ]


def _some(net: Network, records: Records) -> Tensor:
    """(m, width) features of up to 1024 records, evenly spaced: they may be sorted."""
    rows = torch.linspace(0, len(records) - 1, min(len(records), 1024)).long()
    return net.steady(records.take(rows)).float()
