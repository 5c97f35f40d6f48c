"""Make evergrow/backbones/patches.safetensors: filters for the `patches` backbone, from scikit-learn's two photographs.

python scripts/make_patch_bank.py [FILE]

Random patches of both photographs at three scales are contrast-normalised; a random choice of them, whitened and of
unit length, are the filters (after Coates, Ng and Lee 2011, sections 3.1 and 3.2, without k-means).
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save
from sklearn.datasets import load_sample_images
from torch import Tensor
from torch.nn import functional as F

SIDE, FILTERS, DRAWN = 6, 256, 60_000
UNIT = 80  # filters are rounded to 1 / 80; the largest weight is 1.43
TARGET = Path(__file__).parents[1] / "evergrow" / "backbones" / "patches.safetensors"


def patches(photos: list[Tensor], rng: torch.Generator) -> Tensor:
    """(n, channels * side * side) contrast-normalised patches of photographs (1, channels, h, w) at scales 1, 1/2, 1/4."""
    images = [F.avg_pool2d(photo, k) for photo in photos for k in (1, 2, 4)]
    drawn = []
    for image in images:
        windows = F.unfold(image, SIDE)[0].T
        drawn.append(windows[torch.randint(len(windows), (DRAWN // len(images),), generator=rng)])
    rows = torch.cat(drawn).double()
    rows = rows[rows.var(1) > 1e-3]
    return (rows - rows.mean(1, keepdim=True)) / (rows.var(1, keepdim=True) + 1e-2).sqrt()


def filters(rows: Tensor, rng: torch.Generator) -> Tensor:
    """(FILTERS, channels * side * side) int8: whitened patches of unit length, then the whitening itself."""
    values, vectors = torch.linalg.eigh(torch.cov(rows.T))
    whiten = vectors @ torch.diag((values + 0.1).rsqrt()) @ vectors.T
    chosen = (rows - rows.mean(0))[torch.randperm(len(rows), generator=rng)[:FILTERS]] @ whiten
    weight = F.normalize(chosen, dim=1) @ whiten
    weight -= weight.mean(1, keepdim=True)
    return (weight * UNIT).round().clamp(-127, 127).to(torch.int8)


def main(target: Path) -> None:
    """Write the bank: "grey" (FILTERS, 36) and "colour" (FILTERS, 108), int8."""
    photos = [torch.from_numpy(p.copy()).permute(2, 0, 1)[None].float() / 255 for p in load_sample_images().images]
    grey = [photo.mean(1, keepdim=True) for photo in photos]
    bank = {}
    for name, images in (("grey", grey), ("colour", photos)):
        rng = torch.Generator().manual_seed(0)
        bank[name] = filters(patches(images, rng), rng)
    target.write_bytes(save(bank))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
