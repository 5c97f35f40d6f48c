"""Supervised contrastive replay: draw views of a class together, answer the nearest class mean.

Mai et al. 2021, "Supervised Contrastive Replay: Revisiting the Nearest Class Mean Classifier in
Online Class-Incremental Continual Learning", arXiv:2103.13885. As published, new and replayed
samples stand beside one augmented view of each, and a projection head is dropped at prediction.

Where we differ: views are the model's `augment`, as published, only if it has one; else
`augmented_views` gives mild ones that need no knowledge of the data (a crop of images and their
brightness, noise in tables), where the paper crops harder, mirrors and changes colours. Several
epochs are allowed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import linear, normalize

from ..data.task import Batch, Task
from ..errors import SettingError
from ..training.augmented_views import view
from ..training.exemplars import check_remembered
from ..training.losses import supervised_contrastive
from ..training.replay_buffer import Memory, Reservoir, check_replay
from .nearest_mean import NearestMean


@dataclass(eq=False)
class SCR(NearestMean):
    """Supervised contrastive loss on new and replayed samples, two views each; nearest mean.

    memory: samples kept.  replay: samples drawn at each step; the more, the better.
    temperature: divides the similarities (tau in the paper), positive; 0.07 there.
    width: outputs of the projection head; 128 in the paper.
    flip: mirror half of the images in views of our own.

    Stored: the memory, the projection, and the mean of each class's features in the memory, of unit
    length. The head is not trained; a class that has left the memory is never answered. Scores are
    minus the squared distance, in [-4, 0], so probabilities are never sharp.

    >>> SCR(memory=500).settings()
    {'memory': 500, 'replay': 32, 'temperature': 0.07, 'width': 128, 'flip': False}
    """

    memory: int = 200
    replay: int = 32
    temperature: float = 0.07
    width: int = 128
    flip: bool = False

    def __post_init__(self) -> None:
        check_replay(self.memory, self.replay)
        if self.memory < 1 or not self.temperature > 0 or self.width < 1:
            raise SettingError(
                f"memory={self.memory}, temperature={self.temperature}, width={self.width}: "
                "all must be positive."
            )

    def setup(self) -> None:
        self.past = Reservoir(self.memory, self.how.augment, self.rng)
        self.projection = [self._layer(self.net.width), self._layer(self.width)]
        self.means = None

    def _layer(self, rows: int) -> Tensor:
        """(rows, width + 1) weights and, last, biases."""
        width = self.net.width
        drawn: Tensor = torch.rand(rows, width + 1, generator=self.rng("projection")) * 2 - 1
        return drawn / float(width**0.5)

    @property
    def samples(self) -> Memory:
        return self.past

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        check_remembered(self.past, task)
        layers = [layer.to(self.net.device).clone().requires_grad_() for layer in self.projection]
        weights = [*self.net.backbone.parameters(), *layers]
        for batch in self.batches(task, params=weights):
            old = self.past.sample(self.replay) if self.past else None
            y = batch.y if old is None else torch.cat([batch.y, old.y])
            z = [self._projected(x, layers) for x in self._views(batch, old)]
            loss = supervised_contrastive(torch.cat(z), torch.cat([y, y]), self.temperature)
            yield {"contrast": loss}
            self.past.add(batch)
        self.projection = [layer.detach().cpu() for layer in layers]
        self.take_means()

    def _views(self, batch: Batch, old: Batch | None) -> tuple[Tensor, Tensor]:
        """New and replayed samples as they are, and a view of each."""
        raw = batch.raw if old is None else torch.cat([batch.raw, old.raw])
        if self.how.augment is None:
            return raw, view(raw, self.rng("views"), self.flip)
        return raw, batch.x if old is None else torch.cat([batch.x, old.x])

    def _projected(self, x: Tensor, layers: list[Tensor]) -> Tensor:
        """(n, width) unit vectors: a hidden layer as wide as the features, then the output."""
        first, second = layers
        hidden = linear(self.net.features(x), first[:, :-1], first[:, -1]).relu()
        return normalize(linear(hidden, second[:, :-1], second[:, -1]), dim=1)
