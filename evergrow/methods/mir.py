"""Maximally interfered retrieval: replay the samples that the next step would harm most.

Aljundi et al. 2019, "Online Continual Learning with Maximally Interfered Retrieval",
arXiv:1908.04742 (ER-MIR, the criterion MI-1: how far the loss rises in a virtual step).

Where we differ: candidates are judged by a network at rest, so that looking does not move
batch-norm statistics.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.functional import cross_entropy as each_cross_entropy

from ..data.task import Task
from ..errors import SettingError
from ..nn.network import evaluating
from ..training.losses import cross_entropy
from ..training.replay_buffer import Reservoir, check_replay
from .base import Method


@dataclass(eq=False)
class MIR(Method):
    """Cross-entropy on the new batch + on the remembered samples that it interferes with most.

    memory: samples kept.  replay: samples replayed at each step (k in the paper).
    candidates: samples drawn for each one replayed, 1 or more (C / k; 5 in the paper). Those are
        taken whose loss rises most in a virtual step of gradient descent on the new batch. Where
        many are replayed, 2 is better: of too many candidates the hardest few are left.

    >>> MIR(memory=500).settings()
    {'memory': 500, 'replay': 32, 'candidates': 2}
    """

    memory: int = 200
    replay: int = 32
    candidates: int = 2

    def __post_init__(self) -> None:
        check_replay(self.memory, self.replay)
        if self.candidates < 1:
            raise SettingError(
                f"candidates={self.candidates}: drawn for each one replayed, 1 or more."
            )

    def setup(self) -> None:
        self.past = Reservoir(self.memory, self.how.augment, self.rng)

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        for batch in self.batches(task):
            terms = {"new": cross_entropy(self.net(batch.x), batch.y)}
            if self.past:
                old = self.past.sample(self.candidates * self.replay)
                rows = self._harmed(terms["new"], old.x, old.y)
                terms["replay"] = cross_entropy(self.net(old.x[rows]), old.y[rows])
            yield terms
            self.past.add(batch)

    def _harmed(self, loss: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """(replay,) rows whose loss rises most if the network steps down the gradient of `loss`."""
        weights = {name: p for name, p in self.net.named_parameters() if p.requires_grad}
        if len(y) <= self.replay or not weights:
            return torch.arange(min(len(y), self.replay))
        gradients = torch.autograd.grad(loss, list(weights.values()), retain_graph=True)
        y = y.to(loss.device)
        with torch.no_grad(), evaluating([self.net]):
            stepped = {
                name: p - self._rate(name) * g
                for (name, p), g in zip(weights.items(), gradients, strict=True)
            }
            after = each_cross_entropy(functional_call(self.net, stepped, x), y, reduction="none")
            before = each_cross_entropy(self.net(x), y, reduction="none")
        return (after - before).topk(self.replay).indices.cpu()

    def _rate(self, name: str) -> float:
        """The learning rate of a weight."""
        return self.how.below if name.startswith("backbone.") else self.how.lr
