"""One sample at a time: updates a second on cached 1,280-d features, and a warm single prediction.

python benchmarks/stream.py
"""

import statistics
import time

import numpy as np
import torch
from common import fashion, write_rows

from evergrow import GrowingClassifier

torch.set_num_threads(2)


def main():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 50, 6000)
    X = (rng.normal(size=(50, 1280))[y] + rng.normal(size=(6000, 1280))).clip(0).astype(np.float32)
    rows = []
    for boundary in ("task", "new classes"):
        model = GrowingClassifier("none", "lda", boundary=boundary)
        model.partial_fit(X[:1000], y[:1000])
        began = time.perf_counter()
        for i in range(1000, 6000):
            model.partial_fit(X[i : i + 1], y[i : i + 1])
        rate = 5000 / (time.perf_counter() - began)
        began = time.perf_counter()
        model.predict(X[:1])
        solving = time.perf_counter() - began
        rows.append(
            {"what": f"one-sample updates a second, boundary={boundary!r}", "value": round(rate)}
        )
        rows.append(
            {
                "what": "seconds for the first prediction after them (solves)",
                "value": round(solving, 3),
            }
        )
    x, labels, xt, _ = fashion()
    model = GrowingClassifier().partial_fit(x[:5000], labels[:5000])
    warm, forward = [], []
    model.predict(xt[:1])
    image = torch.from_numpy(xt[:1])[:, None]
    for _ in range(100):
        began = time.perf_counter()
        model.predict(xt[:1])
        warm.append(time.perf_counter() - began)
        began = time.perf_counter()
        model.net_.steady(image, model.net_.scale)
        forward.append(time.perf_counter() - began)
    rows.append(
        {
            "what": "warm single prediction, ms (median of 100)",
            "value": 1000 * statistics.median(warm),
        }
    )
    rows.append(
        {
            "what": "its forward pass alone, ms (median of 100)",
            "value": 1000 * statistics.median(forward),
        }
    )
    write_rows("stream", rows)
    print(*rows, sep="\n")


if __name__ == "__main__":
    main()
