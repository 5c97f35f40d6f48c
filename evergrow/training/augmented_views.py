"""Other views of inputs, for methods that learn from two: mild, for images of any size and tables.

Every draw comes from a generator that is given. A view has the shape and the type of its input.
"""

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample


def view(x: Tensor, rng: torch.Generator, flip: bool = False) -> Tensor:
    """Another view of each input: images are cropped and brightened, rows of numbers get noise.

    x: (n, channels, height, width) images or (n, ...) numbers; whole numbers that are no pixels
        (int64) come back as they are.  flip: mirror half of the images.

    >>> x = torch.full((2, 1, 4, 4), 100, dtype=torch.uint8)
    >>> seen = view(x, torch.Generator().manual_seed(0))
    >>> seen.shape == x.shape, seen.dtype, torch.equal(seen, x)
    (True, torch.uint8, False)
    """
    if x.dtype == torch.uint8:
        return brightened(cropped(x.float(), rng, flip), rng).round().clamp(0, 255).to(torch.uint8)
    if not x.is_floating_point():
        return x
    return brightened(cropped(x, rng, flip), rng) if x.dim() == 4 else noisy(x, rng)


def cropped(x: Tensor, rng: torch.Generator, flip: bool = False, least: float = 0.75) -> Tensor:
    """A part of each image, anywhere, as large as the whole: `least` to 1 of each side."""
    draws = torch.rand(len(x), 5, generator=rng)
    sides = least + (1 - least) * draws[:, :2]
    shifts = (1 - sides) * (2 * draws[:, 2:4] - 1)
    mirror = torch.where(draws[:, 4] < 0.5, -1.0, 1.0) if flip else torch.ones(len(x))
    to = torch.zeros(len(x), 2, 3)
    to[:, 0, 0], to[:, 1, 1], to[:, :, 2] = sides[:, 0] * mirror, sides[:, 1], shifts
    grid = affine_grid(to.to(x), list(x.shape), align_corners=False)
    return grid_sample(x, grid, padding_mode="border", align_corners=False)


def brightened(x: Tensor, rng: torch.Generator, most: float = 0.2) -> Tensor:
    """Each image times a factor between 1 - most and 1 + most."""
    factors = 1 + most * (2 * torch.rand(len(x), generator=rng) - 1)
    return x * factors.to(x).view(-1, *[1] * (x.dim() - 1))


def noisy(x: Tensor, rng: torch.Generator, share: float = 0.1) -> Tensor:
    """Each number plus noise, `share` of its column's spread among these rows."""
    spread = x.std(0, correction=0) if len(x) else x
    return x + share * spread * torch.randn(x.shape, generator=rng).to(x)


def shifted(x: Tensor, most: int, rng: torch.Generator) -> Tensor:
    """Each image moved by up to `most` pixels either way, its edge repeated; else as it is.

    x: (n, channels, height, width) images; inputs of other shapes, and images of less than 8
        pixels a side, come back unchanged.

    >>> x = torch.arange(64).view(1, 1, 8, 8)
    >>> shifted(x, 0, torch.Generator()) is x
    True
    """
    if not most or x.dim() != 4 or min(x.shape[2:]) < 8 or not len(x):
        return x
    n, _, height, width = x.shape
    by = torch.randint(-most, most + 1, (2, n, 1), generator=rng)
    down = (torch.arange(height) + by[0]).clamp(0, height - 1).to(x.device)
    along = (torch.arange(width) + by[1]).clamp(0, width - 1).to(x.device)
    rows = torch.arange(n, device=x.device)[:, None, None]
    return x.movedim(1, 3)[rows, down[:, :, None], along[:, None, :]].movedim(3, 1)
