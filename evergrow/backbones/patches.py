"""Training-free image features: whitened patches of two photographs as filters, rectified and pooled on a grid.

Coates, Ng and Lee 2011, "An Analysis of Single-Layer Networks in Unsupervised Feature Learning"; here the patches
are not of the user's data but of a fixed bank (scripts/make_patch_bank.py), and every number between the pixels and
the features is an integer, so that an image gives the same features in any batch and on any machine.
"""

from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from ..errors import SettingError
from ..network import Body
from .base import Backbone

BANK = Path(__file__).with_suffix(".safetensors")
SIDE = 6  # of a filter, in pixels
LEAST = 24  # shorter sides are enlarged by a whole factor
FILTER_UNIT, PATCH_UNIT = 80, 21  # integers that stand for 1 in the bank and in normalised patches
BLOCK = 8  # images at a time: what they need stays in the processor's cache


class Filters(Body):
    """(n, C, H, W) in 0..1, rounded to 256 levels -> (n, width) features >= 0.

    bank: (filters, C * SIDE * SIDE) integers.  grid: cells a side to pool over.  threshold: what a response must exceed, in
    standard deviations.
    """

    trains, any_size, rows, scale = False, True, 0, 127 / 1.6
    bank: Tensor

    def __init__(self, bank: Tensor, grid: int, threshold: float):
        super().__init__()
        self.grid, self.width = grid, 2 * len(bank) * grid * grid
        self.threshold = round(threshold * FILTER_UNIT * PATCH_UNIT)
        self.register_buffer("bank", bank)

    def forward(self, x: Tensor) -> Tensor:
        levels = (x.float() * 255).round_()
        return torch.cat([self._block(part) for part in levels.split(BLOCK)])

    def integers(self, x: Tensor) -> Tensor:
        """(n, width) int8, the features times `scale`, of uint8 images."""
        parts = [self._block(part.float()) for part in x.split(BLOCK)]
        return torch.cat([(p * self.scale).round_().clamp_(max=127).to(torch.int8) for p in parts])

    def _block(self, x: Tensor) -> Tensor:
        """Features of 256 levels (n, C, H, W)."""
        with torch.autocast(x.device.type, enabled=False):
            x = enlarged(x)
            h, w = x.shape[2] - SIDE + 1, x.shape[3] - SIDE + 1
            z = self.bank.float() @ normalised(F.unfold(x, SIDE))  # (n, filters, h * w)
            cells = pooling(h, w, self.grid).to(z)
            size = cells.sum(0)
            above = z.clamp_min(self.threshold) @ cells  # (n, filters, grid * grid)
            below = z.clamp_max_(-self.threshold).neg_() @ cells
            both = torch.stack([above, below], 1) / size - self.threshold
            return both.flatten(1) / (FILTER_UNIT * PATCH_UNIT)


def enlarged(x: Tensor) -> Tensor:
    """Images with sides of at least LEAST pixels, in 256 levels: linear interpolation by a whole factor a side."""
    factors = [ceil(LEAST / side) for side in x.shape[2:]]
    if max(factors) == 1:
        return x
    rows, columns = (stretch(n, k).to(x) for n, k in zip(x.shape[2:], factors, strict=True))
    return (rows @ x @ columns.T / (4 * factors[0] * factors[1])).round_()


def stretch(n: int, factor: int) -> Tensor:
    """(n * factor, n) integers that interpolate linearly; each row sums to 2 * factor.

    >>> stretch(2, 2).tolist()
    [[4.0, 0.0], [3.0, 1.0], [1.0, 3.0], [0.0, 4.0]]
    """
    at = (2 * torch.arange(n * factor) + 1 - factor).clamp(0, 2 * factor * (n - 1))[:, None]
    return (2 * factor - (at - 2 * factor * torch.arange(n)).abs()).clamp(min=0).float()


def normalised(windows: Tensor) -> Tensor:
    """Patches (n, area, positions) of 256 levels with mean 0 and deviation PATCH_UNIT (less where contrast is low), integers."""
    area = windows.shape[1]
    total = windows.sum(1, keepdim=True)
    squares = (windows * windows).sum(1, keepdim=True)
    variance = (area * squares.int() - total.int() ** 2) / (area * (area - 1) * 255.0**2)
    gain = PATCH_UNIT / 255 / (variance + 1e-2).sqrt_()
    return (windows - total / area).mul_(gain).round_()


def pooling(height: int, width: int, grid: int) -> Tensor:
    """(height * width, grid * grid) of 0 and 1: which positions lie in which cell; neighbours may share a row."""
    sides = []
    for n in (height, width):
        cell, at = torch.arange(grid)[:, None], torch.arange(n)
        sides.append(((at >= cell * n // grid) & (at < -(-(cell + 1) * n // grid))).float())
    return torch.kron(sides[0], sides[1]).T.contiguous()


@dataclass
class Patches(Backbone):
    """filters: of the bank, at most 256; None: 200, or 100 for images under 24 pixels.  grid: cells a side.

    Width is 2 * filters * grid * grid: 6,400 for images from 24 pixels up, 3,200 below.

    >>> from evergrow.sources import Seen
    >>> body = Patches(filters=50).build({"channels": 1, "height": 28, "width": 28}, torch.Generator())
    >>> body(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 1600])
    """

    filters: int | None = None
    grid: int = 4
    threshold: float = 0.25

    def __post_init__(self) -> None:
        if self.filters is not None and not 1 <= self.filters <= 256:
            raise SettingError(f"filters={self.filters}: the bank holds 256; take from 1 to 256.")
        if not 1 <= self.grid <= LEAST - SIDE + 1:
            raise SettingError(f"grid={self.grid}: from 1 to {LEAST - SIDE + 1} cells a side.")
        if not 0 <= self.threshold < 10:
            raise SettingError(f"threshold={self.threshold}: from 0 to 10 standard deviations.")

    def build(self, prepared: dict[str, Any], rng: torch.Generator) -> Body:
        small = min(prepared["height"], prepared["width"]) < LEAST
        filters = self.filters or (100 if small else 200)
        bank = load_file(BANK)["grey" if prepared["channels"] == 1 else "colour"]
        return Filters(bank[:filters], self.grid, self.threshold)
