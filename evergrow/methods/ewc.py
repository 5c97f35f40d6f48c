"""Elastic weight consolidation: a penalty on moving weights that mattered.

Kirkpatrick et al. 2017, "Overcoming catastrophic forgetting in neural networks", arXiv:1612.00796,
eq. 3; the running Fisher is that of "online EWC", Schwarz et al. 2018, "Progress & Compress",
arXiv:1805.06370. Both are multi-head; on one head, as here, the new loss sees the task's classes
alone, and class-incremental accuracy stays near the floor: that is the published truth.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..data.task import Task
from ..errors import SettingError
from ..training.losses import cross_entropy
from ..training.replay_buffer import distinct
from ..training.weight_importance import QuadraticPenalty, Weights, learning, mean_gradients
from .base import Method


@dataclass(eq=False)
class EWC(Method):
    """Cross-entropy among the task's classes + strength/2 * sum_i F_i (theta_i - theta*_i)^2.

    strength: of the springs (lambda); 0 or more. No value suits all: public code has 1e2 to 1e10.
        A spring stiffer than 1 / lr is weakened to that, where the paper's would diverge.
    decay: share of the old Fisher that stays at each task (gamma), in [0, 1]; online alone.
    separate: springs of each task to that task's weights, as Kirkpatrick; otherwise one running
        Fisher, and springs to the latest weights. Kept as one Fisher and one mean anchor, which
        pull as all of them do: the memory is two numbers a weight either way.
    samples: samples a task that the Fisher is the mean over, each with a label drawn from the
        model's own answer among the task's classes, the network in evaluation mode.

    >>> EWC(strength=5000.0).settings()
    {'strength': 5000.0, 'decay': 1.0, 'separate': False, 'samples': 200}
    """

    strength: float = 1000.0
    decay: float = 1.0
    separate: bool = False
    samples: int = 200

    def __post_init__(self) -> None:
        if self.strength < 0 or not 0 <= self.decay <= 1 or self.samples < 1:
            raise SettingError(
                f"strength={self.strength}, decay={self.decay}, samples={self.samples}: "
                "strength is 0 or more, decay in [0, 1], samples at least 1."
            )

    def setup(self) -> None:
        self.springs = QuadraticPenalty()

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        weights = learning(self.net, self.how.freeze)
        held = self.springs.held(weights, self.strength / 2, self.how.fastest)
        for batch in self.batches(task):
            yield self.springs.terms(self.net(batch.x), batch.y, task.classes, held)
        if task.boundary:
            decay = 1.0 if self.separate else self.decay
            self.springs.hold(weights, self._fisher(task, weights), decay, self.separate)

    def _fisher(self, task: Task, weights: Weights) -> Weights:
        """Diagonal of the Fisher information: E_x E_y~p(y|x) (d log p(y|x) / d theta_i)^2."""
        rng, classes = self.rng("fisher"), task.classes.to(self.net.device)

        def drawn() -> Iterator[tuple[Tensor, Tensor]]:
            some = task.part(distinct(len(task), self.samples, rng))
            for x, _ in some.blocks(32):
                x = x.to(self.net.device)
                with torch.no_grad():
                    shares = self.net(x)[:, classes].float().softmax(1).cpu()
                yield x, torch.multinomial(shares, 1, generator=rng).to(x.device)

        def loss(logits: Tensor, y: Tensor) -> Tensor:
            return cross_entropy(logits[:, classes], y)

        return mean_gradients(self.net, weights, drawn(), loss, torch.square)
