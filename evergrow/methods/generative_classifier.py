"""A generative classifier: a small autoencoder for each class; the likeliest one has it.

Van de Ven, Li and Tolias 2021, "Class-Incremental Learning with Generative Classifiers",
arXiv:2104.10093: a variational autoencoder a class, learnt from that class alone, and Bayes' rule
with equal priors on likelihoods estimated by importance sampling. There, harder data is modelled
in the features of a fixed network; here always: with `backbone="none"` these are the inputs. Where
we differ: the decoder's variance is learnt (see `vae`), the draws are the same for every input and
class, so that answers never change, and 8 do for thousands.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.func import functional_call

from ..data.task import Task
from ..errors import SettingError
from ..nn.network import modules_state
from ..nn.vae import VAE
from .base import Method


@dataclass(eq=False)
class GenerativeClassifier(Method):
    """Scores are log p(x | class), each from an autoencoder that saw the samples of its class.

    hidden, latent: units between, and dimensions of the code, of each autoencoder.
    epochs, lr: of each autoencoder, by AdamW.  codes: drawn from q(z | x) for one likelihood.

    Stored: the autoencoders. Nothing of one class moves for another, so nothing is forgotten; a
    class that returns goes on from its own weights.

    >>> GenerativeClassifier(codes=32).settings()
    {'hidden': 256, 'latent': 32, 'epochs': 10, 'lr': 0.003, 'codes': 32}
    """

    needs_fixed: ClassVar[bool] = True
    hidden: int = 256
    latent: int = 32
    epochs: int = 10
    lr: float = 0.003
    codes: int = 8

    def __post_init__(self) -> None:
        if min(self.hidden, self.latent, self.epochs, self.codes) < 1 or self.lr <= 0:
            raise SettingError(f"{self.settings()}: all at least 1, and lr positive.")

    def setup(self) -> None:
        self.models: dict[str, dict[str, Tensor]] = {}  # weights by column
        self.spread = torch.zeros(())  # of the first task's features: the unit of all others
        self.elsewhere = self.net.n_classes

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        if self.elsewhere:
            raise SettingError(
                "generative-classifier has no model of the classes that this network learnt "
                "elsewhere; use a method that goes on from its head, or learn all classes anew."
            )
        means, spread = self._moments(task)
        self.spread = self.spread if self.spread else spread
        how: dict[str, Any] = {"optimizer": "adamw", "weight_decay": 0.0}
        for c in task.classes.tolist():
            model = self._model().to(self.net.device)
            if str(c) in self.models:
                model.load_state_dict(self.models[str(c)])
            else:
                model.initialise(self.rng("models")).centre.copy_(means[c] / self.spread)
            part, params = task.part((task.y == c).nonzero()[:, 0]), list(model.parameters())
            for batch in self.batches(part, params=params, epochs=self.epochs, lr=self.lr, **how):
                x = self.net.steady(batch.x) / self.spread
                noise = torch.randn(len(x), self.latent, generator=self.rng("noise"))
                yield {"bound": model.loss(x, noise.to(x.device))}
            self.models[str(c)] = modules_state(model)

    def scores(self, x: Tensor) -> Tensor:
        features = self.net.steady(x) / self.spread.to(self.net.device)
        noise = torch.randn(self.codes, self.latent, generator=torch.Generator().manual_seed(0))
        scores = features.new_full((len(features), self.net.n_classes), -torch.inf)
        with torch.no_grad():
            for column, weights in self.models.items():
                there = {name: t.to(features.device) for name, t in weights.items()}
                inputs = features, noise.to(features.device)
                scores[:, int(column)] = functional_call(self._model(), there, inputs)
        return scores

    def serving(self) -> dict[str, Tensor]:
        named = {f"{c}.{k}": t for c, model in self.models.items() for k, t in model.items()}
        return named | {"spread": self.spread}

    def serve(self, tensors: dict[str, Tensor]) -> None:
        self.spread, self.models = tensors["spread"], {}
        for name, t in tensors.items():
            column, dot, rest = name.partition(".")
            if dot:
                self.models.setdefault(column, {})[rest] = t

    def _model(self) -> VAE:
        return VAE(self.net.width, self.hidden, self.latent)

    def _moments(self, task: Task) -> tuple[Tensor, Tensor]:
        """(classes, width) means of features, and the root mean square of all around their mean."""
        sums, squares = torch.zeros(task.total, self.net.width), torch.zeros(self.net.width)
        for features, y in self.features(task):
            sums.index_add_(0, y, features.cpu().float())
            squares += features.cpu().float().square().sum(0)
        mean = sums.sum(0) / len(task)
        variance = (squares / len(task) - mean.square()).mean().clamp(min=0)
        size = variance if variance > 1e-12 else mean.square().mean()
        counts = torch.bincount(task.y, minlength=task.total).clamp(min=1)
        return sums / counts[:, None], size.sqrt() if size > 0 else torch.ones(())
