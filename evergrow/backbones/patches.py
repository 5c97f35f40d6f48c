"""Training-free features of images: filters made of photographs, rectified and pooled on a grid.

After Coates, Ng and Lee 2011, "An Analysis of Single-Layer Networks in Unsupervised Feature
Learning". The filters are not learnt from the user's data: they are a fixed bank of three sizes
(scripts/make_patch_bank.py). Responses are cosines between filters and whitened squares of the
image; their means over a grid of soft cells are compressed by a square root.

Every product is of integers and every sum stays below 2**24, so float32 is exact: an image gives
the same features in any batch, with any number of threads, on any machine.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, sqrt
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from ..errors import SettingError
from ..nn.devices import in_blocks
from ..nn.network import Body
from .base import Backbone

BANK = Path(__file__).with_suffix(".safetensors")
SIDES, LARGEST = (4, 6, 8), 255  # of filters, in pixels; filters in the bank
UNIT = 64  # the integer that stands for 1 in whitening, whitened squares and filters
FLOOR = 1e-3 * (UNIT * 255) ** 2  # squares whose pixels vary less than 1e-3 (of 0..1) fade
OPPONENT = ((1, 1, 1), (1, -1, 0), (1, 1, -2))  # brightness, red - green, yellow - blue
LEAST, MOST = 24, 128  # pixels a side: smaller images are enlarged, larger ones reduced


class Filters(Body):
    """(n, C, H, W) in 0..1, read in 256 levels -> (n, width) features in 0..1.

    counts: filters of each side for each plane (brightness; with colour two opponent colours too).
    grid: cells a side.  threshold: of responses, in standard deviations of a random response.
    """

    trains, any_size, block_rows, scale = False, True, 0, 160.0

    def __init__(self, counts: list[list[int]], grid: int, threshold: float):
        super().__init__()
        self.counts, self.grid, self.threshold = counts, grid, threshold
        self.width = (2 * sum(map(sum, counts)) + len(counts[0])) * grid * grid
        for name, tensor in load_file(BANK).items():
            self.register_buffer(name, tensor)

    def forward(self, x: Tensor) -> Tensor:
        return in_blocks(self._block, (x.float() * 255).round())

    def integers(self, x: Tensor) -> Tensor:
        """(n, width) int8: the features times `scale`, rounded, of uint8 images."""
        return in_blocks(self._rounded, x)

    def _rounded(self, x: Tensor) -> Tensor:
        features = self._block(x.float()) * self.scale
        return features.round_().clamp_(max=127).to(torch.int8)

    @torch.no_grad()
    def _block(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            x = sized(x)
            cells, size = pooling(x.shape[2], x.shape[3], self.grid, x.device)
            parts = [(x.flatten(2) @ cells / (size * 510)).flatten(1)]  # tones, 0..1/2
            x, floor = planes(x)
            for side, counts in zip(SIDES, self.counts, strict=True):
                whiten = self.get_buffer(f"whiten{side}").float()
                filters = self.get_buffer(f"filters{side}").float()
                squares = whitened(x, whiten, floor)  # (n, C, side * side, positions)
                height, width = x.shape[2] - side + 1, x.shape[3] - side + 1
                pool = pooling(height, width, self.grid, x.device)
                low = round(self.threshold * UNIT**2 / side)
                for plane, n in enumerate(counts):
                    z = filters[:n] @ squares[:, plane]  # (n, filters, positions)
                    parts.append(rectified(z, low, *pool))
            return torch.cat(parts, 1)


def rectified(z: Tensor, low: int, cells: Tensor, size: Tensor) -> Tensor:
    """Roots of the mean of z beyond `low`, and of -z, over each cell; overwrites z."""
    above = z.clamp_min(low) @ cells - low * size
    below = z.clamp_max_(-low) @ cells + low * size
    return (torch.stack([above, -below], 1) / (size * UNIT**2)).sqrt_().flatten(1)


def whitened(x: Tensor, whiten: Tensor, floor: Tensor) -> Tensor:
    """(n, C, area, positions) integers: the whitened squares of every plane, UNIT long at most."""
    n, channels, height, width = x.shape
    area = len(whiten)
    windows = F.unfold(x.view(n * channels, 1, height, width), round(sqrt(area)))
    white = (whiten @ windows).view(n, channels, area, windows.shape[2])
    wide = torch.int64 if x.device.type == "mps" else torch.float64  # exact: sums below 2**53
    energy = white.to(wide).square().sum(2, keepdim=True)
    return white.mul_((UNIT / (energy + area * floor).sqrt()).float()).round_()


def planes(x: Tensor) -> tuple[Tensor, Tensor]:
    """Grey images as they are, colour ones as three planes; and each plane's FLOOR (C, 1, 1)."""
    mix = x.new_tensor(OPPONENT if x.shape[1] == 3 else ((1,),))
    return (mix @ x.flatten(2)).view_as(x), FLOOR * mix.abs().sum(1).square()[:, None, None]


def sized(x: Tensor) -> Tensor:
    """Images of LEAST to MOST pixels a side, in 256 levels."""
    if min(x.shape[2:]) >= LEAST and max(x.shape[2:]) <= MOST:
        return x
    rows, columns = (sampling(n).to(x) for n in x.shape[2:])
    return (rows @ x @ columns.T / (rows[0].sum() * columns[0].sum())).round_()


def sampling(n: int) -> Tensor:
    """(m, n) integers, all rows of one sum: linear interpolation, or means, by a whole factor.

    >>> sampling(12)[:4, :3].tolist()
    [[4.0, 0.0, 0.0], [3.0, 1.0, 0.0], [1.0, 3.0, 0.0], [0.0, 3.0, 1.0]]
    """
    step, factor = ceil(n / MOST), ceil(LEAST / n)
    if step > 1:
        return F.pad(torch.eye(n // step).repeat_interleave(step, 1), (0, n % step))
    at = (2 * torch.arange(n * factor) + 1 - factor).clamp(0, 2 * factor * (n - 1))[:, None]
    return (2 * factor - (at - 2 * factor * torch.arange(n)).abs()).clamp(min=0).float()


@lru_cache(maxsize=32)
def pooling(height: int, width: int, grid: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """(height * width, grid * grid) integers, a bell over each cell, and their sums (grid * grid,).

    The bells are as high as lets sums of responses, UNIT**2 at most each, stay below 2**24.
    """
    peak, bells = 56 * grid / sqrt(height * width), []
    for n in (height, width):
        centres = (torch.arange(grid)[:, None] + 0.5) * (n / grid) - 0.5
        cell = (torch.arange(n) - centres) * (grid / n)  # 1: a cell's width
        bells.append((peak * torch.exp(-3 * cell**2)).round())
    cells = torch.kron(bells[0], bells[1])
    return cells.T.contiguous().to(device), cells.sum(1).to(device)


@dataclass
class Patches(Backbone):
    """filters: at most 255; None: 201, or 99 where a side is under 24 pixels.  grid: cells a side.

    Width is (2 * filters + channels) * grid * grid.  Colour images give a third of the filters to
    the two opponent colours.

    >>> prepared = {"kind": "image", "channels": 1, "height": 28, "width": 28}
    >>> Patches(filters=50).build(prepared, torch.Generator())(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 1616])
    """

    filters: int | None = None
    grid: int = 4
    threshold: float = 0.3

    def __post_init__(self) -> None:
        limits = {"filters": (1, LARGEST), "grid": (2, 16), "threshold": (0, 4)}
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise SettingError(f"{name}={value}: expected {low} to {high}.")

    def build(self, prepared: dict[str, Any], rng: torch.Generator) -> Body:
        small = min(prepared["height"], prepared["width"]) < LEAST
        filters = self.filters or (99 if small else 201)
        sides = [(filters + i) // len(SIDES) for i in range(len(SIDES))]
        if prepared["channels"] == 1:
            return Filters([[n] for n in sides], self.grid, self.threshold)
        return Filters([[n - n // 6 * 2, n // 6, n // 6] for n in sides], self.grid, self.threshold)
