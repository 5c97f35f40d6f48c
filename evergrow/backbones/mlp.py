"""Fully connected layers: the network of most class-incremental tables on small images."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..errors import SettingError
from ..nn.network import Body
from .base import Backbone
from .identity import shape_of


def initialise(module: nn.Module, rng: torch.Generator) -> None:
    """Zero biases; weights drawn from `rng` alone, with variance 2 / inputs in convolutions.

    That is He et al. 2015 (arXiv:1502.01852, eq. 10). In linear layers it is 1 / inputs (LeCun et
    al. 1998): from He's, replayed logits diverged at a learning rate of 0.1.
    """
    for m in module.modules():
        if isinstance(m, nn.Conv2d):
            nn.init.kaiming_normal_(m.weight, nonlinearity="relu", generator=rng)
        elif isinstance(m, nn.Linear):
            nn.init.normal_(m.weight, 0, m.in_features**-0.5, generator=rng)
            nn.init.zeros_(m.bias)


class Layers(Body):
    """Linear + ReLU, again and again."""

    def __init__(self, inputs: int, hidden: Sequence[int], rng: torch.Generator):
        super().__init__()
        self.width = hidden[-1]
        sizes = list(zip([inputs, *hidden], hidden, strict=False))
        self.layers = nn.Sequential(*[m for i, o in sizes for m in (nn.Linear(i, o), nn.ReLU())])
        initialise(self, rng)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.flatten(1).float())  # type: ignore[no-any-return]


@dataclass
class MLP(Backbone):
    """hidden: widths of the layers, each followed by ReLU; the last is the number of features.

    >>> from evergrow.data.read import Seen
    >>> mlp = MLP(hidden=(400, 400))
    >>> mlp.build(mlp.prepare(Seen("table", shape=(64,))), torch.Generator()).width
    400
    """

    reads: ClassVar[tuple[str, ...]] = ("image", "table", "tensor")
    hidden: Sequence[int] = (256, 256)

    def __post_init__(self) -> None:
        if not self.hidden or min(self.hidden) < 1:
            raise SettingError(f"hidden={self.hidden!r}: one width or more, each at least 1.")

    def build(self, prepared: dict[str, Any], rng: torch.Generator) -> Body:
        return Layers(prod(shape_of(prepared)), list(self.hidden), rng)
