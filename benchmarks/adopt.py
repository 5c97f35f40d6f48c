"""Grow networks that were trained elsewhere: 8 classes of Fashion-MNIST known, 2 new ones come.

A network (a multilayer perceptron 784-400-400 or a small convolutional one) is trained on 8 classes
of 50,000 training images, with plain PyTorch; then these are gone. It is adopted, and learns the
images of the 2 other classes among the 50,000: (a) with nothing else, (b) with 5 or 20 old images a
class, (c) with 10,000 unlabelled images of all ten classes that no network was trained on. Accuracy
is on the 10,000 test images of all ten classes. All settings were chosen on training images.

    python benchmarks/adopt.py [--pairs 15] [--minutes 25] [--kinds mlp,cnn] [--rows auto-a,...]

Finished rows are kept in a file (`--done`), so that a run that was stopped goes on.
"""

import argparse
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import common
import numpy as np
import torch
from torch import nn

from evergrow import GrowingClassifier

FOLDER = Path(tempfile.gettempdir()) / "evergrow-adopt"
GAPS = (5, 2, 1, 3, 4)  # pairs by distance of the labels: the first 5, 15, 25 hold all labels alike
PAIRS = [tuple(sorted((i, (i + d) % 10))) for d in GAPS for i in range(5 if d == 5 else 10)]
SAME = {"epochs": 3, "batch_size": 128, "optimizer": "adamw", "lr": 0.0003}
FRESH = SAME | {"lr": 0.001}  # what begins anew learns faster

# row: (method, old images a class, whether unlabelled images come, parameters of the classifier)
ROWS = {
    "auto (a) nothing": ("auto", 0, False, {}),
    "auto (b) 5 a class": ("auto", 5, False, {}),
    "auto (b) 20 a class": ("auto", 20, False, {}),
    "auto (c) unlabelled": ("auto", 0, True, {}),
    "lda 20 a class": ("lda", 20, False, {}),
    "imprint": ("imprint", 0, False, {}),
    "dmc unlabelled": ("dmc", 0, True, FRESH),
    "lwf": ("lwf", 0, False, SAME),
    "finetune": ("finetune", 0, False, SAME),
    "der++ 20 a class": ("der++", 20, False, SAME),
}


def network(kind: str, outputs: int) -> nn.Module:
    """An untrained network of images (n, 1, 28, 28)."""
    if kind == "mlp":
        body = [nn.Flatten(), nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 400), nn.ReLU()]
        return nn.Sequential(*body, nn.Linear(400, outputs))
    first = [nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    second = [nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*first, *second, nn.Flatten(), nn.Linear(64 * 49, outputs))


def trained(kind: str, x: np.ndarray, y: np.ndarray, labels: list[int], name: str) -> nn.Module:
    """A network trained on these labels, from the folder where it is there already."""
    torch.manual_seed(0)
    net, path = network(kind, len(labels)), FOLDER / f"{kind}-{name}.pt"
    if path.exists():
        net.load_state_dict(torch.load(path, weights_only=True))
        return net.eval()
    rows = torch.from_numpy(np.flatnonzero(np.isin(y, labels)))
    images, columns = torch.from_numpy(x), torch.from_numpy(np.searchsorted(labels, y))
    epochs, lr = (5, 0.002) if kind == "mlp" else (3, 0.003)
    optimizer = torch.optim.Adam(net.parameters())
    steps = epochs * (len(rows) // 128 + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps + 1)
    for _ in range(epochs):
        for some in rows[torch.randperm(len(rows))].split(128):
            optimizer.zero_grad()
            nn.functional.cross_entropy(
                net(images[some, None].float() / 255), columns[some]
            ).backward()
            optimizer.step()
            schedule.step()
    torch.save(net.state_dict(), path)
    return net.eval()


@torch.no_grad()
def accuracy(net: nn.Module, x: np.ndarray, y: np.ndarray, labels: list[int]) -> float:
    """Of a network on the images of its own labels."""
    rows = np.isin(y, labels)
    parts = torch.from_numpy(x[rows, None]).split(1000)
    found = torch.cat([net(part.float() / 255).argmax(1) for part in parts]).numpy()
    return float((np.array(labels)[found] == y[rows]).mean())


class Data:
    """Fashion-MNIST, its training images split in learnt ones and unlabelled ones."""

    def __init__(self, validate: bool):
        x, y, xt, yt = common.fashion()
        order = np.random.default_rng(0).permutation(len(x))
        apart, rest = order[:10000], order[10000:]
        self.unlabelled, self.x, self.y = x[apart], x[rest], y[rest]
        self.xt, self.yt = (x[rest[:5000]], y[rest[:5000]]) if validate else (xt, yt)
        if validate:
            self.x, self.y = x[rest[5000:]], y[rest[5000:]]


def adopted(kind: str, data: Data, pair: tuple[int, int]) -> nn.Module:
    """A network trained on all labels but the pair."""
    old = [label for label in range(10) if label not in pair]
    return trained(kind, data.x, data.y, old, f"without-{pair[0]}-{pair[1]}")


def measured(data: Data, kind: str, pair: tuple[int, int], row: str) -> dict[str, object]:
    """One row for one network and one pair of new labels."""
    method, few, unlabelled, parameters = ROWS[row]
    old = [label for label in range(10) if label not in pair]
    net = adopted(kind, data, pair)
    began = time.perf_counter()
    clf = GrowingClassifier.adopt(net, old, method=method, **parameters)
    if few:
        rows = np.concatenate([np.flatnonzero(data.y == label)[:few] for label in old])
        clf.remember(data.x[rows], data.y[rows])
    new = np.isin(data.y, pair)
    beside = data.unlabelled if unlabelled else None
    clf.partial_fit(data.x[new], data.y[new], auxiliary=beside)
    seconds = time.perf_counter() - began
    right, arrived = clf.predict(data.xt) == data.yt, np.isin(data.yt, pair)
    return {
        "network": kind,
        "new": list(pair),
        "row": row,
        "method": clf.method_,
        "accuracy": float(right.mean()),
        "old": float(right[~arrived].mean()),
        "fresh": float(right[arrived].mean()),
        "adopted": accuracy(net, data.xt, data.yt, old),
        "seconds": round(seconds, 1),
    }


def summary(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Means over pairs, by row and network, and over both networks."""
    groups = defaultdict(list)
    for r in rows:
        groups[r["row"], r["network"]].append(r)
    out = []
    for (row, kind), found in groups.items():
        means = {k: round(float(np.mean([r[k] for r in found])), 4) for k in ("accuracy", "old")}
        fresh = round(float(np.mean([r["fresh"] for r in found])), 4)
        least = round(min(float(r["accuracy"]) for r in found), 4)
        method = found[0]["method"]
        out.append({"row": row, "network": kind, "method": method, "pairs": len(found)})
        out[-1] |= means | {"fresh": fresh, "least": least}
    return out


def table() -> list[str]:
    """Markdown: mean accuracy over the pairs and, in brackets, the least."""
    entries, by = summary(common.read_rows("adopt")), {}
    for s in entries:
        by.setdefault((s["row"], s["method"]), {})[s["network"]] = s

    def cell(s):
        return f"{100 * s['accuracy']:.1f} ({100 * s['least']:.1f})" if s else ""

    rows = [
        (row, method, cell(of.get("mlp")), cell(of.get("cnn")))
        for (row, method), of in sorted(by.items())
    ]
    pairs = {s["network"]: s["pairs"] for s in entries}
    return common.markdown(
        ("given", "method", *(f"{n}, {p} pairs" for n, p in pairs.items())), rows
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=45)
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--kinds", default="mlp,cnn")
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--done", type=Path, default=FOLDER / "rows.jsonl")
    parser.add_argument("--validate", action="store_true", help="on held-out training images")
    parser.add_argument("--train", action="store_true", help="only train the networks")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.validate:
        globals()["FOLDER"] = FOLDER.parent / "evergrow-adopt-validate"
    FOLDER.mkdir(exist_ok=True)
    data, began = Data(asked.validate), time.time()
    done = common.read_rows(asked.done)
    known = {(r["network"], tuple(r["new"]), r["row"]) for r in done}
    for kind in asked.kinds.split(",") if asked.train else ():
        for pair in PAIRS[: asked.pairs]:
            adopted(kind, data, pair)
    for pair in () if asked.train else PAIRS[: asked.pairs]:
        for row in asked.rows.split(","):
            for kind in asked.kinds.split(","):
                if (kind, pair, row) in known or time.time() - began > asked.minutes * 60:
                    continue
                done.append(measured(data, kind, pair, row))
                common.append_row(asked.done, done[-1])
                print(done[-1], flush=True)
    if asked.train or asked.validate:
        print(*summary(done), sep="\n")
        return
    everything = list(range(10))
    joint = {
        kind: accuracy(
            trained(kind, data.x, data.y, everything, "joint"), data.xt, data.yt, everything
        )
        for kind in asked.kinds.split(",")
    }
    common.write_rows("adopt", done, joint=joint)
    print(*summary(done), joint, sep="\n")


if __name__ == "__main__":
    main()
