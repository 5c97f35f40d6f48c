"""Memory aware synapses: a penalty on moving weights that the outputs are sensitive to.

Aljundi et al. 2018, "Memory Aware Synapses: Learning what (not) to forget", arXiv:1711.09601: the
importance of a weight is the mean size of the gradient of the squared L2 norm of the outputs, and
adds up over tasks; no label is needed. The paper is multi-head; on one head, as here, the new loss
sees the task's classes alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..data.task import Task
from ..errors import SettingError
from ..training.replay_buffer import distinct
from ..training.weight_importance import QuadraticPenalty, learning, mean_gradients
from .base import Method


@dataclass(eq=False)
class MAS(Method):
    """Cross-entropy among the task's classes + strength * sum_i Omega_i (theta_i - theta*_i)^2.

    strength: of the springs (lambda); 0 or more. The paper has 1 on its networks; no value suits
        all. A spring stiffer than 1 / lr is weakened to that.
    samples: samples a task that Omega is the mean over.

    Keeps two numbers a weight: where it was, and Omega.

    >>> MAS(strength=0.1).settings()
    {'strength': 0.1, 'samples': 200}
    """

    strength: float = 1.0
    samples: int = 200

    def __post_init__(self) -> None:
        if self.strength < 0 or self.samples < 1:
            raise SettingError(
                f"strength={self.strength}, samples={self.samples}: "
                "strength is 0 or more, samples at least 1."
            )

    def setup(self) -> None:
        self.springs = QuadraticPenalty()

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        weights = learning(self.net, self.how.freeze)
        held = self.springs.held(weights, self.strength, self.how.fastest)
        for batch in self.batches(task):
            yield self.springs.terms(self.net(batch.x), batch.y, task.classes, held)
        if task.boundary:
            rows = distinct(len(task), self.samples, self.rng("importance"))
            blocks = ((x.to(self.net.device),) for x, _ in task.part(rows).blocks(32))
            omega = mean_gradients(self.net, weights, blocks, _squared_norm, torch.abs)
            self.springs.hold(weights, omega)


def _squared_norm(logits: Tensor) -> Tensor:
    return logits.square().sum()
