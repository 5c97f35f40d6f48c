"""Make evergrow/backbones/patches.safetensors, the filters of the `patches` backbone.

python scripts/make_patch_bank.py [FILE]

From scikit-learn's two photographs, in grey, for squares of each side: random ones at three scales
are contrast-normalised, their whitening is found, and the k-means directions of the whitened
squares are the filters (Coates, Ng and Lee 2011, sections 3.1 and 3.2, where we take k-means on the
sphere and let a square stand for its negative too).
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save
from sklearn.datasets import load_sample_images
from torch import Tensor
from torch.nn import functional as F

SIDES, FILTERS, DRAWN, ROUNDS = (4, 6, 8), 85, 60_000, 10
UNIT = 64  # the integer that stands for 1; the largest entry is 1.8
TARGET = Path(__file__).parents[1] / "evergrow" / "backbones" / "patches.safetensors"


def squares(side: int, rng: torch.Generator) -> Tensor:
    """(n, side * side) of the photographs at scales 1, 1/2, 1/4: mean 0, deviation about 1."""
    drawn = []
    for photo in load_sample_images().images:
        grey = torch.from_numpy(photo.copy()).double().mean(2)[None, None] / 255
        for scale in (1, 2, 4):
            windows = F.unfold(F.avg_pool2d(grey, scale), side)[0].T
            drawn.append(windows[torch.randint(len(windows), (DRAWN // 6,), generator=rng)])
    rows = torch.cat(drawn)
    rows = rows[rows.var(1) > 1e-3]
    return (rows - rows.mean(1, keepdim=True)) / (rows.var(1, keepdim=True) + 1e-2).sqrt()


def whitening(rows: Tensor) -> Tensor:
    """(d, d) symmetric; takes the mean of a square off as well."""
    values, vectors = torch.linalg.eigh(torch.cov(rows.T))
    gains = (values + 0.1).rsqrt()
    gains[0] = 0  # the constant square
    return vectors @ torch.diag(gains) @ vectors.T


def directions(white: Tensor, rng: torch.Generator) -> Tensor:
    """(FILTERS, d) unit vectors: k-means on the sphere; a square counts as its negative too."""
    centres = white[torch.randperm(len(white), generator=rng)[:FILTERS]]
    for _ in range(ROUNDS):
        likeness = white @ centres.T
        nearest = likeness.abs().argmax(1, keepdim=True)
        signed = white * likeness.gather(1, nearest).sign()
        centres = F.normalize(torch.zeros_like(centres).index_add_(0, nearest[:, 0], signed), dim=1)
    return centres


def integers(rows: Tensor) -> Tensor:
    """Rows that sum to 0 rounded to int8 that still do: the largest remainders go up."""
    low = rows.floor()
    up = -low.sum(1, keepdim=True).round()
    rank = (rows - low).argsort(1, descending=True).argsort(1)
    return (low + (rank < up)).to(torch.int8)


def main(target: Path) -> None:
    """Write for each side, as int8, "whiten4" (16, 16) and "filters4" (FILTERS, 16), and so on."""
    bank = {}
    for side in SIDES:
        rng = torch.Generator().manual_seed(0)
        rows = squares(side, rng)
        whiten = whitening(rows)
        chosen = directions(F.normalize(rows @ whiten, dim=1), rng)
        bank[f"whiten{side}"] = integers(whiten * UNIT)
        bank[f"filters{side}"] = integers(chosen * UNIT)
    target.write_bytes(save(bank))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
