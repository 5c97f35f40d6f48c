"""A second opinion beside a network that changes: exact sums over random features of the inputs."""

import copy
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from . import discriminant, solution
from .feature_statistics import FeatureStatistics
from .random_projection import Projection

_SIDE = 32  # pixels: larger images are averaged down


class RanDumb:
    """Linear discriminants on fixed random ReLU features: one pass, nothing is forgotten.

    Source: Prabhu et al. 2024, "RanDumb: A Simple Approach that Questions the Efficacy of Continual
    Representation Learning", arXiv:2402.08823; there the features are random Fourier features.
    Stored: counts, sums and Gram matrix of `size` features (about size^2 * 4 bytes) and 20 integer
    feature rows a class, no input.

    >>> opinion = RanDumb(size=8)
    >>> x = torch.tensor([[5.0, 0.0], [4.0, 1.0], [0.0, 5.0], [1.0, 4.0]])
    >>> opinion.add(x, torch.tensor([0, 0, 1, 1]), total=2)
    >>> opinion.log_shares(x).argmax(1).tolist()
    [0, 0, 1, 1]
    """

    def __init__(self, size: int, seed: int = 0):
        self.size, self.seed = size, seed
        self.sums = FeatureStatistics(size)
        self.layer: Projection | None = None
        self.scale = 0.0  # inputs times this, rounded, are the integers that are combined
        self._answer: dict[str, Tensor] = {}

    def add(self, x: Tensor, y: Tensor, total: int) -> None:
        """Take in inputs (n, ...) and their columns (n,), below `total`."""
        flat = _flat(x)
        if not self.scale:
            largest = float(flat.abs().max()) if flat.numel() else 0.0
            byte = x.dtype == torch.uint8  # its range is known before any is seen
            self.scale = 0.5 if byte else 127 / (1.25 * largest) if largest else 1.0
        q = self._integers(flat)
        if self.layer is None:
            self.layer = Projection(q.shape[1], self.size, self.seed)
            self.layer.fix(q)
        self._answer = {}
        self.sums.grow(total)
        self.sums.add(self.layer(q), y)

    def fork(self) -> "RanDumb":
        """The same, to go on from: what is added to one is not in the other."""
        twin = copy.copy(self)
        twin.sums = self.sums.fork()
        twin.layer = None if self.layer is None else self.layer.fork()
        return twin

    def settle(self) -> None:
        """From here on several threads may ask."""
        self.sums.settle()

    def covers(self, classes: int) -> bool:
        """Whether it has seen each of the first `classes` columns."""
        seen = self._answer["seen"] if self._answer else self.sums.counts > 0
        return len(seen) >= classes > 0 and bool(seen[:classes].all())

    def log_shares(self, x: Tensor) -> Tensor:
        """(n, classes) logarithms of probabilities, on the CPU."""
        answer, q = self.answer(), self._integers(_flat(x))
        assert self.layer is not None
        layer, temperature = self.layer, answer["temperature"]

        def shares(block: Tensor) -> Tensor:
            scores = layer(block).float() @ answer["weight"] + answer["bias"]
            return (scores / temperature).log_softmax(1)

        return solution.scores_in_blocks(q, shares)

    def answer(self) -> dict[str, Tensor]:
        """All that answering needs, as tensors; `serve` takes it."""
        if not self._answer and self.layer is not None:
            solved = discriminant.lda(self.sums, rule="gaussian")
            self._answer = {
                "weight": solved.weight,
                "bias": solved.bias,
                "temperature": torch.tensor([solved.temperature]),
                "seen": self.sums.counts > 0,
                "width": torch.tensor([self.layer.width]),
                "units": torch.tensor([self.layer.unit, self.scale], dtype=torch.float64),
            }
        return self._answer

    def serve(self, tensors: dict[str, Tensor]) -> None:
        """Answer by what `answer` gave, without the sums."""
        self._answer = tensors
        if tensors:
            unit, self.scale = tensors["units"].tolist()
            self.layer = Projection(int(tensors["width"]), self.size, self.seed)
            self.layer.unit = unit

    def state(self) -> dict[str, Any]:
        """The sums, and what turns inputs into their rows."""
        layer = None if self.layer is None else {"width": self.layer.width} | self.layer.state()
        return {"sums": self.sums.state(), "scale": self.scale, "layer": layer}

    def fill(self, state: dict[str, Any]) -> None:
        """Become the one that gave this state.  Raises DataError if it is of another size."""
        self._answer, self.scale, self.layer = {}, state["scale"], None
        self.sums.fill(state["sums"])
        if state["layer"] is not None:
            self.layer = Projection(state["layer"]["width"], self.size, self.seed)
            self.layer.fill(state["layer"])

    def _integers(self, flat: Tensor) -> Tensor:
        return (flat * self.scale).round().clamp(-127, 127).to(torch.int8)


def _flat(x: Tensor) -> Tensor:
    """(n, width) float32 on the CPU; images larger than 32 pixels a side averaged down."""
    x = x.detach().cpu().float()
    if x.dim() == 4 and max(x.shape[2:]) > _SIDE:
        height, width = x.shape[2:]
        x = adaptive_avg_pool2d(x, (min(height, _SIDE), min(width, _SIDE)))
    return x.flatten(1)
