"""A small convolutional network for small images, trained from nothing in seconds."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import SettingError
from ..nn.network import Body
from .base import Backbone
from .mlp import initialise


class Blocks(Body):
    """Three blocks of convolution, batch norm and ReLU, the image halved between; then its mean."""

    any_size = True

    def __init__(self, channels: int, base: int, rng: torch.Generator):
        super().__init__()
        sizes = [(channels, base), (base, 2 * base), (2 * base, 4 * base)]
        self.block1, self.block2, self.block3 = (
            nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU())
            for i, o in sizes
        )
        self.width = 4 * base
        initialise(self, rng)

    def forward(self, x: Tensor) -> Tensor:
        x = halved(self.block1(x))
        x = halved(self.block2(x))
        return self.block3(x).mean((2, 3))  # type: ignore[no-any-return]


def halved(x: Tensor) -> Tensor:
    """Maximum over 2 x 2, as long as there are 2 x 2."""
    return nn.functional.max_pool2d(x, 2) if min(x.shape[-2:]) > 1 else x


@dataclass
class ConvNet(Backbone):
    """base: filters of the first block (then twice and four times as many); 4 * base features.

    >>> from evergrow.data.read import Seen
    >>> net = ConvNet(base=16)
    >>> seen = Seen("image", channels=1, sizes=((28, 28),))
    >>> net.build(net.prepare(seen), torch.Generator()).width
    64
    """

    base: int = 32

    def __post_init__(self) -> None:
        if self.base < 1:
            raise SettingError(f"base={self.base}: at least 1 filter.")

    def build(self, prepared: dict[str, Any], rng: torch.Generator) -> Body:
        return Blocks(prepared["channels"], self.base, rng)
