"""Dark experience replay: remember samples with the answer given then, and keep giving it.

Buzzega et al. 2020, "Dark Experience for General Continual Learning", arXiv:2004.07211, section 3
(DER: recorded logits alone, no labels, one draw a step). As published, and unlike other reservoirs
here, samples are offered in every epoch: answers of the first steps teach little.

Where we differ: in the paper the head has a row for every class that will ever come. Rows not yet
needed are pushed down at each step, as wrong answers, and recorded so; replaying that keeps later
classes down on old samples. Here the head grows, so a class born since counts as recorded at the
lowest answer that the sample was given. Without it nothing holds new classes back and the method
is no better than fine-tuning.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..data.task import Task
from ..errors import SettingError
from ..training.losses import cross_entropy, match_logits
from ..training.replay_buffer import Reservoir, check_replay, pad_columns
from .base import Method


@dataclass(eq=False)
class DER(Method):
    """Cross-entropy + alpha * mean of (logits - recorded)^2 on one draw from a reservoir.

    alpha: weight of the recorded answers, 0 or more, as in the paper (0.1 to 1 there); 1 is
        better where the learning rate is small enough for it (0.1 on Fashion-MNIST, 0.2 diverges).
    memory: samples kept, with their logits.  replay: samples in each draw.

    >>> DER(alpha=0.5).settings()
    {'alpha': 0.5, 'memory': 200, 'replay': 32}
    """

    alpha: float = 0.3
    memory: int = 200
    replay: int = 32

    def __post_init__(self) -> None:
        check_replay(self.memory, self.replay)
        if not self.alpha >= 0:
            raise SettingError(f"alpha={self.alpha}: the weight of recorded answers, 0 or more.")

    def setup(self) -> None:
        self.past = Reservoir(self.memory, self.how.augment, self.rng)

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        for batch in self.batches(task):
            logits = self.net(batch.x)
            terms = {"new": cross_entropy(logits, batch.y)}
            if self.past:
                dark = self.past.sample(self.replay)
                if dark.logits is not None:  # a memory taken over from another method has none
                    recorded = completed(dark.logits, task.total)
                    terms["dark"] = self.alpha * match_logits(self.net(dark.x), recorded)
            yield terms
            self.past.add(replace(batch, first=True), logits=logits.detach())


def completed(recorded: Tensor, total: int) -> Tensor:
    """(n, total) answers; one missing (NaN) is the row's lowest, as if the class had been wrong.

    Rows without any answer stay NaN.

    >>> completed(torch.tensor([[3.0, 1.0, torch.nan]]), 4).tolist()
    [[3.0, 1.0, 1.0, 1.0]]
    """
    recorded = pad_columns(recorded, total)
    missing = recorded.isnan()
    lowest = recorded.masked_fill(missing, torch.inf).min(1, keepdim=True).values
    return torch.where(missing & lowest.isfinite(), lowest, recorded)
