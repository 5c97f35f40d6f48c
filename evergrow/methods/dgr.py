"""Deep generative replay: old inputs are drawn by a generator and labelled by the old network.

Shin et al. 2017, "Continual Learning with Deep Generative Replay", arXiv:1705.08690: a scholar is a
generator and a solver; the next one learns the new data and what the last one draws, old against
new by their importance, here the share of tasks. Where we differ: the generator is a variational
autoencoder (theirs a WGAN-GP), and the solver's answers to drawn inputs may be learnt as soft
targets, as in van de Ven and Tolias 2018, "Generative replay with feedback connections",
arXiv:1809.10635 ("distillation"); new classes are part of that answer, with target 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..data.task import Task
from ..errors import SettingError
from ..nn.freezing import frozen
from ..nn.network import modules_state
from ..nn.vae import VAE
from ..training.losses import cross_entropy, distill
from ..training.replay_buffer import pad_columns
from .base import Method


@dataclass(eq=False)
class DGR(Method):
    """share * cross-entropy on the new batch + (1 - share) * old answers to inputs that are drawn.

    share: 1 / tasks so far (r in the paper); the generator's losses are weighed alike.
    replay: inputs drawn at each step.  temperature: of soft targets (2 is usual); 0: hard labels.
    hidden, latent: units of the autoencoder, dimensions of its code.
    epochs, lr: passes of the generator over a task before the network's, and its rate, by AdamW.

    The generator's standard deviation is at least 0.5 in the units the network reads (images lie in
    0..1): below, draws from the prior were not like any class.

    Stored: the generator. A network trained elsewhere has none: its classes are not replayed. In a
    stream, a chunk without new classes is no new task; its share is that of the task before.

    >>> DGR(replay=128).settings()  # doctest: +NORMALIZE_WHITESPACE
    {'replay': 128, 'temperature': 2.0, 'hidden': 400, 'latent': 100, 'epochs': 10, 'lr': 0.001}
    """

    replay: int = 32
    temperature: float = 2.0
    hidden: int = 400
    latent: int = 100
    epochs: int = 10
    lr: float = 0.001

    def __post_init__(self) -> None:
        whole = min(self.replay, self.hidden, self.latent, self.epochs)
        if whole < 1 or self.lr <= 0 or self.temperature < 0:
            raise SettingError(f"{self.settings()}: numbers at least 1, temperature 0 or more.")

    def setup(self) -> None:
        self.generator: dict[str, Tensor] = {}
        self.tasks, self.low, self.high = 0, float("inf"), float("-inf")  # range of inputs seen

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        solver, old = frozen(self.net), self.generator
        self.tasks += int(task.boundary or not old)
        share = 1 / self.tasks if old else 1.0
        shape = self._inputs(task.records.take(torch.arange(1))).shape[1:]
        model, before = self._model(shape.numel(), old), self._model(shape.numel(), old)
        params: dict[str, Any] = {"params": list(model.parameters()), "optimizer": "adamw"}
        for batch in self.batches(task, epochs=self.epochs, lr=self.lr, weight_decay=0.0, **params):
            x = self._inputs(batch.raw).flatten(1)
            self.low, self.high = min(self.low, float(x.min())), max(self.high, float(x.max()))
            terms = {"generator": share * model.loss(x, self._noise(len(x)))}
            if old:
                past = model.loss(self._drawn(before), self._noise(self.replay))
                terms["generator of old"] = (1 - share) * past
            yield terms
        self.generator = modules_state(model)
        for batch in self.batches(task):
            terms = {"new": share * cross_entropy(self.net(batch.x), batch.y)}
            if old:
                x = self._drawn(before).view(-1, *shape)
                logits = self.net.head(self.net.through(x))
                with torch.no_grad():
                    answer = solver.head(solver.through(x))[:, : max(task.old, 1)]
                terms["replay"] = (1 - share) * self._keep(logits, answer)
            yield terms

    def _keep(self, logits: Tensor, answer: Tensor) -> Tensor:
        if not self.temperature:
            return cross_entropy(logits, answer.argmax(1))
        return distill(logits, pad_columns(answer, logits.shape[1], -torch.inf), self.temperature)

    def _inputs(self, x: Tensor) -> Tensor:
        x = self.net.inputs(x.to(self.net.device))
        if not x.is_floating_point():
            raise SettingError(f"dgr draws numbers and cannot draw {x.dtype} inputs; take another.")
        return x

    def _model(self, width: int, weights: dict[str, Tensor]) -> VAE:
        model = VAE(width, self.hidden, self.latent, floor=0.5).initialise(self.rng("generator"))
        if weights:
            model.load_state_dict(weights)
        return model.to(self.net.device)

    def _noise(self, n: int) -> Tensor:
        noise = torch.randn(n, self.latent, generator=self.rng("noise"))
        return noise.to(self.net.device)

    @torch.no_grad()
    def _drawn(self, model: VAE) -> Tensor:
        return model.draw(self._noise(self.replay)).clamp(self.low, self.high)
