"""1,000 classes of 64-d Gaussians in 500 chunks: does an update get slower as classes pile up?

python benchmarks/growth.py        er, der++, lda, ncm: median of the last 50 updates over that
                                   of updates 51 to 100

Memory 2,000 (full after 100 chunks of 20). Compare the medians of updates 101 to 150 too: the
memory is full there.
"""

import statistics
import time

import numpy as np
import torch
from common import write_rows

from evergrow import GrowingClassifier, methods

torch.set_num_threads(2)


def seconds(model, chunks):
    for X, y in chunks:
        began = time.perf_counter()
        model.partial_fit(X, y)
        yield time.perf_counter() - began


def main():
    rng = np.random.default_rng(0)
    chunks = []
    for i in range(500):
        y = np.repeat([2 * i, 2 * i + 1], 20)
        centres = np.random.default_rng(1000 + i).normal(size=(2, 64)) * 2
        chunks.append(((centres[y - 2 * i] + rng.normal(size=(40, 64))).astype(np.float32), y))
    makers = {
        "finetune": lambda: GrowingClassifier("mlp", "finetune", epochs=5),
        "er": lambda: GrowingClassifier("mlp", methods.ER(memory=2000), epochs=5),
        "der++": lambda: GrowingClassifier("mlp", methods.DERpp(memory=2000), epochs=5),
        "ncm": lambda: GrowingClassifier("none", "ncm"),
        "lda": lambda: GrowingClassifier("fourier", "lda"),
    }
    rows = []
    for name, make in makers.items():
        took = list(seconds(make(), chunks))
        early, late = statistics.median(took[50:100]), statistics.median(took[-50:])
        rows.append(
            {
                "method": name,
                "ratio": round(late / early, 3),
                "early_ms": 1000 * early,
                "late_ms": 1000 * late,
            }
        )
        print(rows[-1], flush=True)
    write_rows("growth", rows)


if __name__ == "__main__":
    main()
