"""Against what a user would do: keep every embedding, refit a logistic regression each time.

python benchmarks/versus_lr.py [--sizes 1000 10000 100000 1000000] [--only ours]

Split-Fashion-MNIST, 5 tasks of 2 classes, on 1,280 features of `patches` (40 filters, its 16 tones
left out). There are 60,000 training images; more than that are the same again, shifted by 1 to 2.2
pixels (16 shifts, the nearest first), so that a million are not as good as a million different
ones, on either side. Balanced, and 100:1: the classes of the last task have a hundredth of the
others' samples.

`Cache` is the 20 lines that a user writes. An update is what another process does: load what is on
disk, learn the chunk, be able to answer, save. The last of the five is measured, in a process of
its own, without imports: seconds of processor time (one thread) and by the clock, peak memory with
the chunk in it. The regression needs no earlier fit for it, so that there only its cache is filled.
A run that takes more than 20 minutes of processor time or 12 GB is given up, on both sides.
On the 10,000 test images: recall of each class; its mean (macro); accuracy, where classes are as
frequent as they were in training. C of the regression, on standardised features, is the best of
five by macro recall on 5,000 training images held back, fitted on the same sample; beyond 10,000
that of 10,000.

Each finished run is a line of results/versus_lr.jsonl and is not run again; `--only` measures one
side anew, at the sizes given. Features are computed once, in the folder EVERGROW_BENCHMARKS (5.2 GB
for a million, and for the time of a run another 5 GB, its chunks, and what the side keeps).
"""

import argparse
import itertools
import json
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from common import CACHE, append_row, fashion, markdown, read_rows, remove_rows
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

PLACE = CACHE / "versus_lr"
SIZES, RARE, WIDTH = (1_000, 10_000, 100_000, 1_000_000), 100, 1_280
TASKS = [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9)]
STRENGTHS, TUNED_AT = (1e-4, 1e-3, 1e-2, 1e-1, 1.0), 10_000
MOST_SECONDS, MOST_BYTES = 1_200, 12 * 10**9
SHIFTS = sorted(itertools.product(range(-2, 3), repeat=2), key=lambda s: s[0] ** 2 + s[1] ** 2)[:17]
SIDES = ("ours", "regression")


class Cache:
    """Embeddings of everything seen, and a regression of all of it after each chunk."""

    def __init__(self, folder, strength):
        self.folder, self.strength = folder, strength

    def keep(self, x, y):
        for name, array in (("x", x), ("y", y)):
            with (self.folder / name).open("ab") as file:
                array.tofile(file)

    def update(self, x, y):
        self.keep(x, y)
        x = np.fromfile(self.folder / "x", x.dtype).reshape(-1, x.shape[1])
        y = np.fromfile(self.folder / "y", y.dtype)
        self.scaler = StandardScaler()
        for part in np.array_split(x, 100):  # of all at once it would make copies
            self.scaler.partial_fit(part)
        x = self.scaler.transform(x, copy=False)
        model = LogisticRegression(C=self.strength, class_weight="balanced", max_iter=300)
        self.model = model.fit(x, y)

    def predict(self, x):
        return self.model.predict(self.scaler.transform(x))


class Ours:
    def __init__(self, folder, strength):
        self.path = folder / "model"

    def update(self, x, y):
        import torch

        from evergrow import GrowingClassifier, load, methods

        given = torch.nn.Flatten()
        fresh = GrowingClassifier(given, methods.LDA())
        self.model = load(self.path, backbone=given) if self.path.exists() else fresh
        self.model.partial_fit(self.rows(x), y).save(self.path)

    keep = update

    def predict(self, x):
        return self.model.predict(self.rows(x))

    def rows(self, x):
        """(n, 1, width) tensors of (n, width): an encoder's output, which nothing scales."""
        import torch

        return torch.from_numpy(x)[:, None, :]


def features(name):
    """(n, 1280) float32 features on disk: of "test" or of the training images shifted, "0" on."""
    path = PLACE / f"{name}.npy"
    if not path.exists():
        import torch

        from evergrow import backbones
        from evergrow.data import preprocess
        from evergrow.data import read as sources
        from evergrow.nn.network import Network

        torch.set_num_threads(1)
        images = fashion()[2 if name == "test" else 0]
        down, right = (0, 0) if name == "test" else SHIFTS[int(name)]
        wide = np.pad(images, ((0, 0), (2, 2), (2, 2)))
        images = np.ascontiguousarray(wide[:, 2 - down : 30 - down, 2 - right : 30 - right])
        chunk = sources.read(images, need_labels=False)
        backbone = backbones.get("patches", filters=40)
        form = backbone.prepare(chunk.seen)
        net = Network(backbone.build(form, torch.Generator()), backbone.inputs(form))
        records = preprocess.Prepared(chunk, form)
        PLACE.mkdir(parents=True, exist_ok=True)
        shape = (len(images), WIDTH)
        file = np.lib.format.open_memmap(path.with_suffix(".part"), "w+", np.float32, shape)
        for block in torch.arange(len(images)).split(1024):
            file[block.numpy()] = net.steady(records.take(block))[:, -WIDTH:].numpy()
        file.flush()
        path.with_suffix(".part").rename(path)
    return np.load(path, mmap_mode="r")


def chosen(y, size, rare, skip=0):
    """Copies and rows to learn: `size` images in equal parts, the last task's `rare` times fewer.

    A class's images come in a shuffled order, all of a copy before those of the next one.
    """
    rng, found = np.random.default_rng(0), []
    for c in range(10):
        own = np.flatnonzero(y == c)
        n = max(1, size // 10 // (rare if c in TASKS[-1] else 1))
        rows = np.concatenate([rng.permutation(own) for _ in SHIFTS])[skip : skip + n]
        found.append(np.stack([(skip + np.arange(n)) // len(own), rows], 1))
    return found


def read(pairs):
    """Features of (copy, row) pairs."""
    x = np.empty((len(pairs), WIDTH), np.float32)
    for copy in np.unique(pairs[:, 0]):
        at = np.flatnonzero(pairs[:, 0] == copy)
        x[at] = features(str(copy))[pairs[at, 1]]
    return x


def sample(y, size, rare, skip=0):
    """(features, labels) of all classes, in the order of their classes."""
    parts = chosen(y, size, rare, skip)
    return read(np.concatenate(parts)), np.repeat(np.arange(10), [len(part) for part in parts])


def tuned(size, rare):
    """C of the regression: the best of a few on training images held back."""
    y = fashion()[1]
    (x, labels), (held, theirs) = sample(y, size, rare), sample(y, 5_000, 1, skip=1_000)
    scores = {}
    with tempfile.TemporaryDirectory() as place:
        for c in STRENGTHS:
            for old in Path(place).iterdir():
                old.unlink()
            model = Cache(Path(place), c)
            model.update(x, labels)
            answers = model.predict(held)
            scores[c] = float((answers == theirs).mean())
    return {"C": max(scores, key=scores.get), "held back": scores}


def chunks(folder, size, rare):
    """The five chunks as files in a folder, rows shuffled."""
    parts, rng = chosen(fashion()[1], size, rare), np.random.default_rng(1)
    for number, classes in enumerate(TASKS):
        pairs = np.concatenate([parts[c] for c in classes])
        y = np.repeat(classes, [len(parts[c]) for c in classes])
        order = rng.permutation(len(y))
        np.save(folder / f"chunk{number}_x.npy", read(pairs[order]))
        np.save(folder / f"chunk{number}_y.npy", y[order])


def fed(side, folder, strength, *numbers):
    """A process: chunks that arrive; of the last chunk of all, figures of its update."""
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS + 60))
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
    place = Path(folder) / side
    place.mkdir(exist_ok=True)
    model = {"regression": Cache, "ours": Ours}[side](place, float(strength))
    if side == "ours":
        import torch

        import evergrow.model.classifier  # noqa: F401  imports are not timed

        torch.set_num_threads(1)
    counts = [len(np.load(p, mmap_mode="r")) for p in sorted(Path(folder).glob("chunk*_y.npy"))]
    for number in numbers:
        x, y = (np.load(Path(folder) / f"chunk{number}_{kind}.npy") for kind in "xy")
        began, worked = time.perf_counter(), time.process_time()
        if int(number) < len(TASKS) - 1:
            model.keep(x, y)
            continue
        model.update(x, y)
        model.predict(x[:1])
        found = {
            "seconds": round(time.process_time() - worked, 3),
            "by_the_clock": round(time.perf_counter() - began, 3),
            "peak_mb": round(peak()),
            "on_disk": sum(f.stat().st_size for f in place.rglob("*") if f.is_file()),
        }
        share = np.repeat(counts, 2) / 2 / sum(counts)  # both classes of a task are as frequent
        print(json.dumps(judged(model.predict(np.array(features("test"))), share) | found))


def judged(answers, share):
    yt = fashion()[3]
    recalls = np.array([(answers[yt == c] == c).mean() for c in range(10)])
    return {
        "accuracy": round(float(recalls @ share), 4),
        "macro": round(float(recalls.mean()), 4),
        "recall_of_last": round(float(recalls[-2:].mean()), 4),
    }


def peak():
    """Peak memory of this process, MB; what `getrusage` says also holds its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1e3


def run(side, size, rare):
    """The whole stream on one side: figures of its last update and of the model it leaves."""
    tuning = side == "regression" and kept("tuning", min(size, TUNED_AT), rare)
    strength = tuning["C"] if tuning else 0
    features("test")
    folder = Path(tempfile.mkdtemp(dir=PLACE))
    try:
        chunks(folder, size, rare)
        for numbers in (range(len(TASKS) - 1), [len(TASKS) - 1]):
            words = [side, str(folder), str(strength), *map(str, numbers)]
            command = [sys.executable, __file__, "--fed", *words]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode == -signal.SIGXCPU:
                return {"failed": f"more than {MOST_SECONDS // 60} minutes"}
            if "MemoryError" in done.stderr or "not enough memory" in done.stderr:
                return {"failed": f"more than {MOST_BYTES // 10**9} GB"}
            if done.returncode:
                raise RuntimeError(done.stderr)
        return json.loads(done.stdout) | ({"C": strength} if tuning else {})
    finally:
        shutil.rmtree(folder)


def kept(side, size, rare):
    """A finished run of a side, or of "tuning", from the results where it stands there."""
    key = {"side": side, "samples": size, "imbalance": rare}
    for row in read_rows("versus_lr"):
        if {name: row[name] for name in key} == key:
            return row
    row = key | (tuned(size, rare) if side == "tuning" else run(side, size, rare))
    append_row("versus_lr", row)
    print(row, flush=True)
    return row


MEASURES = {  # words: key, whether more is better, how a figure is shown
    "accuracy": ("accuracy", True, lambda v: f"{100 * v:.1f}"),
    "macro recall": ("macro", True, lambda v: f"{100 * v:.1f}"),
    "seconds": ("seconds", False, lambda v: f"{v:.1f}" if v < 100 else f"{v:,.0f}"),
    "memory, MB": ("peak_mb", False, lambda v: f"{v:,}"),
    "on disk, MB": ("on_disk", False, lambda v: f"{v / 1e6:,.0f}"),
}


def pairs(rows):
    """(samples, imbalance): the row of each side, where both are there."""
    by = {(r["samples"], r["imbalance"], r["side"]): r for r in rows}
    cases = sorted({(r["samples"], r["imbalance"]) for r in rows}, key=lambda c: (c[1], c[0]))
    return {c: [by[*c, s] for s in SIDES] for c in cases if all((*c, s) in by for s in SIDES)}


def measured():
    """The rows of both sides."""
    return [row for row in read_rows("versus_lr") if row["side"] in SIDES]


def table():
    """Markdown: ours / the regression."""
    lines = []
    for (size, rare), both in pairs(measured()).items():
        cells = []
        for key, _, shown in MEASURES.values():
            failed = "{failed}" if key == "seconds" else "-"
            cells.append(
                " / ".join(shown(r[key]) if key in r else failed.format(**r) for r in both)
            )
        words = f"{size:,}, balanced" if rare == 1 else f"{size:,}, {rare}:1"
        lines.append((words, *cells))
    return markdown(("samples", *MEASURES), lines)


def crossover(rows):
    """Who does better from which size on, a line for each measure and imbalance."""
    lines = []
    for rare, (words, (key, more, _)) in itertools.product((1, RARE), MEASURES.items()):
        better = []
        for (size, own), both in pairs(rows).items():
            if own != rare:
                continue
            worst = -np.inf if more else np.inf
            ours, theirs = (r.get(key, worst) for r in both)
            who = "both" if ours == theirs else SIDES[(ours > theirs) != more]
            better.append((who, size))
        said = []
        for who, group in itertools.groupby(better, lambda b: b[0]):
            sizes = [size for _, size in group]
            upto = f" to {sizes[-1]:,}" if len(sizes) > 1 else ""
            said.append(f"{who} at {sizes[0]:,}{upto}")
        lines.append(f"{'balanced' if rare == 1 else f'{rare}:1'}, {words}: {', '.join(said)}")
    return lines


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--only", choices=SIDES, help="measure this side anew, and it alone")
    parser.add_argument("--fed", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.fed:
        fed(*given.fed)
        return
    if given.only:
        remove_rows("versus_lr", lambda r: r["side"] == given.only and r["samples"] in given.sizes)
    for size, rare in itertools.product(given.sizes, (1, RARE)):
        for side in SIDES if given.only is None else (given.only,):
            kept(side, size, rare)
    print(*table(), *crossover(measured()), sep="\n")


if __name__ == "__main__":
    main()
