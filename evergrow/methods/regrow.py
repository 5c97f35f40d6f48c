"""Rehearsal for a trained network of which a few old images are left: hold its answers, go slowly.

It combines: replay of old images, as many of each class; the old network's softened answers, held
on old and on new images (Li and Hoiem 2016, "Learning without Forgetting", arXiv:1606.09282); the
logarithm of a class's share of the batch, added to its logit in the cross-entropy, so that a few
old images are not drowned (Menon et al. 2020, "Long-tail learning via logit adjustment",
arXiv:2007.07314); old images shifted by a pixel. The steps are small and get smaller: with five
images a class, that is most of the gain.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any

import torch
from torch import Tensor

from ..data.task import Batch, Task
from ..errors import SettingError
from ..nn.freezing import frozen
from ..nn.network import Network
from ..training.augmented_views import shifted
from ..training.losses import cross_entropy, distill
from ..training.replay_buffer import Balanced, check_replay
from .base import Method

PASSES = 120  # over a task's samples at most: a handful of images is not looked at 280 times


@dataclass(eq=False)
class Regrow(Method):
    """Cross-entropy with the batch's class shares + strength * distillation from the old network.

    strength: of the distillation, on new and old images.  temperature: softens both answers.
    memory: samples kept, beside those given by `remember`.  replay: samples drawn a step.
    steps, lr: AdamW's, on a task after the first: whole epochs, 1 to 120; the rate is in units of
        the root mean square of the network's weights, and falls to zero. A first task and streams
        follow the classifier's settings instead.
    shift: pixels by which replayed images are moved at most; nothing else is.

    Columns with neither a sample in the task nor one in memory take no part in the cross-entropy.

    >>> Regrow(steps=100).settings()["lr"]
    0.0055
    """

    strength: float = 8.0
    temperature: float = 2.0
    memory: int = 200
    replay: int = 128
    steps: int = 280
    lr: float = 0.0055
    shift: int = 1

    def __post_init__(self) -> None:
        check_replay(self.memory, self.replay)
        if self.strength < 0 or self.temperature <= 0 or min(self.steps, self.lr) <= 0:
            raise SettingError(
                f"strength={self.strength}, temperature={self.temperature}, steps={self.steps}, "
                f"lr={self.lr}: strength 0 or more, all others positive."
            )
        if self.shift < 0:
            raise SettingError(f"shift={self.shift}: pixels, 0 or more.")

    def setup(self) -> None:
        self.past = Balanced(self.memory, self.how.augment, self.rng)
        self.teacher: Network | None = None  # the network as it was at the last boundary

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        if task.boundary:
            self.teacher = frozen(self.net, task.old) if task.old else None
        for batch in self.batches(task, **self._pace(task)):
            x, y, shares = self._beside(batch, task)
            logits = self.net(x)
            terms = {"classes": cross_entropy(logits + shares.to(logits), y)}
            if self.teacher is not None and self.strength:
                soft = self.teacher(x)
                held = distill(logits[:, : soft.shape[1]], soft, self.temperature)
                terms["keep"] = self.strength * held
            yield terms
            self.past.add(batch)
        if self.how.boundary == "task":
            self.teacher = None

    def _pace(self, task: Task) -> dict[str, Any]:
        """Settings of this method's own, for a task after the first that ends."""
        if self.teacher is None or self.how.boundary != "task":
            return {}
        size = max(self.how.batch_size, 128)
        epochs = min(ceil(self.steps / ceil(len(task) / size)), PASSES)
        return {
            "batch_size": size,
            "epochs": epochs,
            "optimizer": "adamw",
            "lr": self.lr * _size(self.net),
            "schedule": "linear",
            "weight_decay": 0.0,
        }

    def _beside(self, batch: Batch, task: Task) -> tuple[Tensor, Tensor, Tensor]:
        """x and y of the batch and of as many old samples of each class; log class shares."""
        shares = len(batch.y) * torch.bincount(task.y, minlength=task.total) / len(task)
        past = torch.isin(self.past.y, task.classes, invert=True).nonzero()[:, 0]
        if not len(past):
            return batch.x, batch.y, shares.log()
        counts = torch.bincount(self.past.y[past], minlength=task.total)
        even = 1 / counts[self.past.y[past]]
        rng = self.rng("sample")
        n = min(self.replay, 4 * len(past))  # a few images need not come many times a step
        rows = past[torch.multinomial(even, n, True, generator=rng)]
        x, y = self.past.take(rows), self.past.y[rows]
        x = self.how.augment(x) if self.how.augment else shifted(x, self.shift, rng)
        shares = shares + n * (counts > 0) / (counts > 0).sum()
        return torch.cat([batch.x, x.to(batch.x)]), torch.cat([batch.y, y]), shares.log()


def _size(net: Network) -> float:
    """Root mean square of all weights but biases and the like: what steps are measured by."""
    squares = [(p.detach().square().sum(), p.numel()) for p in net.parameters() if p.dim() > 1]
    total, count = (sum(part) for part in zip(*squares, strict=True))
    return float((total / count) ** 0.5) or 1.0
