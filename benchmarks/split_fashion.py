"""Split-Fashion-MNIST, 5 tasks of 2 classes, one pass: accuracy, images a second, peak memory.

python benchmarks/split_fashion.py                the default classifier, once, timed
                                                  (a few minutes with the rows below)
python benchmarks/split_fashion.py --fair         beside it: ER and DER++ on the same features,
                                                  a small CNN trained jointly
python benchmarks/split_fashion.py --orders 20    sums over random class orders, chunkings and
                                                  save-loads: equal bit for bit
"""

import argparse
import resource
import tempfile
import time

import numpy as np
import torch
from common import fashion, write_rows

from evergrow import GrowingClassifier, load, methods
from evergrow.backbones import ConvNet


def learn_in_tasks(model, x, y, order=range(10), chunk=None, rng=None, reload=False):
    """Five calls of two classes each (or more, in chunks); `reload`: save and load in between."""
    for classes in np.array_split(np.array(list(order)), 5):
        rows = np.flatnonzero(np.isin(y, classes))
        if rng is not None:
            rng.shuffle(rows)
        for part in np.split(rows, range(chunk, len(rows), chunk)) if chunk else [rows]:
            model.partial_fit(x[part], y[part])
        if reload:
            with tempfile.TemporaryDirectory() as folder:
                model.save(folder)
                model = load(folder)
    return model


def default_row(x, y, xt, yt):
    began = time.perf_counter()
    model = learn_in_tasks(GrowingClassifier(), x, y)
    learnt = time.perf_counter() - began
    model.decision_function(xt[:1])  # solves
    seconds = time.perf_counter() - began
    began = time.perf_counter()
    accuracy = model.score(xt, yt)
    return {
        "method": f"{model.backbone_} + {model.method_} (default)",
        "accuracy": accuracy,
        "seconds_learning": round(learnt, 2),
        "seconds_learning_and_solving": round(seconds, 2),
        "images_per_second": round(len(x) / seconds),
        "seconds_predicting_10000": round(time.perf_counter() - began, 2),
        "peak_memory_GB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
        "penalty": model.learner_.solution().penalty,
    }


def exactness(x, y, orders):
    """Rows: whether each order's sums equal the first one's."""
    reference, rows = None, []
    for seed in range(orders):
        rng = np.random.default_rng(seed)
        order, chunk = rng.permutation(10), int(rng.integers(300, 9000))
        model = learn_in_tasks(GrowingClassifier(), x, y, order, chunk, rng, reload=seed % 2 == 1)
        sums = model.learner_.sums
        place = np.argsort(model.classes_)
        now = (sums.counts[place], sums.sums[place], sums.gram)
        reference = reference or now
        same = all(torch.equal(a, b) for a, b in zip(now, reference, strict=True))
        rows.append(
            {"order": order.tolist(), "chunk": chunk, "save_load": seed % 2 == 1, "equal": same}
        )
        print(rows[-1], flush=True)
        assert same, "sums differ"
    return rows


def fair_rows(x, y, xt, yt, seeds):
    """ER and DER++ with 500 images on the same fixed features; a small CNN trained jointly."""
    for name in ("er", "der++"):
        for seed in seeds:
            began = time.perf_counter()
            method = methods.get(name, memory=500, replay=128)
            model = GrowingClassifier(
                "patches", method, epochs=1, batch_size=128, lr=0.01, random_state=seed
            )
            learn_in_tasks(model, x, y)
            seconds = time.perf_counter() - began
            yield {
                "method": f"patches + {name}, 500 images",
                "seed": seed,
                "accuracy": model.score(xt, yt),
                "seconds": round(seconds, 1),
            }
    for seed in seeds:
        began = time.perf_counter()
        model = GrowingClassifier(
            ConvNet(), "finetune", epochs=3, batch_size=128, lr=0.05, random_state=seed
        )
        model.fit(x, y)
        seconds = time.perf_counter() - began
        row = {"method": "convnet, joint, 3 epochs (all data at once)", "seed": seed}
        yield row | {"accuracy": model.score(xt, yt), "seconds": round(seconds, 1)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=0)
    parser.add_argument("--fair", action="store_true")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    x, y, xt, yt = fashion()
    if args.orders:
        write_rows("split_fashion_exactness", exactness(x, y, args.orders))
    elif args.fair:
        rows = []
        for row in fair_rows(x, y, xt, yt, range(args.seeds)):
            rows.append(row)
            print(row, flush=True)
        write_rows("split_fashion_fair", rows)
    else:
        row = default_row(x, y, xt, yt)
        write_rows("split_fashion", [row])
        print(row)


if __name__ == "__main__":
    main()
