"""A model on disk: bytes of a version, seconds of whole commands.

python benchmarks/folder.py

The digits model holds 1,200 images of 8x8 pixels, then learns 100 more; the Fashion-MNIST model all
60,000. Commands are whole processes, medians of 5; show and --help import no torch.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from common import fashion, write_rows
from sklearn.datasets import load_digits

from evergrow import GrowingClassifier
from evergrow.storage.model_folder import ModelFolder

torch.set_num_threads(2)


def seconds(*words):
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "evergrow", *map(str, words)], check=True, capture_output=True
    )
    return time.perf_counter() - began


def main():
    rows = []
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        data = load_digits()
        images = (data.images * (255 / 16)).round().astype(np.uint8)
        for i in range(5):
            part = slice(1200 + 100 * i, 1300 + 100 * i)
            np.savez(place / f"{i}.npz", X=images[part], y=data.target[part])
        np.savez(place / "first.npz", X=images[:1200], y=data.target[:1200])
        subprocess.run(
            [sys.executable, "-m", "evergrow", "learn", place / "digits", place / "first.npz"],
            check=True,
            capture_output=True,
        )
        took = [seconds("learn", place / "digits", place / f"{i}.npz") for i in range(5)]
        rows.append({"what": "learn 100 new digits, s", "value": statistics.median(took)})
        for words in (("--help",), ("show", place / "digits")):
            took = [seconds(*words) for _ in range(5)]
            rows.append({"what": f"{words[0]}, s", "value": statistics.median(took)})
        version = ModelFolder(place / "digits").bytes(1) / 1e6
        rows.append({"what": "a version of the digits model, MB", "value": version})
        x, y, _, _ = fashion()
        GrowingClassifier().partial_fit(x, y).save(place / "fashion")
        version = ModelFolder(place / "fashion").bytes(1) / 1e6
        rows.append({"what": "a version of the Fashion-MNIST model, MB", "value": version})
    for row in rows:
        row["value"] = round(row["value"], 3)
    write_rows("folder", rows)
    print(*rows, sep="\n")


if __name__ == "__main__":
    main()
