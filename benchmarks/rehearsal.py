"""ER and DER++ on Split-Fashion-MNIST against a bare PyTorch loop that does the same arithmetic.

python benchmarks/rehearsal.py                both methods, 5 seeds: accuracy and time, A B A B,
                                              each run a process of its own
python benchmarks/rehearsal.py ours er 0      one run, as the above starts it

Memory 500, MLP 784-400-400, SGD 0.1 without momentum, batch 128 + 128 (+ 128 for the second draw of
DER++), 1 epoch.
"""

import json
import statistics
import subprocess
import sys
import time

import bare
import numpy as np
import torch
from common import fashion, write_rows

torch.set_num_threads(1)
TASKS = [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9)]
MEMORY, BATCH, LR, SEEDS = 500, 128, 0.1, 5


def ours(name, seed, x, y, xt, yt):
    from evergrow import GrowingClassifier, methods
    from evergrow.backbones import MLP

    def fresh():
        return GrowingClassifier(
            MLP(hidden=(400, 400)),
            methods.get(name, memory=MEMORY, replay=BATCH),
            epochs=1,
            batch_size=BATCH,
            lr=LR,
            momentum=0.0,
            random_state=seed,
        )

    fresh().partial_fit(x[:256], y[:256])  # warm
    model = fresh()
    chunks = [(x[np.isin(y, c)], y[np.isin(y, c)]) for c in TASKS]
    began = time.perf_counter()
    for images, labels in chunks:
        model.partial_fit(images, labels)
    seconds = time.perf_counter() - began
    return seconds, model.score(xt, yt)


def by_hand(name, seed, x, y, xt, yt):
    """What a PyTorch user writes: ten outputs from the start, a reservoir in tensors."""
    how = bare.How(LR)
    chunks = [
        (torch.from_numpy(x[np.isin(y, c)]).flatten(1), torch.from_numpy(y[np.isin(y, c)]))
        for c in TASKS
    ]
    bare.LOOPS[name](bare.network(seed), chunks[0][0][:256], chunks[0][1][:256], {}, how)  # warm
    net, kept = bare.network(seed), {}
    began = time.perf_counter()
    for images, labels in chunks:
        bare.LOOPS[name](net, images, labels, kept, how)
    seconds = time.perf_counter() - began
    answers = bare.answers(net, kept, torch.from_numpy(xt).flatten(1), 10).numpy()
    return seconds, float((answers == yt).mean())


def summary(rows):
    """Medians of seconds, and mean accuracies, of either side."""
    entries = []
    for name in dict.fromkeys(row["method"] for row in rows):
        some = {
            w: [r for r in rows if r["method"] == name and r["who"] == w] for w in ("ours", "bare")
        }
        seconds = {w: statistics.median(r["seconds"] for r in s) for w, s in some.items()}
        accuracy = {w: float(np.mean([r["accuracy"] for r in s])) for w, s in some.items()}
        spread = float(np.std([r["accuracy"] for r in some["ours"]], ddof=1))
        entries.append(
            {"method": name, "ratio_of_median_seconds": seconds["ours"] / seconds["bare"]}
        )
        entries[-1] |= {
            "accuracy": accuracy["ours"],
            "spread": spread,
            "bare_accuracy": accuracy["bare"],
        }
        entries[-1] |= {"seconds": seconds}
    return entries


def main():
    if len(sys.argv) > 1:
        who, name, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
        seconds, accuracy = {"ours": ours, "bare": by_hand}[who](name, seed, *fashion())
        print(
            json.dumps(
                {"who": who, "method": name, "seed": seed, "seconds": seconds, "accuracy": accuracy}
            )
        )
        return
    rows = []
    for name in ("er", "der++"):
        for seed in range(SEEDS):
            for who in ("ours", "bare") if seed % 2 == 0 else ("bare", "ours"):
                command = [sys.executable, __file__, who, name, str(seed)]
                rows.append(
                    json.loads(
                        subprocess.run(command, capture_output=True, text=True, check=True).stdout
                    )
                )
                print(rows[-1], flush=True)
    write_rows("rehearsal", rows)
    print(*summary(rows), sep="\n")


if __name__ == "__main__":
    main()
