"""Dark experience replay++: remember samples with the answer given then, and keep giving it.

Buzzega et al. 2020, "Dark Experience for General Continual Learning", arXiv:2004.07211, section 3
(DER++). Here the head grows, so recorded logits are compared on the classes that existed when they
were recorded.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from ..data.task import Task
from ..training.losses import cross_entropy, match_logits
from ..training.replay_buffer import Reservoir, check_replay
from .base import Method


@dataclass(eq=False)
class DERpp(Method):
    """Cross-entropy + alpha * |logits - recorded|^2 + beta * cross-entropy, on two memory draws.

    alpha, beta: weights of the two memory terms, as in the paper; beta=0 gives DER.
    memory: samples kept.  replay: samples in each draw.

    >>> DERpp(beta=0.5).settings()
    {'alpha': 0.1, 'beta': 0.5, 'memory': 200, 'replay': 32}
    """

    alpha: float = 0.1
    beta: float = 1.0
    memory: int = 200
    replay: int = 32

    def __post_init__(self) -> None:
        check_replay(self.memory, self.replay)

    def setup(self) -> None:
        self.past = Reservoir(self.memory, self.how.augment, self.rng)

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        for batch in self.batches(task):
            logits = self.net(batch.x)
            terms = {"new": cross_entropy(logits, batch.y)}
            if self.past:
                dark, old = self.past.sample(self.replay), self.past.sample(self.replay)
                if dark.logits is not None:  # a memory taken over from another method has none
                    terms["dark"] = self.alpha * match_logits(self.net(dark.x), dark.logits)
                terms["replay"] = self.beta * cross_entropy(self.net(old.x), old.y)
            yield terms
            self.past.add(batch, logits=logits.detach())
