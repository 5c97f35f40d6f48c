"""iCaRL: learn with the old network's outputs as targets; answer the nearest mean of exemplars.

Rebuffi et al. 2017, "iCaRL: Incremental Classifier and Representation Learning", arXiv:1611.07725:
classification by the nearest mean of exemplars (algorithm 1), update of the representation
(algorithm 3), exemplars by herding (algorithms 4 and 5).

Where we differ: the old outputs are computed as the batches come (the paper computes them once
before training), so that augmented views have targets of their own. The paper has no class that
returns: here it learns from its labels like a new one. With `replay`, each step draws exemplars
beside the batch; as published (0) they are shuffled into the new data, where a short training sees
them rarely.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..data.task import Task
from ..nn.freezing import frozen
from ..nn.network import Network
from ..training.exemplars import Exemplars, check_remembered
from ..training.losses import binary_cross_entropy
from ..training.replay_buffer import Memory, check_replay, with_replay
from .nearest_mean import NearestMean


@dataclass(eq=False)
class ICaRL(NearestMean):
    """Sigmoid cross-entropy, old columns towards the old network's outputs; nearest mean answers.

    memory: exemplars kept, equal numbers a class (K in the paper).
    replay: exemplars drawn at each step; 0: all shuffled into the new data once an epoch.

    Stored beside the exemplars: the mean of their features of each class, of unit length. Scores
    are minus the squared distance to it, in [-4, 0], so probabilities are never sharp. Small
    learning rates do best: what is learnt fast moves the features of old classes.

    >>> ICaRL(memory=500).settings()
    {'memory': 500, 'replay': 0}
    """

    memory: int = 200
    replay: int = 0

    def __post_init__(self) -> None:
        check_replay(self.memory, self.replay, least=0)

    def setup(self) -> None:
        self.exemplars = Exemplars(self.memory, self.how.augment, self.rng)
        self.means = None
        self.teacher: Network | None = None  # the network as it was at the last boundary

    @property
    def samples(self) -> Memory:
        return self.exemplars

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        check_remembered(self.exemplars, task)
        self.exemplars.share(task.total)  # raises before it trains, not after
        if task.boundary:
            self.teacher = frozen(self.net, task.old) if task.old else None
        distilled = task.absent(0 if self.teacher is None else self.teacher.n_classes)
        for batch in self.batches(task, mix=None if self.replay else self.exemplars):
            x, y = with_replay(batch, self.exemplars, self.replay)
            logits = self.net(x)
            target = torch.zeros_like(logits)
            target[torch.arange(len(y)), y] = 1
            if self.teacher is not None:
                target[:, distilled] = self.teacher(x)[:, distilled].sigmoid()
            yield {"all": binary_cross_entropy(logits, target)}
        if self.how.boundary == "task":
            self.teacher = None
        self.exemplars.choose(task, self.net.steady)
        self.take_means()
