"""FOSTER: a new module boosts the old network, then both are compressed into one network.

Wang et al. 2022, "FOSTER: Feature Boosting and Compression for Class-Incremental Learning",
arXiv:2204.04662, feature boosting (logits alignment, feature enhancement, distillation) and feature
compression (balanced distillation), as in the authors' code. Where we differ: nothing beyond the
losses; a network trained elsewhere counts as the old network.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..data.task import Task
from ..errors import SettingError
from ..nn.expansion import Branches
from ..nn.freezing import freeze
from ..nn.head import LinearHead
from ..nn.network import modules_state
from ..training.exemplars import Exemplars
from ..training.losses import cross_entropy, distill, distill_balanced, effective
from .base import Method


@dataclass(eq=False)
class FOSTER(Method):
    """Boost: aligned cross-entropy + that of the new features alone + strength * distillation.

    Then compress: a student that begins as the old network learns the boosted answers, rare classes
    weighed up. A class's weight falls with the number of its samples n as (1 - b) / (1 - b^n).

    align, balance: b in [0, 1) for the logits of the first stage, which are divided by the weights,
        and for the second's targets (beta 1 and 2; .96 and .97 in the authors' code, which leaves
        classes of 50 and 1500 samples nearly alike, so that .995 was better here); 0: all alike.
    strength: weight of the old network's answers on old classes (lambda_okd in their code).
    temperature: of both distillations.  memory: exemplars kept, chosen by herding.
    compression: epochs of the second stage.

    Stored: exemplars; the model stays one network.

    >>> FOSTER(memory=500).settings()  # doctest: +NORMALIZE_WHITESPACE
    {'align': 0.96, 'balance': 0.995, 'strength': 1.0, 'temperature': 2.0, 'memory': 500,
     'compression': 10}
    """

    align: float = 0.96
    balance: float = 0.995
    strength: float = 1.0
    temperature: float = 2.0
    memory: int = 200
    compression: int = 10

    def __post_init__(self) -> None:
        inside = 0 <= self.align < 1 and 0 <= self.balance < 1 and self.temperature > 0
        if not inside or self.strength < 0 or min(self.memory, self.compression) < 1:
            raise SettingError(
                f"{self.settings()}: align and balance lie in [0, 1), temperature is positive, "
                "strength 0 or more; one exemplar and one epoch at least."
            )

    def setup(self) -> None:
        self.past = Exemplars(self.memory, self.how.augment, self.rng)

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        if not task.old or not task.boundary:
            for batch in self.batches(task, mix=self.past):
                yield {"all": cross_entropy(self.net(batch.x), batch.y)}
        else:
            yield from self._consolidate(task)
        self.past.choose(task, self.net.steady)

    def _consolidate(self, task: Task) -> Iterator[dict[str, Tensor]]:
        net, counts = self.net, torch.bincount(task.y, minlength=task.total)
        if len(self.past):
            counts += torch.bincount(self.past.y, minlength=task.total)
        freeze(net, self.how.freeze)
        begin, boosted = modules_state(net), Branches()
        boosted.add(net, net.backbone.state_dict(), task.total)
        boosted.grow(task.total)
        net.head.weight.data[: task.old] = 0
        own = LinearHead(net.width).to(net.device)
        own.grow(task.total, self.rng("own"))
        learns = [*net.parameters(), *boosted.heads, *own.parameters()]
        weights = effective(counts, self.align).to(net.device)
        frozen_head = begin["head.weight"][: task.old], begin["head.bias"][: task.old]
        for batch in self.batches(task, mix=self.past, params=learns):
            features = net.features(batch.x)
            logits = boosted.logits(net, batch.x, features)
            with torch.no_grad():
                before = boosted.features(net, batch.x)[0]
                old = torch.nn.functional.linear(before, *frozen_head)
            keep = distill(logits[:, : task.old], old, self.temperature) / self.temperature**2
            yield {
                "boost": cross_entropy(logits / weights, batch.y),
                "own": cross_entropy(own(features), batch.y),
                "keep": self.strength * keep,
            }
        boosted.add(net, net.backbone.state_dict(), task.total)
        bias, heads = net.head.bias.detach().clone(), [h.detach() for h in boosted.heads]
        net.load_state_dict(begin)
        weights = effective(counts, self.balance).to(net.device)
        for batch in self.batches(task, mix=self.past, epochs=self.compression):
            with torch.no_grad():
                teachers = torch.cat(boosted.features(net, batch.x), 1)
                answer = torch.nn.functional.linear(teachers, torch.cat(heads, 1), bias)
            student = net(batch.x)
            yield {"student": distill_balanced(student, answer, weights, self.temperature)}
