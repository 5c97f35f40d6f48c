"""Synaptic intelligence: a penalty on moving weights, by what each did for the loss.

Zenke, Poole and Ganguli 2017, "Continual Learning Through Synaptic Intelligence", arXiv:1703.04200,
eq. 4 (the loss) and 5 (the importance). Where we differ: a weight whose path raised the loss gets
importance 0, where the quotient would push it away from its anchor. The paper is multi-head; on one
head, as here, the new loss sees the task's classes alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..data.task import Task
from ..errors import SettingError
from ..training.weight_importance import QuadraticPenalty, Weights, grown, learning
from .base import Method


@dataclass(eq=False)
class SI(Method):
    """Cross-entropy among the task's classes + strength * sum_i Omega_i (theta_i - theta*_i)^2.

    Omega_i adds up, over tasks, w_i / (change_i^2 + damping): w_i is the sum over steps of minus
    the new loss's gradient times the step taken.

    strength: of the springs (c); 0 or more. The paper has 0.1 to 1; no value suits all. A spring
        stiffer than 1 / lr is weakened to that.
    damping: keeps Omega finite where a weight hardly moved (xi); positive.

    Keeps two numbers a weight; four while a stream is between boundaries.

    >>> SI(strength=0.5).settings()
    {'strength': 0.5, 'damping': 0.1}
    """

    strength: float = 1.0
    damping: float = 0.1

    def __post_init__(self) -> None:
        if self.strength < 0 or self.damping <= 0:
            raise SettingError(
                f"strength={self.strength}, damping={self.damping}: "
                "strength is 0 or more, damping positive."
            )

    def setup(self) -> None:
        self.springs = QuadraticPenalty()
        self.path: Weights = {}  # w and the weights before it, since the last boundary
        self.start: Weights = {}

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        weights = learning(self.net, self.how.freeze)
        held = self.springs.held(weights, self.strength, self.how.fastest)
        path, start = grown(self.path, weights), grown(self.start, weights)
        for begun, (name, w) in zip(start, weights.items(), strict=True):
            known = len(self.start.get(name, ()))
            begun[known:] = w.detach()[known:]
        begin = [w.detach().clone() for w in weights.values()]
        before, squares = grown({}, weights), grown({}, weights)
        for batch in self.batches(task):
            torch._foreach_copy_(before, held[0])
            yield self.springs.terms(self.net(batch.x), batch.y, task.classes, held)
            _walk(path, before, held[0], squares if self.springs else None)
        if self.springs:
            _without_springs(path, begin, squares, *held)
        self.path = dict(zip(weights, path, strict=True))
        self.start = dict(zip(weights, start, strict=True))
        if task.boundary:
            self.springs.hold(weights, {name: self._omega(name, w) for name, w in weights.items()})
            self.path, self.start = {}, {}

    def _omega(self, name: str, weight: Tensor) -> Tensor:
        change = weight.detach() - self.start[name]
        return (self.path[name] / (change.square() + self.damping)).clamp(min=0)


@torch.no_grad()
def _walk(
    path: list[Tensor], before: list[Tensor], weights: list[Tensor], squares: list[Tensor] | None
) -> None:
    """Add minus gradient times step to `path`, the step's square to `squares`.

    `before`, the weights as they were, is overwritten: nothing is allocated. Weights without a
    gradient did not move.
    """
    moved = [i for i, w in enumerate(weights) if w.grad is not None]
    steps = [before[i] for i in moved]
    slopes = [grad for w in weights if (grad := w.grad) is not None]
    torch._foreach_sub_(steps, [weights[i] for i in moved])  # minus the step
    torch._foreach_addcmul_([path[i] for i in moved], slopes, steps)
    if squares is not None:
        torch._foreach_addcmul_([squares[i] for i in moved], steps, steps)


@torch.no_grad()
def _without_springs(
    path: list[Tensor],
    begin: list[Tensor],
    squares: list[Tensor],
    weights: list[Tensor],
    anchors: list[Tensor],
    importances: list[Tensor],
) -> None:
    """Take the springs' gradient, 2 k (w - a), times step out of all that was added.

    Over the steps d it adds up to k ((end - a)^2 - (begin - a)^2 - sum of d^2).
    """
    for i, w in enumerate(weights):
        moved = (w - anchors[i]).square() - (begin[i] - anchors[i]).square() - squares[i]
        path[i] += importances[i] * moved
