"""What a smaller learning rate and frozen layers do by themselves: they slow forgetting.

python benchmarks/forgetting.py    trains, then writes results/forgetting.json and .svg
python benchmarks/forgetting.py --plot    the plot alone, from the results there are

Fashion-MNIST, MLP 784-400-400: classes 0 to 4 are learnt (2 epochs at 0.05), then 5 to 9 arrive, a
tenth at a time, and accuracy on the test images of either half is looked at after each. Only what
the legend says differs, from the second half on. Needs matplotlib for the plot.
"""

import json
import sys

import numpy as np
import torch
from common import RESULTS, fashion, write

torch.set_num_threads(1)
PARTS, LR = 10, 0.05
WAYS = {
    "learning rate 0.05": {},
    "learning rate 0.005": {"lr": 0.005},
    "learning rate 0.0005": {"lr": 0.0005},
    "backbone at 0.0005": {"backbone_lr": 0.01},
    "first layer frozen": {"freeze": "layers.1"},
    "backbone frozen": {"freeze": True},
    "replay of 500 images (er)": {},
}


def run(way, seed):
    """Accuracy on (old, new) test images, both among all ten classes, after each part."""
    from evergrow import GrowingClassifier, methods
    from evergrow.backbones import MLP

    x, y, xt, yt = fashion()
    name, settings = ("er", {"memory": 500, "replay": 128}) if "er)" in way else ("finetune", {})
    model = GrowingClassifier(
        MLP(hidden=(400, 400)),
        methods.get(name, **settings),
        epochs=2,
        batch_size=128,
        lr=LR,
        momentum=0.0,
        random_state=seed,
    )
    model.partial_fit(x[y < 5], y[y < 5], classes=range(10))
    points = [(model.score(xt[yt < 5], yt[yt < 5]), 0.0)]
    model.set_params(**WAYS[way])
    rows = np.random.default_rng(seed).permutation(np.flatnonzero(y >= 5))
    for part in np.array_split(rows, PARTS):
        model.partial_fit(x[part], y[part])
        points.append((model.score(xt[yt < 5], yt[yt < 5]), model.score(xt[yt >= 5], yt[yt >= 5])))
    return points


def plot(rows):
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    figure, panes = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
    images = np.linspace(0, 30, PARTS + 1)
    for way in WAYS:
        points = np.mean([r["points"] for r in rows if r["way"] == way], axis=0)
        for pane, curve in zip(panes, points.T, strict=True):
            style = "--" if "er)" in way else "-"
            pane.plot(images, 100 * curve, style, label=way, linewidth=1.6)
    for pane, title in zip(panes, ("old classes (0 to 4)", "new classes (5 to 9)"), strict=True):
        pane.set(title=title, xlabel="thousand images of new classes seen")
        pane.grid(alpha=0.3)
    panes[0].set_ylabel("accuracy among all ten, %")
    panes[1].legend(fontsize=8)
    figure.savefig(RESULTS / "forgetting.svg", metadata={"Date": None})


def main():
    if "--plot" in sys.argv:
        plot(json.loads((RESULTS / "forgetting.json").read_text())["rows"])
        return
    rows = [{"way": w, "seed": s, "points": run(w, s)} for w in WAYS for s in range(3)]
    ends = {
        w: [
            round(float(v), 4) for v in np.mean([r["points"][-1] for r in rows if r["way"] == w], 0)
        ]
        for w in WAYS
    }
    write("forgetting", rows, summary=ends)
    plot(rows)


if __name__ == "__main__":
    main()
