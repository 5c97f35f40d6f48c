"""Twelve images of animals, as arrays and as files."""

import gzip
import struct

import numpy as np
import torch
from PIL import Image

from evergrow.data import preprocess

N = 12


RNG = np.random.default_rng(0)


COLOUR = RNG.integers(0, 256, (N, 3, 9, 11), dtype=np.uint8)


GREY = RNG.integers(0, 256, (N, 1, 9, 11), dtype=np.uint8)


LABELS = ["cat"] * 4 + ["dog"] * 5 + ["fox"] * 3


def picture(x):
    return Image.fromarray(x[0] if len(x) == 1 else x.transpose(1, 2, 0))


def write_folder(root, x, labels=LABELS, suffix=".png"):
    paths = []
    for i, (image, label) in enumerate(zip(x, labels, strict=True)):
        path = root / label / f"{i:03}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(image).save(path)
        paths.append(path)
    return paths


def write_idx(folder, x, y):
    files = ("images-idx3-ubyte.gz", x[:, 0]), ("labels-idx1-ubyte", y)
    for name, array in files:
        head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
        data = head + array.astype(np.uint8).tobytes()
        (folder / f"train-{name}").write_bytes(gzip.compress(data) if "gz" in name else data)
    return folder


def canonical(chunk, size=None):
    records = preprocess.Prepared(chunk, preprocess.spec(chunk.seen, size))
    return records.take(torch.arange(len(chunk))).numpy()
