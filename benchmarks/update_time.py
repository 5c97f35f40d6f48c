"""Seconds of whole `evergrow learn` processes: 100 images, 100 more, 60,000 (Fashion-MNIST).

    make bench-update_time                              # this checkout
    python benchmarks/update_time.py BEFORE             # beside another checkout, in turns

The pictures of the small updates are PNG files in a folder a class. No features are found on disk
(EVERGROW_CACHE=0). Compare processor seconds: the wall clock depends on who else is at work.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from common import FASHION, fashion, markdown, write_rows
from PIL import Image

ROUNDS = 5
HERE = Path(__file__).parents[1]


def folders(work: Path) -> None:
    """work/first and work/second: ten images of each class as PNG files."""
    x, y, _, _ = fashion()
    for start, name in ((0, "first"), (10, "second")):
        for label in np.unique(y):
            (work / name / str(label)).mkdir(parents=True)
            for i in np.flatnonzero(y == label)[start : start + 10]:
                Image.fromarray(x[i]).save(work / name / str(label) / f"{i}.png")


def learn(tree: Path, work: Path, data: Path) -> dict[str, float]:
    """Wall and processor seconds of one process, for the model at work/model."""
    env = os.environ | {"PYTHONPATH": str(tree)}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    words = [sys.executable, "-m", "evergrow", "learn", work / "model", data]
    subprocess.run(words, env=env, cwd=work, check=True, capture_output=True)
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return {"seconds": round(seconds, 2), "cpu": round(cpu, 2)}


def rows(trees: dict[str, Path], work: Path) -> Iterator[dict[str, object]]:
    """Each round both ways round: this one first, then the other."""
    whole = next(FASHION.glob("train-images*.gz"))
    updates = {"100 images": work / "first", "100 more": work / "second"}
    for turn in range(ROUNDS + 1):
        for name in list(trees)[:: -1 if turn % 2 else 1]:
            jobs = updates if turn else {"60,000 images": whole}
            for job, data in jobs.items():
                row = {"job": job, "tree": name, "round": turn}
                yield row | learn(trees[name], work, data)
            shutil.rmtree(work / "model")


def main() -> None:
    trees = {"this": HERE} | ({"before": Path(sys.argv[1]).resolve()} if sys.argv[1:] else {})
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        folders(work)
        for tree in trees.values():  # compiled files are there, and the disk is warm
            learn(tree, work, work / "first")
            shutil.rmtree(work / "model")
        times = list(rows(trees, work))
    write_rows("update_time", times, rounds=ROUNDS)
    groups = dict.fromkeys((row["job"], row["tree"]) for row in times)
    lines = []
    for job, tree in groups:
        some = [row for row in times if (row["job"], row["tree"]) == (job, tree)]
        medians = [f"{np.median([row[key] for row in some]):.2f}" for key in ("seconds", "cpu")]
        lines.append([job, tree, *medians, len(some)])
    print("\n".join(markdown(["update", "checkout", "seconds", "processor", "runs"], lines)))


if __name__ == "__main__":
    main()
