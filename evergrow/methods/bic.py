"""Bias correction: two numbers for the new classes' logits, fit on samples held out of training.

Wu et al. 2019, "Large Scale Incremental Learning", arXiv:1905.13260: stage 1, cross-entropy and
distillation; stage 2, bias correction. The old network answers with its own correction.

Where we differ: samples are held out of the first task too, so that its classes are judged on
samples never trained on; stage 2 takes AdamW steps on all of them at once, on logits computed once.
With `replay`, each step draws exemplars beside the batch; as published (0) they are shuffled into
the new data, where a short training sees them rarely. The weight of distillation is the share of
old classes in the paper, where none returns; here of those that the task does not bring again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..data.task import Task, Tensors
from ..errors import SettingError
from ..nn.freezing import frozen
from ..nn.network import Network
from ..training.exemplars import Exemplars
from ..training.losses import cross_entropy, distilled
from ..training.replay_buffer import check_replay, pad_columns, with_replay
from .base import Method


@dataclass(eq=False)
class BiC(Method):
    """Distillation and cross-entropy; then new logits become alpha * logit + beta, fit apart.

    memory: exemplars kept, those held out among them.
    replay: exemplars drawn at each step; 0: all shuffled into the new data once an epoch.
    held_out: share of the memory that is never trained on, between 0 and 1; 0.1 in the paper.
    temperature: softens both answers in the distillation; 2 in the paper, positive.
    steps: of stage 2.

    Stored: exemplars, held-out samples (as many of each class), and the correction of each column.

    >>> BiC(memory=500).settings()
    {'memory': 500, 'replay': 0, 'held_out': 0.1, 'temperature': 2.0, 'steps': 200}
    """

    memory: int = 200
    replay: int = 0
    held_out: float = 0.1
    temperature: float = 2.0
    steps: int = 200

    def __post_init__(self) -> None:
        check_replay(self.memory, self.replay, least=0)
        if not 0 < self.held_out < 1 or not self.temperature > 0 or self.steps < 1:
            raise SettingError(
                f"held_out={self.held_out}, temperature={self.temperature}, steps={self.steps}: "
                "held_out lies between 0 and 1, temperature is positive, steps 1 or more."
            )

    def setup(self) -> None:
        apart = round(self.memory * self.held_out)
        self.exemplars = Exemplars(self.memory - apart, self.how.augment, self.rng)
        self.apart = Exemplars(apart, None, self.rng)
        self.correction = torch.tensor([[1.0], [0.0]])[:, :0]  # (2, columns): alpha, beta
        self.teacher: Network | None = None  # the network as it was at the last boundary

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        self.exemplars.share(task.total)  # raises before it trains, not after
        if task.boundary:
            self.teacher = self._corrected(task.old) if task.old else None
        k = 0 if self.teacher is None else self.teacher.n_classes
        mix = len(task.absent(k)) / task.total
        held = self._held(task)
        part = task.part((~held).nonzero()[:, 0])
        for batch in self.batches(part, mix=None if self.replay else self.exemplars):
            x, y = with_replay(batch, self.exemplars, self.replay)
            soft = None if self.teacher is None else self.teacher(x)
            yield distilled(self.net(x), y, soft, mix, self.temperature)
        if self.how.boundary == "task":
            self.teacher = None
        self._keep(self.apart, task, held)
        self.exemplars.choose(part, self.net.steady)
        if task.boundary:
            yield from self._correct(task)

    def _correct(self, task: Task) -> Iterator[dict[str, Tensor]]:
        """Stage 2: fit alpha and beta of the new columns on what was held out."""
        new = torch.arange(task.total) >= task.old
        self.correction = torch.stack([torch.ones(task.total), torch.zeros(task.total)])
        judged = new[self.apart.y]
        if not judged.any() or judged.all():
            return  # the first task, or one without new classes, or nothing held out
        with torch.no_grad():
            logits = torch.cat([self.net(x).float() for x in self.apart.x.split(1024)])
        fitted = self.correction[:, -1].clone().to(logits.device).requires_grad_()
        apart = Task(Tensors(logits), self.apart.y, task.old, task.total)
        how: dict[str, Any] = {"epochs": self.steps, "batch_size": len(apart), "num_workers": 0}
        how |= {"optimizer": "adamw", "lr": 0.02, "weight_decay": 0.0, "augment": None}
        columns = new.to(logits.device)
        for batch in self.batches(apart, params=[fitted], **how):
            corrected = torch.where(columns, fitted[0] * batch.x + fitted[1], batch.x)
            yield {"correction": cross_entropy(corrected, batch.y)}
        self.correction[:, new] = fitted.detach().cpu()[:, None]

    def _corrected(self, old: int) -> Network:
        """The network as it is, its correction multiplied into the head."""
        teacher = frozen(self.net, old)
        alpha, beta = self._parameters()[:, :old].to(teacher.device)
        teacher.head.weight.mul_(alpha[:, None])
        teacher.head.bias.mul_(alpha).add_(beta)
        return teacher

    def _parameters(self) -> Tensor:
        """(2, classes) alpha and beta; those of columns not corrected are 1 and 0."""
        alpha, beta = self.correction
        n = self.net.n_classes
        return torch.cat([pad_columns(alpha[None], n, 1.0), pad_columns(beta[None], n, 0.0)])

    def _held(self, task: Task) -> Tensor:
        """(n,) which samples are held out: as many of each class, at most half of a class."""
        each = self.apart.room // task.total
        order = torch.randperm(len(task), generator=self.rng("held out"))
        held = torch.zeros(len(task), dtype=torch.bool)
        for c in task.classes:
            rows = order[task.y[order] == c]
            held[rows[: min(each, len(rows) // 2)]] = True
        return held

    def _keep(self, memory: Exemplars, task: Task, rows: Tensor) -> None:
        for x, y in task.part(rows.nonzero()[:, 0]).blocks(1024):
            memory.remember(x, y)

    def remember(self, task: Task) -> None:
        held = self._held(task)
        self._keep(self.apart, task, held)
        self._keep(self.exemplars, task, ~held)

    def scores(self, x: Tensor) -> Tensor:
        """Logits, those of the classes that came last corrected."""
        logits = super().scores(x)
        alpha, beta = self._parameters().to(logits.device)
        return logits * alpha + beta  # type: ignore[no-any-return]

    def serving(self) -> dict[str, Tensor]:
        return {"correction": self.correction}

    def serve(self, tensors: dict[str, Tensor]) -> None:
        self.correction = tensors["correction"]
