"""Random Fourier features: columns lifted so that a linear rule on them is a kernel method.

Rahimi and Recht 2007, "Random Features for Large-Scale Kernel Machines", algorithm 1 (Gaussian
kernel).
"""

from dataclasses import dataclass
from math import pi
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..errors import SettingError
from ..network import Body
from .base import Backbone


class Cosines(Body):
    """(n, d) standardised columns -> (n, width) values in [-1, 1], cos(x W + b)."""

    trains, scale = False, 127.0
    frequencies: Tensor
    phases: Tensor

    def __init__(self, columns: int, width: int, bandwidth: float, rng: torch.Generator):
        super().__init__()
        self.width = width
        frequencies = torch.randn(columns, width, generator=rng) * (1 / bandwidth)
        self.register_buffer("frequencies", frequencies)
        self.register_buffer("phases", torch.rand(width, generator=rng) * 2 * pi)

    def forward(self, x: Tensor) -> Tensor:
        return torch.addmm(self.phases, x.clamp(-1e4, 1e4), self.frequencies).cos_()


@dataclass
class Fourier(Backbone):
    """features: how many.  bandwidth: of the Gaussian kernel, in sqrt(columns) standard deviations.

    >>> from evergrow.sources import Seen
    >>> lift = Fourier(features=500)
    >>> lift.build(lift.prepare(Seen("table", shape=(16,))), torch.Generator()).width
    500
    """

    reads: ClassVar[tuple[str, ...]] = ("table",)
    features: int = 2000
    bandwidth: float = 0.5

    def __post_init__(self) -> None:
        if self.features < 1 or self.bandwidth <= 0:
            raise SettingError(
                f"features={self.features}, bandwidth={self.bandwidth}: both must be positive."
            )

    def build(self, prepared: dict[str, Any], rng: torch.Generator) -> Body:
        spread = prepared.get("spread", prepared["columns"])
        bandwidth = self.bandwidth * max(spread, 1) ** 0.5
        return Cosines(prepared["columns"], self.features, bandwidth, rng)
