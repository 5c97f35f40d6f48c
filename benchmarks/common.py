"""What the benchmarks share: real data, the machine they ran on, results as JSON beside them."""

import gzip
import json
import os
import struct
from importlib.metadata import version
from pathlib import Path

import numpy as np

from evergrow import machine as here

RESULTS = Path(__file__).parent / "results"
os.environ.setdefault("EVERGROW_CACHE", "0")  # seconds are of work done, not of work found
FASHION = Path(os.environ.get("FASHION_MNIST", "/usr/share/datasets/fashion-mnist"))


def idx(path: Path) -> np.ndarray:
    """An array from a gzipped idx file."""
    with gzip.open(path) as file:
        *_, dims = struct.unpack(">BBBB", file.read(4))
        shape = struct.unpack(">" + "I" * dims, file.read(4 * dims))
        return np.frombuffer(file.read(), np.uint8).reshape(shape).copy()


def fashion() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Train images and labels, test images and labels (Debian: dataset-fashion-mnist)."""
    names = ("train-images", "train-labels", "t10k-images", "t10k-labels")
    x, y, xt, yt = (idx(next(FASHION.glob(f"{name}*.gz"))) for name in names)
    return x, y.astype(np.int64), xt, yt.astype(np.int64)


def machine() -> dict[str, object]:
    """Processor, cores, threads and versions, for the record."""
    return here.machine() | {"evergrow": version("evergrow")}


def write(name: str, rows: object, **more: object) -> None:
    """Keep results as benchmarks/results/<name>.json and print them."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"machine": machine(), **more, "rows": rows}, indent=1)
    (RESULTS / f"{name}.json").write_text(text + "\n")
    print(text)
