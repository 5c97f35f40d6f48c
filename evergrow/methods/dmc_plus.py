"""Consolidation that asks which unlabelled inputs are new, and uses the labelled ones too.

Grown from deep model consolidation (Zhang et al. 2020, arXiv:1903.07864; here `dmc`), with two
knowers whose answers meet as probabilities, so that their scales and offsets do not matter: the old
network speaks on unlabelled inputs that are old, the labels speak on new ones. Which unlabelled
inputs are new is a question of positive and unlabelled learning, answered as by Garg et al. 2021,
"Mixture Proportion Estimation and PU Learning: A Modern Approach", arXiv:2111.00980: the share of
new ones is estimated from scores (best bin estimation), the inputs of highest score, as many, are
left out, and all others count as old; in turns. Where we differ: there the classifier has two
classes, here it is the student itself, begun at the old network; its score is the sum of what it
gives to new classes, and the unlabelled inputs that are scored are those it learns from.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..analytic.novelty import share_of_known
from ..data.task import Batch, Records, Task
from ..errors import SettingError
from ..nn.freezing import frozen
from ..nn.network import Network
from ..training.losses import cross_entropy, cross_entropy_among, distill
from ..training.replay_buffer import distinct
from .base import Method


@dataclass(eq=False)
class DMCPlus(Method):
    """Cross-entropy on labelled inputs + the old network's answers on unlabelled ones that are old.

    steps, lr: AdamW's on a task with unlabelled inputs, after the first: whole passes over them,
        two at least; the rate falls to zero.  replay: labelled samples a step, beside as many
        unlabelled ones.
    held: share of the labelled samples that is not trained on, to estimate the share of new
        inputs by; in (0, 1).
    strength: of the distillation on the task's own inputs where there are no unlabelled ones: then
        this is LwF, and a warning says so.

    To each logit the logarithm of its class's share in the batch is added while learning, as in
    `regrow`. Unlabelled inputs of no class at all are taken for old ones. Nothing is stored.

    >>> DMCPlus(steps=100).settings()
    {'steps': 100, 'lr': 0.001, 'replay': 128, 'held': 0.1, 'strength': 1.0}
    """

    uses_auxiliary: ClassVar[bool] = True
    steps: int = 550
    lr: float = 0.001
    replay: int = 128
    held: float = 0.1
    strength: float = 1.0

    def __post_init__(self) -> None:
        if min(self.steps, self.replay) < 1 or self.lr <= 0 or self.strength < 0:
            raise SettingError(
                f"steps={self.steps}, replay={self.replay}, lr={self.lr}, "
                f"strength={self.strength}: whole numbers and the rate are positive, strength is "
                "0 or more."
            )
        if not 0 < self.held < 1:
            raise SettingError(f"held={self.held}: a share, in (0, 1).")

    def setup(self) -> None:
        self.share: float = 0.0  # of new inputs among the last unlabelled ones, as estimated
        self._notes: list[str] = []

    def warnings(self) -> list[str]:
        return self._notes

    def figures(self) -> dict[str, Any]:
        """The share of new inputs among the unlabelled ones of the last task that had such."""
        return {"share_of_new": self.share}

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        self._notes = []
        old = frozen(self.net, task.old) if task.old and task.boundary else None
        later = task.y >= task.old
        if old is not None and task.auxiliary is not None and later.any():
            yield from self._consolidate(task, old, task.auxiliary)
            return
        if old is not None and task.auxiliary is not None:
            self._notes = [
                "no class is new: the unlabelled inputs were passed over, and the old network's "
                "answers on the task's own inputs stood in."
            ]
        for batch in self.batches(task):
            logits = self.net(batch.x)
            if old is None:
                yield {"new": cross_entropy(logits, batch.y)}
                continue
            distilled = distill(logits[:, : task.old], old(batch.x))
            new = cross_entropy_among(logits, batch.y, task.classes)
            yield {"new": new, "keep": self.strength * distilled}

    def _consolidate(
        self, task: Task, old: Network, inputs: Records
    ) -> Iterator[dict[str, Tensor]]:
        shown, apart = self._apart(task)
        unlabelled = replace(task, records=inputs, y=torch.arange(len(inputs)))
        size = min(self.replay, max(len(inputs), 1))
        each = ceil(len(inputs) / size)
        epochs = max(2, ceil(self.steps / each))
        how: dict[str, Any] = {"optimizer": "adamw", "weight_decay": 0.0}
        how |= {"epochs": epochs, "batch_size": size, "lr": self.lr, "schedule": "linear"}
        is_new, self.share = torch.zeros(len(inputs), dtype=torch.bool), 0.0
        for done, batch in enumerate(self.batches(unlabelled, **how)):
            if done and done % each == 0:
                is_new = self._new(task, inputs, apart)
            yield self._terms(task, shown, old, batch, is_new)

    def _terms(
        self, task: Task, shown: Tensor, old: Network, batch: Batch, is_new: Tensor
    ) -> dict[str, Tensor]:
        """Both terms of one step; rows of the batch that seem new are left out."""
        rng = self.rng("labelled")
        rows = shown[torch.randint(len(shown), (self.replay,), generator=rng)]
        x = task.records.take(rows)
        x = self.how.augment(x) if self.how.augment else x
        stay = ~is_new[batch.y]
        logits = self.net(torch.cat([x, batch.x.to(x)]))
        labelled = torch.bincount(task.y[shown], minlength=task.total) * self.replay / len(shown)
        labelled[: task.old] += (1 - self.share) * len(batch.y) / task.old
        logits = logits + labelled.log().to(logits)
        answers = old(batch.x).softmax(1)[stay]
        log_shares = logits[self.replay :][stay].log_softmax(1)[:, : task.old]
        return {
            "new": cross_entropy(logits[: self.replay], task.y[rows]),
            "old": -(answers * log_shares).sum() / len(batch.y),
        }

    def _apart(self, task: Task) -> tuple[Tensor, Tensor]:
        """Rows to train on, and rows of new classes to estimate by; the same where they are few."""
        later = (task.y >= task.old).nonzero()[:, 0]
        n = int(self.held * len(later))
        if n < 10:
            return torch.arange(len(task)), later
        held = later[distinct(len(later), n, self.rng("held"))]
        stays = torch.ones(len(task), dtype=torch.bool)
        stays[held] = False
        return stays.nonzero()[:, 0], held

    def _new(self, task: Task, inputs: Records, apart: Tensor) -> Tensor:
        """(n,) whether each unlabelled input seems new: those of highest score, by the share."""
        scores = self._scored(task, inputs, torch.arange(len(inputs)))
        self.share = share_of_known(self._scored(task, task.records, apart), scores)
        top = scores.argsort(descending=True, stable=True)[: int(self.share * len(scores))]
        chosen = torch.zeros(len(scores), dtype=torch.bool)
        chosen[top] = True
        return chosen

    @torch.no_grad()
    def _scored(self, task: Task, inputs: Records, rows: Tensor) -> Tensor:
        """(n,) what the student gives to new classes, all together, in [0, 1]."""
        parts = []
        for some in rows.split(1024):
            logits = self.net.head(self.net.steady(inputs.take(some)))
            parts.append(logits.softmax(1)[:, task.old :].sum(1).cpu())
        return torch.cat(parts)
