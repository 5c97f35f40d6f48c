"""Open Clip Art, 13 tasks of 3 classes, on the pretrained network that comes along.

python benchmarks/clipart.py [--data FOLDER] [--orders 3] [--only "ours (auto)" ncm]

39 folders, at most 60 pictures each, 30 % of each held out; three class orders, each with a split
of its own. Features are those of efficientnet_lite0 at 224 pixels, which "auto" takes for such
pictures, computed once a picture; each model reads them as it would those of a network of the
user's own: the first task fixes the scale on which they become integers. Rows: `embedded.py`.
(Debian: openclipart-png; FOLDER holds animals, buildings, ...)
"""

from pathlib import Path

import embedded
import numpy as np
import torch
from common import once
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from evergrow import backbones
from evergrow.bench import benchmark_data
from evergrow.data import preprocess, read
from evergrow.nn.network import Network

torch.set_num_threads(1)
MOST, HELD, PER_TASK = 60, 0.3, 3


def pictures(folder):
    """Paths and labels of at most `MOST` pictures a class: the first picks of a fixed shuffle."""
    rng, files, labels = np.random.default_rng(0), [], []
    for name in benchmark_data.CLIPART:
        found = sorted((folder / name).glob("*.png"))
        found = [found[i] for i in rng.permutation(len(found))[:MOST]]
        files, labels = files + found, labels + [name] * len(found)
    return files, labels


def features(files, labels):
    """Features, the last layer's width, labels; files that cannot be read are passed over."""
    chunk = read.read(files, labels, skip_bad=True)
    backbone = backbones.get("efficientnet_lite0")
    form = backbone.prepare(chunk.seen)
    body = backbone.build(form, torch.Generator().manual_seed(0))
    net = Network(body, backbone.inputs(form))
    records = preprocess.Prepared(chunk, form)
    parts = [net.steady(records.take(rows)) for rows in torch.arange(len(chunk)).split(256)]
    last = np.array(body.parts[0][1])
    return {"x": torch.cat(parts).numpy(), "last": last, "y": chunk.labels.astype(str)}


def order(y, seed):
    """Rows to learn, rows held out (the same share of each class), classes as they arrive."""
    rng, held = np.random.default_rng(seed), np.zeros(len(y), bool)
    for c in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == c))
        held[rows[: round(HELD * len(rows))]] = True
    classes = np.random.default_rng(100 + seed).permutation(np.unique(y))
    return np.flatnonzero(~held), np.flatnonzero(held), classes


def course(folder, orders):
    files, labels = pictures(folder)
    of = [str(path.relative_to(folder)) for path in files]
    found = once("clipart", of, lambda: features(files, labels))
    model = make_pipeline(
        StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=500)
    )
    return embedded.Course(
        x=found["x"],
        y=found["y"],
        last=int(found["last"]),
        scale=None,
        each=PER_TASK,
        orders=[order(found["y"], seed) for seed in range(orders)],
        regression=model,
        grid={"logisticregression__C": [3e-4, 1e-3, 3e-3, 1e-2, 3e-2]},
        folds=5,
        rates=(0.0003, 0.001, 0.003, 0.01, 0.03),
    )


def main():
    parser = embedded.arguments()
    parser.add_argument("--data", type=Path, default=Path("/usr/share/openclipart/png"))
    given = parser.parse_args()
    embedded.main("clipart", lambda: course(given.data, given.orders), given.only)


if __name__ == "__main__":
    main()
