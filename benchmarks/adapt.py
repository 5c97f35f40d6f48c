"""First-session adaptation: whether training on the first task helps the closed form after it.

python benchmarks/adapt.py [--clipart FOLDER] [--fashion-only]    (about ten minutes)

lda as it is and with adapt=True, three class orders, in two scenarios: equal tasks, and one where
the first task has half of all classes and the others come one at a time.
  fashion: Fashion-MNIST, 10 classes, 500 training images each, tasks of 2; convnet at its random
      first weights.
  clipart: 12 folders of Open Clip Art, 40 pictures each, 30 % held out, tasks of 3; the pretrained
      efficientnet_lite0 at 128 pixels, its backbone at a tenth of the head's rate, batch-norm
      statistics kept. (Debian: openclipart-png; FOLDER holds animals, buildings, ...)
The learning rate is chosen among three on a quarter of the first two tasks' training data, held
back, of the first class order; the test samples are asked once, at the end.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from common import fashion, write_rows

from evergrow import GrowingClassifier, methods
from evergrow.bench import benchmark_data
from evergrow.data import read

torch.set_num_threads(1)
ORDERS, FEW, HELD, JUDGED = 3, 40, 0.3, 0.25
HOW = {
    "fashion": {"backbone": "convnet", "epochs": 5, "batch_size": 32},
    "clipart": {
        "backbone": "efficientnet_lite0",
        "image_size": 128,
        "epochs": 5,
        "batch_size": 16,
        "backbone_lr": 0.1,
        "freeze_norms": True,
    },
}
SHARED = {"warmup": 0.1, "schedule": "cosine"}
RATES = {"fashion": (0.01, 0.03, 0.1), "clipart": (0.0001, 0.001, 0.003)}
KEYS = ("last", "first_task", "later", "first_left_out", "later_left_out")
SIZE = {"fashion": 2, "clipart": 3}  # classes a task


class Images:
    """Training and test samples by row, with their labels."""

    def __init__(self, name, folder):
        if name == "fashion":
            x, y, xt, yt = fashion()
            rows = np.concatenate([np.flatnonzero(y == c)[:500] for c in range(10)])
            self.train, self.test = (x[rows], y[rows]), (xt, yt)
            return
        rng, parts = np.random.default_rng(0), ([], [], [], [])
        for label in benchmark_data.CLIPART[:12]:
            files = sorted((folder / label).glob("*.png"))
            files = [files[i] for i in rng.permutation(len(files))[:FEW]]
            held = round(HELD * len(files))
            for k, some in ((0, files[held:]), (2, files[:held])):
                parts[k].extend(some)
                parts[k + 1].extend([label] * len(some))
        train, test = (read.read(f, y, skip_bad=True) for f, y in (parts[:2], parts[2:]))
        self.train, self.test = (train, train.labels), (test, test.labels)


def rows_of(part, rows):
    x, y = part
    return (x[rows], y[rows]) if isinstance(x, np.ndarray) else (x.subset(rows),)


def tasks(labels, size, scenario, seed):
    order = np.random.default_rng(seed).permutation(np.unique(labels))
    if scenario == "equal tasks":
        return np.split(order, range(size, len(order), size))
    half = len(order) // 2
    return [order[:half], *order[half:, None]]


def learnt(name, data, given, adapt, lr, seed, keep=None):
    """A model that learnt these tasks. keep: rows that it may see; None: all."""
    method = methods.get("lda", adapt=adapt)
    model = GrowingClassifier(method=method, lr=lr, random_state=seed, **HOW[name], **SHARED)
    for classes in given:
        found = np.isin(data.train[1], classes)
        rows = np.flatnonzero(found if keep is None else found & keep)
        model.partial_fit(*rows_of(data.train, rows))
    return model


def chosen(name, data, scenario):
    """The best rate on a quarter of the first two tasks' training samples; all accuracies."""
    y, given = data.train[1], tasks(data.train[1], SIZE[name], scenario, 0)[:2]
    held = np.zeros(len(y), bool)
    rng = np.random.default_rng(0)
    for c in np.concatenate(given):
        rows = rng.permutation(np.flatnonzero(y == c))
        held[rows[: round(JUDGED * len(rows))]] = True
    found = {}
    for lr in RATES[name]:
        model = learnt(name, data, given, True, lr, 0, keep=~held)
        found[lr] = model.score(*rows_of(data.train, np.flatnonzero(held)))
    return max(found, key=found.get), found


def run(name, data, scenario, adapt, lr, seed):
    began, given = time.perf_counter(), tasks(data.train[1], SIZE[name], scenario, seed)
    model = learnt(name, data, given, adapt, lr, seed)
    x, y = data.test
    right = model.predict(x) == y
    first = np.isin(y, given[0])
    recalls = model.learner_.solution().judged.recalls.numpy()
    began_with = np.isin(model.classes_, given[0])
    return {
        "last": float(right.mean()),
        "first_task": float(right[first].mean()),
        "later": float(right[~first].mean()),
        "first_left_out": float(recalls[began_with].mean()),
        "later_left_out": float(recalls[~began_with].mean()),
        "seconds": round(time.perf_counter() - began, 1),
    }


def summary(rows):
    """Means over the class orders, in per cent."""
    groups = {}
    for row in rows:
        groups.setdefault((row["data"], row["scenario"], row["adapt"]), []).append(row)
    return [
        {"data": data, "scenario": scenario, "adapt": adapt}
        | {key: round(100 * float(np.mean([r[key] for r in some])), 2) for key in KEYS}
        for (data, scenario, adapt), some in groups.items()
    ]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--clipart", type=Path, default=Path("/usr/share/openclipart/png"))
    parser.add_argument("--fashion-only", action="store_true")
    given = parser.parse_args()
    rows, rates = [], []
    for name in ("fashion",) if given.fashion_only else ("fashion", "clipart"):
        data = Images(name, given.clipart)
        for scenario in ("equal tasks", "half first"):
            lr, found = chosen(name, data, scenario)
            rates.append({"data": name, "scenario": scenario, "lr": lr, "held_back": found})
            for adapt in (False, True):
                mine = [
                    {"data": name, "scenario": scenario, "adapt": adapt, "seed": seed}
                    | run(name, data, scenario, adapt, lr, seed)
                    for seed in range(ORDERS)
                ]
                rows += mine
                print(*summary(mine), lr, flush=True)
    write_rows("adapt", rows, rates=rates)


if __name__ == "__main__":
    main()
