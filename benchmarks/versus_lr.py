"""Against what a user would do: keep every embedding, refit a logistic regression each time.

python benchmarks/versus_lr.py [--sizes 1000 10000 60000]

Split-Fashion-MNIST, 5 tasks of 2 classes, on 1,280 features of `patches` (80 filters), computed
once for both. `Cache` is the 20 lines that a user writes. Balanced, and 100:1: the classes of the
last task have a hundredth of the others' samples. An update is what the second process does: load
what is on disk, learn the chunk, be able to answer, save. C of the regression, on standardised
features, is the best of 0.0001 to 0.1 on a fifth of 5,000 training images, held back.
Accuracy on the 10,000 test images; one thread; each side in a process of its own.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from common import fashion, write
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from evergrow import GrowingClassifier, backbones, load, methods, prepare, sources
from evergrow.network import Network

torch.set_num_threads(1)
TASKS, RARE = [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9)], 100


class Cache:
    """Embeddings of everything seen, and a regression of all of it after each chunk."""

    def __init__(self, folder, strength):
        self.folder, self.strength = folder, strength

    def update(self, x, y):
        if (self.folder / "x.npy").exists():
            x = np.concatenate([np.load(self.folder / "x.npy"), x])
            y = np.concatenate([np.load(self.folder / "y.npy"), y])
        np.save(self.folder / "x.npy", x)
        np.save(self.folder / "y.npy", y)
        self.model = regression(self.strength).fit(x, y)

    def predict(self, x):
        return self.model.predict(x)


def regression(strength):
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=300)
    return make_pipeline(StandardScaler(), model)


class Ours:
    def __init__(self, folder, strength):
        self.folder = folder

    def update(self, x, y):
        path, given = self.folder / "model", torch.nn.Flatten()
        model = GrowingClassifier(given, methods.LDA())
        self.model = load(path, backbone=given) if path.exists() else model
        self.model.partial_fit(rows(x), y).save(path)

    def predict(self, x):
        return self.model.predict(rows(x))


def rows(x):
    """(n, width) features as (n, 1, width) tensors: an encoder's output, which nothing scales."""
    return torch.from_numpy(x)[:, None, :]


def features(folder):
    """Features of the training and the test images on disk, float32."""
    x, y, xt, yt = fashion()
    backbone = backbones.get("patches", filters=80)
    for name, images, labels in (("train", x, y), ("test", xt, yt)):
        chunk = sources.read(images, labels)
        form = backbone.prepare(chunk.seen)
        net = Network(backbone.build(form, torch.Generator()), backbone.inputs(form))
        records = prepare.Prepared(chunk, form)
        blocks = torch.arange(len(labels)).split(1024)
        found = torch.cat([net.steady(records.take(block)) for block in blocks])
        np.save(folder / f"{name}_x.npy", found.numpy())
        np.save(folder / f"{name}_y.npy", labels)


def chosen(y, size, rare):
    """Rows to learn: `size` images in equal parts, the last task's classes `rare` times fewer."""
    rng, found = np.random.default_rng(0), []
    for c in range(10):
        some = rng.permutation(np.flatnonzero(y == c))[: size // 10]
        found.append(some[: max(1, len(some) // rare)] if c in TASKS[-1] else some)
    return np.concatenate(found)


def tuned(folder):
    """C of the regression: the best of a few on training images held back."""
    x, y = (np.load(folder / f"train_{kind}.npy", mmap_mode="r") for kind in ("x", "y"))
    some = np.random.default_rng(1).permutation(len(y))[:5_000]
    x, y = np.array(x[some]), np.array(y[some])
    scores = {
        c: regression(c).fit(x[:4_000], y[:4_000]).score(x[4_000:], y[4_000:])
        for c in (1e-4, 1e-3, 1e-2, 1e-1)
    }
    return max(scores, key=scores.get)


def one(side, folder, size, rare, strength):
    """The whole stream on one side: figures of its last update and of the model it leaves."""
    x, y, xt, yt = (
        np.load(folder / f"{part}_{kind}.npy", mmap_mode="r")
        for part in ("train", "test")
        for kind in ("x", "y")
    )
    learn = chosen(y, size, rare)
    with tempfile.TemporaryDirectory() as place:
        model = {"regression": Cache, "ours": Ours}[side](Path(place), strength)
        for classes in TASKS:
            part = learn[np.isin(y[learn], classes)]
            chunk, began = (np.array(x[part]), np.array(y[part])), time.perf_counter()
            model.update(*chunk)
            answers = model.predict(np.array(xt[:1]))
            seconds = time.perf_counter() - began
        disk = sum(f.stat().st_size for f in Path(place).rglob("*") if f.is_file())
        answers = model.predict(np.array(xt))
    recalls = [float((answers[yt == c] == c).mean()) for c in range(10)]
    return {
        "accuracy": float((answers == yt).mean()),
        "recall_of_last": float(np.mean(recalls[-2:])),
        "seconds": seconds,
        "on_disk": disk,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="*", default=[1_000, 10_000, 60_000])
    parser.add_argument("--one", nargs=5)
    given = parser.parse_args()
    if given.one:
        side, folder, size, rare, strength = given.one
        print(json.dumps(one(side, Path(folder), int(size), int(rare), float(strength))))
        return
    found = []
    with tempfile.TemporaryDirectory() as folder:
        features(Path(folder))
        strength = tuned(Path(folder))
        for size in given.sizes:
            for rare in (1, RARE):
                for side in ("ours", "regression"):
                    words = ["--one", side, folder, str(size), str(rare), str(strength)]
                    done = subprocess.run(
                        [sys.executable, __file__, *words], stdout=subprocess.PIPE, check=True
                    )
                    row = {"side": side, "samples": size, "imbalance": rare}
                    found.append(row | json.loads(done.stdout))
                    print(found[-1], flush=True)
    write("versus_lr", found, C=strength)


if __name__ == "__main__":
    main()
