"""What the benchmarks share: real data, the machine they ran on, results as JSON beside them."""

import gzip
import json
import os
import platform
import struct
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

RESULTS = Path(__file__).parent / "results"
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
    cpu = platform.processor() or platform.machine()
    for line in (
        Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ()
    ):
        if line.startswith("model name"):
            cpu = line.split(":")[1].strip()
            break
    packages = ("torch", "scikit-learn", "numpy", "evergrow")
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def write(name: str, rows: object, **more: object) -> None:
    """Keep results as benchmarks/results/<name>.json and print them."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"machine": machine(), **more, "rows": rows}, indent=1)
    (RESULTS / f"{name}.json").write_text(text + "\n")
    print(text)
