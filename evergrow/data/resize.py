"""An image on the canvas that a model reads: scaled, then cut or filled to one size and colour."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import image_arrays

Size = tuple[int, int]  # (height, width)


@dataclass(frozen=True)
class Canvas:
    """(height, width) and channels that all images are brought to, and how.

    kernel: bilinear or bicubic; see `image_arrays.resize`.
    crop: squeeze: each side is scaled to the canvas.  The others as timm's evaluation does it, with
        share as its crop_pct, where the canvas shows so much of each side of the scaled image.
        center: the shorter side is scaled to the canvas / share, the other in proportion, and the
        middle is cut out.  squash: as center, but each side is scaled.  border: as center, but the
        longer side is, and what is missing is filled.
    fill: level by channel of what is missing; none: black.
    top: level of images of 16 bits that is white.
    An image that has the size of the canvas is taken as it is: somebody has prepared it.

    >>> Canvas(3, 224, 224, crop="center", share=0.875).scaled((480, 640))
    (256, 341)
    """

    channels: int
    height: int
    width: int
    kernel: str = "bilinear"
    crop: str = "squeeze"
    share: float = 1.0
    fill: tuple[int, ...] = ()
    top: int = 65535

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width)."""
        return self.channels, self.height, self.width

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """One (C, H, W) uint8 or uint16 image, C = 1 or 3, as (channels, height, width)."""
        brought: np.ndarray = self.bring(image[None])[0]
        return brought

    def bring(self, x: np.ndarray) -> np.ndarray:
        """(n, C, H, W) uint8 or uint16 images, C = 1 or 3, as (n, channels, height, width)."""
        x = image_arrays.to_8_bits(x, self.top)
        x = image_arrays.recolour(x, min(self.channels, x.shape[1]))
        if x.shape[2:] != (self.height, self.width):
            x = self._placed(x)
        return image_arrays.recolour(x, self.channels)

    def scaled(self, size: Size) -> Size:
        """(height, width) that an image of this size has before it is cut or filled."""
        if self.crop == "squeeze":
            return self.height, self.width
        goal = math.floor(self.height / self.share), math.floor(self.width / self.share)
        if self.crop == "squash":
            return goal
        if self.crop == "center" and goal[0] == goal[1]:  # torchvision's Resize rounds down
            short = min(size)
            return int(goal[0] * size[0] / short), int(goal[0] * size[1] / short)
        ratios = size[0] / goal[0], size[1] / goal[1]
        ratio = min(ratios) if self.crop == "center" else max(ratios)
        return max(1, round(size[0] / ratio)), max(1, round(size[1] / ratio))

    def _placed(self, x: np.ndarray) -> np.ndarray:
        size = self.scaled((x.shape[2], x.shape[3]))
        rows, above = _middle(size[0], self.height)
        columns, left = _middle(size[1], self.width)
        x = image_arrays.resize(x, size, self.kernel, (rows, columns))
        if x.shape[2:] == (self.height, self.width):
            return x
        levels = np.array(self.fill or (0,), np.uint8).reshape(1, -1, 1, 1)
        n, channels = len(x), max(x.shape[1], levels.shape[1])
        placed = np.empty((n, channels, self.height, self.width), np.uint8)
        placed[:] = levels
        placed[:, :, above : above + x.shape[2], left : left + x.shape[3]] = x
        return placed


def _middle(length: int, wanted: int) -> tuple[slice, int]:
    """What is cut out of a side of this length, and what is missing before it."""
    if length <= wanted:
        return slice(0, length), (wanted - length) // 2
    first = round((length - wanted) / 2)
    return slice(first, first + wanted), 0


def canvas_of(form: dict[str, Any]) -> Canvas:
    """The canvas of a form of images; one without the keys `interpolation` and so on is squeezed.

    >>> canvas_of({"kind": "image", "channels": 1, "height": 28, "width": 28}).crop
    'squeeze'
    """
    return Canvas(
        form["channels"],
        form["height"],
        form["width"],
        form.get("interpolation", "bilinear"),
        form.get("crop", "squeeze"),
        form.get("crop_pct", 1.0),
        tuple(form.get("fill", ())),
        form.get("top", 65535),
    )
