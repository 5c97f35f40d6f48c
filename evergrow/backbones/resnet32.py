"""The 32-layer residual network for CIFAR: the backbone of most class-incremental papers.

He et al. 2016, "Deep Residual Learning for Image Recognition", arXiv:1512.03385, section 4.2
(n = 5), with their parameter-free shortcuts (option A); as in iCaRL and its successors, 64 features
after global average pooling.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, relu

from ..nn.network import Body
from .base import Backbone
from .mlp import initialise


class Residual(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut; `stride` 2 halves the image, doubles channels."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.stride, self.extra = stride, outputs - inputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm2(self.conv2(relu(self.norm1(self.conv1(x)))))
        if self.stride > 1:
            x = pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.extra))
        return relu(x + y)


class Residuals(Body):
    """3 stages of 5 residual blocks of 16, 32 and 64 channels."""

    any_size = True

    def __init__(self, channels: int, rng: torch.Generator):
        super().__init__()
        self.width = 64
        self.stem = nn.Sequential(
            nn.Conv2d(channels, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()
        )
        self.layer1, self.layer2, self.layer3 = (
            nn.Sequential(*[Residual(i if b == 0 else o, o, 1 if b else s) for b in range(5)])
            for i, o, s in ((16, 16, 1), (16, 32, 2), (32, 64, 2))
        )
        initialise(self, rng)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer3(self.layer2(self.layer1(self.stem(x))))
        return x.mean((2, 3))


@dataclass
class ResNet32(Backbone):
    """0.46 million weights, 64 features, any image size.

    >>> from evergrow.data.read import Seen
    >>> prepared = {"kind": "image", "channels": 3, "height": 32, "width": 32}
    >>> net = ResNet32().build(prepared, torch.Generator())
    >>> sum(p.numel() for p in net.parameters())
    463504
    """

    def build(self, prepared: dict[str, Any], rng: torch.Generator) -> Body:
        return Residuals(prepared["channels"], rng)
