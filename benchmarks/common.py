"""What the benchmarks share: real data, the machine they ran on, results as JSON beside them.

What takes long to compute and does not change is kept in EVERGROW_BENCHMARKS, a folder (by default
one for temporary files). Empty it after a change to a backbone.
"""

import gzip
import hashlib
import json
import os
import struct
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

from evergrow import machine as here

RESULTS = Path(__file__).parent / "results"
os.environ.setdefault("EVERGROW_CACHE", "0")  # seconds are of work done, not of work found
CACHE = Path(
    os.environ.get("EVERGROW_BENCHMARKS", Path(tempfile.gettempdir()) / "evergrow-benchmarks")
)
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


def once(
    name: str, of: object, compute: Callable[[], dict[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Arrays computed once for the same name and the same `of` (JSON); then read from `CACHE`."""
    key = hashlib.sha256(json.dumps(of).encode()).hexdigest()[:16]
    path = CACHE / f"{name}-{key}.npz"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.npz")
        np.savez(part, **compute())  # type: ignore[arg-type]
        part.rename(path)
    with np.load(path) as file:
        return dict(file)


def machine() -> dict[str, object]:
    """Processor, cores, threads and versions, for the record."""
    return here.machine() | {"evergrow": version("evergrow")}


def write(name: str, rows: object, **more: object) -> None:
    """Keep results as benchmarks/results/<name>.json and print them."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"machine": machine(), **more, "rows": rows}, indent=1)
    (RESULTS / f"{name}.json").write_text(text + "\n")
    print(text)
