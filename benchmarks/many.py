"""A thousand classes, one after the other: 20 samples each of 1,280 features, one call each.

python benchmarks/many.py

Features are drawn about a random place for each class (only time is measured here; the accuracy
says that it did learn them). One thread, defaults for ready-made features (`none`, lda).
"""

import time

import numpy as np
import torch
from common import markdown, read_rows, write_rows

from evergrow import GrowingClassifier, methods

torch.set_num_threads(1)
CLASSES, EACH, WIDTH = 1000, 20, 1280


def table():
    """Markdown."""
    shown = (
        ("the first update", "first_update", "{:.3f}"),
        ("the slowest update", "slowest_update", "{:.3f}"),
        ("updates slower than twice the first", "slower_than_twice_the_first", "{}"),
        ("all 1,000 updates", "total_seconds", "{:.1f}"),
        ("predicting 1,000 samples the first time (solves)", "solve_and_predict_1000", "{:.2f}"),
        ("predicting 1,000 samples", "predict_1000", "{:.2f}"),
    )
    rows = [(w, f.format(row[k])) for row in read_rows("many") for w, k, f in shown]
    return markdown(("1,000 classes of 20 samples, one call each", "seconds"), rows)


def main():
    rng = np.random.default_rng(0)
    places = rng.normal(size=(CLASSES, WIDTH)).astype(np.float32)

    def drawn(columns):
        noise = rng.normal(size=(len(columns), WIDTH)).astype(np.float32)
        return places[columns] + 2 * noise

    model, seconds = GrowingClassifier("none", methods.LDA()), []
    for c in range(CLASSES):
        x = drawn(np.full(EACH, c))
        began = time.perf_counter()
        model.partial_fit(x, np.full(EACH, c))
        seconds.append(time.perf_counter() - began)
    x, y = drawn(np.arange(CLASSES)), np.arange(CLASSES)
    began = time.perf_counter()
    right = model.predict(x) == y  # the weights are solved here, once
    first = time.perf_counter() - began
    began = time.perf_counter()
    model.predict(x)
    row = {
        "updates": CLASSES,
        "total_seconds": sum(seconds),
        "first_update": seconds[0],
        "median_of_first_ten": float(np.median(seconds[:10])),
        "median_of_last_ten": float(np.median(seconds[-10:])),
        "slowest_update": max(seconds),
        "slower_than_twice_the_first": sum(s > 2 * seconds[0] for s in seconds),
        "solve_and_predict_1000": first,
        "predict_1000": time.perf_counter() - began,
        "accuracy": float(right.mean()),
    }
    protocol = "1,000 classes of 20 samples, 1,280 features, one call each"
    write_rows("many", [row], protocol=protocol)
    print(*table(), sep="\n")


if __name__ == "__main__":
    main()
