"""Side by side with avalanche-lib: accuracy, time and memory, in one run, alternating.

make versus                       builds .venv-versus and runs this; finished runs are kept
python benchmarks/versus.py --quick    all rows, small and not kept: does it still run?

Split-Fashion-MNIST: 5 tasks of 2 classes in order, one head, no task id, MLP 784-400-400-10, plain
SGD, batch 128 (+ 128 replayed), 2 epochs a task, memory 500, one thread, one process a run. Only
the learning is timed: not the reading of data, not the evaluation. `bare` is a PyTorch loop of the
method's arithmetic (benchmarks/bare.py). What a step costs beyond its arithmetic shows in small
ones: times alone, one seed, with batches of 10 (+ 10 replayed), one epoch, 600 images a class.

Nothing is chosen on test data. The learning rate of a row, the same on both sides, is the largest
whose accuracy on a tenth of the first task's training data, held back, is within a standard error
of the best (mean over both sides and three seeds). The strengths of EWC and LwF mean something else
on each side, so each side has its own: the best last accuracy on a tenth of all tasks' training
data, held back (mean over three seeds).
"""

import argparse
import json
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import bare
import numpy as np
import torch
from common import append_row, fashion, markdown, read_rows
from PIL import Image

torch.set_num_threads(1)
TASKS = [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9)]
RATES, SEEDS = (0.02, 0.05, 0.1, 0.2), 3  # tried, and how often
ROWS = {  # method of evergrow: name of the row
    "finetune": "Naive",
    "er": "Replay",
    "der++": "DER++",
    "ewc": "EWC",
    "lwf": "LwF",
    "icarl": "iCaRL",
    "cumulative": "Joint (cumulative)",
}
STRENGTHS = {  # tried, on each side
    "ewc": (1e2, 1e3, 1e4, 1e5, 1e6),
    "lwf": (0.5, 1.0, 2.0, 4.0, 8.0, 16.0),
}
SIDES = ("ours", "peer", "bare")
SMALL = {"batch": 10, "epochs": 1, "size": 600, "lr": 0.01}
PATHS = {"memory": SIDES, "default": ("ours", "peer"), "pictures": ("ours",)}


@dataclass(frozen=True)
class Run:
    """One row on one side.

    path: "memory" (arrays, tensors), "default" (torchvision's data set) or "pictures" (a list of
    PIL images, ours alone).  part: "test", or what is held back and evaluated on instead: a
    tenth of the "first" task's training data, or of "all" tasks'.  size: images a class, or None.
    """

    row: str
    side: str
    path: str = "memory"
    part: str = "test"
    seed: int = 0
    lr: float = 0.1
    strength: float = 1.0
    epochs: int = 2
    size: int | None = None
    batch: int = 128


# -- one run ---------------------------------------------------------------------------------------


@cache
def data():
    return fashion()


def parts(run):
    """Chunks to learn, images and labels to be judged on."""
    x, y, xt, yt = data()
    rows = limited(y, run.size)
    if run.part != "test":
        order = np.random.default_rng(run.seed).permutation(rows)
        held, rows = order[: len(order) // 10], np.sort(order[len(order) // 10 :])
        xt, yt = x[held], y[held]
    tasks = TASKS[:1] if run.part == "first" else TASKS
    chosen = [rows[np.isin(y[rows], classes)] for classes in tasks]
    return [(x[r], y[r]) for r in chosen], xt, yt


def limited(y, size):
    """Rows of the first images of each class, in order; size: so many, None: all."""
    return np.sort(np.concatenate([np.flatnonzero(y == c)[:size] for c in range(10)]))


def ours(run, chunks, root):
    from evergrow import GrowingClassifier, methods
    from evergrow.backbones import MLP

    settings = {
        "er": {"memory": 500, "replay": run.batch},
        "der++": {"memory": 500, "replay": run.batch, "alpha": 0.1, "beta": run.strength},
        "ewc": {"strength": run.strength},
        "lwf": {"strength": run.strength},
        "icarl": {"memory": 500},
    }
    model = GrowingClassifier(
        MLP(hidden=(400, 400)),
        methods.get(run.row, **settings.get(run.row, {})),
        epochs=run.epochs,
        batch_size=run.batch,
        lr=run.lr,
        momentum=0.0,
        random_state=run.seed,
    )
    if run.path == "default":
        chunks = [(subset, None) for subset in subsets(root)]

    def learn(task):
        images, labels = chunks[task]
        if run.path == "pictures":
            images = [Image.fromarray(image) for image in images]
        model.partial_fit(images, labels)

    return learn, lambda images, classes: model.predict(images)


def subsets(root):
    """The tasks as torchvision's data set, whose items are PIL images and labels."""
    from torch.utils.data import Subset
    from torchvision.datasets import FashionMNIST

    whole = FashionMNIST(root)
    rows = [np.flatnonzero(np.isin(whole.targets.numpy(), classes)) for classes in TASKS]
    return [Subset(whole, r.tolist()) for r in rows]


def by_hand(run, chunks, root):
    how = bare.How(run.lr, run.epochs, run.batch, 500, run.strength, run.strength, shuffled=True)
    net, kept = bare.network(run.seed), {}
    tensors = [(torch.from_numpy(x).flatten(1), torch.from_numpy(y)) for x, y in chunks]

    def answers(images, classes):
        return bare.answers(net, kept, torch.from_numpy(images).flatten(1), classes).numpy()

    return (lambda k: bare.LOOPS[run.row](net, *tensors[k], kept, how)), answers


def peer(run, chunks, root):
    import peer

    return peer.set_up(run, chunks, root)


def done(run, root):
    """What came of a run: accuracy after each task, seconds of learning, peak memory."""
    chunks, xt, yt = parts(run)
    learn, answers = {"ours": ours, "peer": peer, "bare": by_hand}[run.side](run, chunks, root)
    accuracies, cpu, wall = [], 0.0, 0.0
    for k in range(len(chunks)):
        began = time.process_time(), time.perf_counter()
        learn(k)
        cpu, wall = cpu + time.process_time() - began[0], wall + time.perf_counter() - began[1]
        classes = 2 * k + 2
        seen = yt < classes
        accuracies.append(float((answers(xt[seen], classes) == yt[seen]).mean()))
    return {
        "last": accuracies[-1],
        "average": float(np.mean(accuracies)),
        "accuracies": accuracies,
        "cpu": cpu,
        "wall": wall,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def here(runs):
    """These runs in this process, a line of JSON each; what is loaded late is loaded before."""
    with tempfile.TemporaryDirectory() as root:
        if any(run.path == "default" for run in runs):
            unpack(Path(root), runs[0].size)
        done(replace(runs[0], path="memory", part="test", size=128, epochs=1), root)
        for run in runs:
            print(json.dumps(asdict(run) | done(run, root)), flush=True)


def unpack(root, size):
    """The data as files where torchvision looks for them, so that it need not download any."""
    raw = root / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    x, y, xt, yt = data()
    rows = limited(y, size)
    found = {"train-images-idx3": x[rows], "train-labels-idx1": y[rows]}
    for name, array in (found | {"t10k-images-idx3": xt, "t10k-labels-idx1": yt}).items():
        head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
        (raw / f"{name}-ubyte").write_bytes(head + array.astype(np.uint8).tobytes())


# -- all runs --------------------------------------------------------------------------------------


class Kept:
    """Results of runs, as rows of a file; a run that is there is not run again.

    about: facts to keep with what is run.  measuring: whether what is missing may be run.
    """

    def __init__(self, name, measuring=True, **about):
        self.name, self.measuring, self.about = name, measuring, about
        self.rows = read_rows(name)

    def find(self, run):
        want = asdict(run).items()
        return next((r for r in self.rows if want <= r.items()), None)

    def results(self, runs):
        """The results of these runs, one process a side for those that are not there yet."""
        for side in SIDES:
            missing = [asdict(r) for r in runs if r.side == side and self.find(r) is None]
            if not missing:
                continue
            if not self.measuring:
                raise SystemExit(f"{missing[0]} is not in the results; `make versus` runs it.")
            command = [sys.executable, __file__, "--here", json.dumps(missing)]
            process = subprocess.run(command, capture_output=True, text=True)
            if process.returncode:
                raise SystemExit(process.stderr)
            for row in map(json.loads, process.stdout.splitlines()):
                append_row(self.name, row, **self.about)
                self.rows.append(row)
            print(process.stdout, end="", flush=True)
        return [self.find(run) for run in runs]


def rate(row, kept):
    """The learning rate of a row; see above."""
    runs = [
        Run(row, side, part="first", seed=seed, lr=lr)
        for side in ("ours", "peer")
        for lr in RATES
        for seed in range(SEEDS)
    ]
    return chosen(means(kept.results(runs), "lr"), 1200 * SEEDS)


def means(results, name):
    """The mean last accuracy for each value of one field."""
    found = {}
    for result in results:
        found.setdefault(result[name], []).append(result["last"])
    return {value: statistics.fmean(some) for value, some in found.items()}


def chosen(rates, n):
    """The largest rate whose accuracy on n samples is within a standard error of the best.

    >>> chosen({0.05: 0.91, 0.1: 0.9, 0.2: 0.5}, 100)
    0.1
    """
    best = max(rates.values())
    error = (best * (1 - best) / n) ** 0.5
    return max(lr for lr, accuracy in rates.items() if accuracy >= best - error)


def strength(row, side, lr, kept):
    """The strength of a row on one side; see above. A bare loop takes ours."""
    if row not in STRENGTHS:
        return 1.0
    runs = [
        Run(row, "ours" if side == "bare" else side, part="all", seed=seed, lr=lr, strength=value)
        for value in STRENGTHS[row]
        for seed in range(SEEDS)
    ]
    found = means(kept.results(runs), "strength")
    return max(found, key=found.get)


def plan(rows, seeds, kept):
    """The runs that the tables show, sides in turn; what is to be chosen is chosen first."""
    picked = {}
    for row in rows:
        lr = rate(row, kept)
        for side in SIDES:
            picked[row, side] = {"lr": lr, "strength": strength(row, side, lr, kept)}
    turns = [(seed, row) for seed in range(seeds) for row in rows]
    main = [
        Run(row, side, path, seed=seed, **picked[row, side])
        for path, sides in PATHS.items()
        for seed, row in turns
        for side in (sides if seed % 2 == 0 else sides[::-1])
    ]
    small = [Run(row, side, **picked[row, side] | SMALL) for row in rows for side in SIDES]
    return main + small


# -- tables ----------------------------------------------------------------------------------------


def summary(results):
    """One dict a row: medians over seeds, for each side and path."""
    found = []
    for row in ROWS:
        mine = [r for r in results if r["row"] == row]
        entry = {"row": row, "lr": mine[0]["lr"] if mine else None}
        for side, path in [(side, path) for path, sides in PATHS.items() for side in sides]:
            some = [r for r in mine if (r["side"], r["path"]) == (side, path)]
            if some:
                keys = ("last", "average", "cpu", "wall", "megabytes", "strength")
                middle = {key: statistics.median(r[key] for r in some) for key in keys}
                entry[f"{side}, {path}"] = middle | {"seeds": len(some)}
        if mine:
            found.append(entry)
    return found


def accuracies(entries):
    """Last and average incremental accuracy in per cent, both sides."""
    rows = []
    for s in entries:
        sides = s["ours, memory"], s["peer, memory"]
        pairs = [f"{100 * side[key]:.1f}" for key in ("last", "average") for side in sides]
        rows.append((ROWS[s["row"]], *pairs, s["lr"]))
    header = ("accuracy", "last: evergrow", "avalanche", "average: evergrow", "avalanche", "lr")
    return markdown(header, rows)


def costs(entries):
    """Seconds of processor time and, in brackets, their ratio to the bare loop's; peak memory."""
    rows = []
    for s in entries:
        floor = s["bare, memory"]["cpu"]
        seconds = {k: v["cpu"] for k, v in s.items() if isinstance(v, dict)}
        cell = {k: f"{v:.1f} ({v / floor:.2f})" for k, v in seconds.items()}
        theirs = {p: seconds["peer, memory" if p == "memory" else "peer, default"] for p in PATHS}
        times = {p: theirs[p] / seconds[f"ours, {p}"] for p in PATHS}
        peaks = [f"{s[f'{side}, memory']['megabytes']:.0f}" for side in ("ours", "peer")]
        rows.append(
            (
                ROWS[s["row"]],
                *(cell["ours, memory"], cell["peer, memory"], f"**{times['memory']:.2f}**"),
                *(cell["ours, default"], cell["peer, default"], f"**{times['default']:.2f}**"),
                *(cell["ours, pictures"], f"**{times['pictures']:.2f}**"),
                " / ".join(peaks),
            )
        )
    header = ("seconds", "arrays: evergrow", "avalanche", "times", "data set: evergrow")
    return markdown((*header, "avalanche", "times", "PIL images: evergrow", "times", "MB"), rows)


def steps(entries):
    """Seconds where batches are small, as in `costs`."""
    rows = []
    for s in entries:
        mine, theirs, floor = (s[f"{side}, memory"]["cpu"] for side in SIDES)
        cells = [f"{v:.1f} ({v / floor:.2f})" for v in (mine, theirs)]
        rows.append((ROWS[s["row"]], *cells, f"**{theirs / mine:.2f}**"))
    return markdown(("seconds, batches of 10", "evergrow", "avalanche", "times"), rows)


def tables(results):
    """Lines of Markdown: accuracies, costs, and costs of small batches."""
    entries = summary([r for r in results if r["batch"] != SMALL["batch"]])
    small = summary([r for r in results if r["batch"] == SMALL["batch"]])
    text = [*accuracies(entries), "", *costs(entries)]
    return text + (["", *steps(small)] if small else [])


def table():
    """Markdown, of the runs that are kept; nothing is run."""
    kept = Kept("versus", measuring=False)
    return tables(kept.results(plan(list(ROWS), SEEDS, kept)))


def quick():
    """Every row and side on a few images: nothing is kept, and no number means anything."""
    with tempfile.TemporaryDirectory() as folder:
        kept = Kept(Path(folder) / "runs.jsonl")
        for path, sides in PATHS.items():
            for side in sides:
                small = {"epochs": 1, "size": 256, "path": path}
                kept.results([Run(row, side, **small) for row in ROWS])
        print(*tables(kept.rows), sep="\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--here")
    given = parser.parse_args()
    if find_spec("avalanche") is None:
        raise SystemExit(
            f"avalanche-lib is needed, {sys.prefix} has none; `make versus` makes an environment "
            "of its own that has it."
        )
    if given.here:
        here([Run(**fields) for fields in json.loads(given.here)])
    elif given.quick:
        quick()
    else:
        kept = Kept("versus", peer=f"avalanche-lib {version('avalanche-lib')}")
        runs = plan(list(ROWS), given.seeds, kept)
        print(*tables([kept.results([run])[0] for run in runs]), sep="\n")


if __name__ == "__main__":
    main()
