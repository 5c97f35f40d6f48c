"""Weight imprinting: the head's row of a new class is the mean of its features of unit length.

Qi, Brown and Lowe 2018, "Low-Shot Learning with Imprinted Weights", arXiv:1712.07136, section 3: a
cosine head, base classes trained by gradient, new classes imprinted (their average of normalised
embeddings), and fine-tuning as an option. Where we differ: the scale of the cosines is a setting,
not learnt; a class that returns is averaged over all its samples, and a trained row counts as the
mean of the samples it was trained on; and a network trained elsewhere keeps its linear head.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize, pad

from ..data.task import Task
from ..errors import SettingError
from ..training.losses import cross_entropy
from .base import Method


@dataclass(eq=False)
class Imprint(Method):
    """scale * cosine of feature and row; the first classes are trained, later ones imprinted.

    scale: of the cosines before the softmax (s in the paper, learnt there); positive.
    finetune: train the whole network on each later task too, once its classes are imprinted; old
        classes are then forgotten as by `finetune`. Without it old rows and the backbone stay.

    On a network trained elsewhere (`adopt`) no row changes: its head is linear and stays so, old
    rows and biases give the old answers, and a new row has the mean norm of the old ones and their
    mean bias. Keeps, for each class, the sum of its features of unit length and a count.

    >>> Imprint(finetune=True).settings()
    {'scale': 10.0, 'finetune': True}
    """

    scale: float = 10.0
    finetune: bool = False

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise SettingError(f"scale={self.scale}: the factor of the cosines, positive.")

    def setup(self) -> None:
        self.linear = self.net.n_classes  # rows of a network trained elsewhere
        self.sums = torch.zeros(0, self.net.width)
        self.counts = torch.zeros(0)

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        missing = task.total - len(self.sums)
        self.sums, self.counts = pad(self.sums, (0, 0, 0, missing)), pad(self.counts, (0, missing))
        trained = bool((self.counts > 0).any()) or self.linear > 0
        if trained or len(task.classes) < 2:  # one class alone has nothing to be trained against
            self._imprint(task)
            if not self.finetune:
                return
        for batch in self.batches(task):
            yield {"new": cross_entropy(self._logits(self.net.features(batch.x)), batch.y)}
        if not trained:
            self.counts += torch.bincount(task.y, minlength=task.total)
        unit = normalize(self.net.head.weight.detach().cpu(), dim=1)
        self.sums = self.counts[:, None] * unit

    def _imprint(self, task: Task) -> None:
        for features, y in self.features(task):
            self.sums.index_add_(0, y, normalize(features.float(), dim=1).cpu())
            self.counts += torch.bincount(y, minlength=task.total)
        rows, head = task.classes[task.classes >= self.linear], self.net.head
        weight = normalize(self.sums[rows], dim=1).to(head.weight)
        if self.linear:
            weight = weight * head.weight.data[: self.linear].norm(dim=1).mean()
            head.bias.data[rows] = head.bias.data[: self.linear].mean()
        head.weight.data[rows] = weight

    def _logits(self, features: Tensor) -> Tensor:
        head = self.net.head
        if self.linear:
            return head(features)  # type: ignore[no-any-return]
        return self.scale * head.cosines(features)

    def scores(self, x: Tensor) -> Tensor:
        return self._logits(self.net.features(x))

    def serving(self) -> dict[str, Tensor]:
        return {"linear": torch.tensor([self.linear])}

    def serve(self, tensors: dict[str, Tensor]) -> None:
        self.linear = int(tensors["linear"])
