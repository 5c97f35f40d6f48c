"""What a smaller learning rate and frozen layers do by themselves: they slow forgetting.

python benchmarks/forgetting.py

Fashion-MNIST, MLP 784-400-400: classes 0 to 4 are learnt (2 epochs at 0.05), then 5 to 9 arrive, a
tenth at a time, and accuracy on the test images of either half is looked at after each. Only what
the legend says differs, from the second half on.
"""

import numpy as np
import torch
from common import fashion, read_rows, write_rows

torch.set_num_threads(1)
PARTS, LR = 10, 0.05
WIDTH, HEIGHT, XLABEL = 920, 400, "thousand images of new classes seen"
COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#111111")
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


def summary(rows):
    """Accuracy on (old, new) test images at the end, means over the seeds, by way."""
    ends = {way: [r["points"][-1] for r in rows if r["way"] == way] for way in WAYS}
    return {way: np.mean(points, 0).round(4).tolist() for way, points in ends.items()}


def figure():
    """An SVG of two panes: old classes, new classes."""
    rows = read_rows("forgetting")
    curves = {way: np.mean([r["points"] for r in rows if r["way"] == way], 0) for way in WAYS}
    words = [
        pane(60, "old classes (0 to 4)", {way: points[:, 0] for way, points in curves.items()}),
        pane(490, "new classes (5 to 9)", {way: points[:, 1] for way, points in curves.items()}),
        text(20, 180, "accuracy among all ten, %", 'transform="rotate(-90 20 180)"'),
    ]
    for n, way in enumerate(WAYS):
        y = 160 + 17 * n
        words += [line([(700, y), (724, y)], n), text(730, y + 4, way, 'text-anchor="start"')]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            'font-family="sans-serif" font-size="12" text-anchor="middle">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            *words,
            "</svg>\n",
        ]
    )


def pane(left, title, curves):
    """One pane, 400 x 300 pixels: curves by way, in [0, 1]."""
    words = [text(left + 200, 30, title), text(left + 200, 380, XLABEL)]
    for percent in range(0, 101, 20):
        y = 340 - 3 * percent
        words.append(f'<path d="M{left} {y}H{left + 400}" stroke="#ddd"/>')
        words.append(text(left - 8, y + 4, percent, 'text-anchor="end"'))
    for thousand in range(0, 31, 5):
        words.append(text(left + 400 * thousand / 30, 358, thousand))
    for n, values in enumerate(curves.values()):
        places = [left + 400 * k / PARTS for k in range(PARTS + 1)]
        words.append(line(list(zip(places, 340 - 300 * values, strict=True)), n))
    return "\n".join(words)


def line(points, n):
    """A line through points in the colour of way n; replay is dashed."""
    dashes = ' stroke-dasharray="6 4"' if n == len(WAYS) - 1 else ""
    through = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return (
        f'<polyline points="{through}" fill="none" stroke="{COLOURS[n]}" stroke-width="2"{dashes}/>'
    )


def text(x, y, words, more=""):
    return f'<text x="{x:.0f}" y="{y:.0f}" {more}>{words}</text>'.replace(" >", ">")


def main():
    rows = [{"way": w, "seed": s, "points": run(w, s)} for w in WAYS for s in range(3)]
    write_rows("forgetting", rows)
    print(summary(rows))


if __name__ == "__main__":
    main()
