"""Methods that train, against bare PyTorch loops that do the same arithmetic: processor time.

python benchmarks/speed.py                er, der++, lwf, ewc, icarl; 3 seeds, A B B A, each run a
                                          process of its own
python benchmarks/speed.py ours lwf 0     one run, as the above starts it

Split-Fashion-MNIST, MLP 784-400-400, SGD 0.03, batch 128 (+ 128 replayed), 1 epoch a task, memory
500, one thread. Processor time and not the clock's, so that other work on the machine counts less.
"""

import json
import statistics
import subprocess
import sys
import time

import bare
import numpy as np
import torch
from common import fashion, markdown, read_rows, write_rows

torch.set_num_threads(1)
SETTINGS = {
    "er": {"memory": 500, "replay": 128},
    "der++": {"memory": 500, "replay": 128},
    "lwf": {},
    "ewc": {},
    "icarl": {"memory": 500, "replay": 128},
}
TASKS = [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9)]
BATCH, LR = 128, 0.03


def ours(name, seed, chunks):
    from evergrow import GrowingClassifier, methods
    from evergrow.backbones import MLP

    def run(chunks):
        model = GrowingClassifier(
            MLP(hidden=(400, 400)),
            methods.get(name, **SETTINGS[name]),
            epochs=1,
            batch_size=BATCH,
            lr=LR,
            momentum=0.0,
            random_state=seed,
        )
        for images, labels in chunks:
            model.partial_fit(images, labels)

    return run, chunks


def by_hand(name, seed, chunks):
    """What a PyTorch user writes: see benchmarks/bare.py."""
    how = bare.How(LR)

    def run(chunks):
        net, kept = bare.network(seed), {}
        for images, labels in chunks:
            bare.LOOPS[name](net, images, labels, kept, how)

    return run, [(torch.from_numpy(x).flatten(1), torch.from_numpy(y)) for x, y in chunks]


def timed(who, name, seed):
    x, y, _, _ = fashion()
    chunks = [(x[np.isin(y, c)], y[np.isin(y, c)]) for c in TASKS]
    run, chunks = {"ours": ours, "bare": by_hand}[who](name, seed, chunks)
    run([(images[:256], labels[:256]) for images, labels in chunks[:1]])  # warm
    began = time.process_time()
    run(chunks)
    return time.process_time() - began


def summary(rows):
    """Medians of seconds of either side, and their ratio."""
    entries = []
    for name in dict.fromkeys(row["method"] for row in rows):
        some = [r for r in rows if r["method"] == name]
        s = {w: statistics.median(r["s"] for r in some if r["who"] == w) for w in ("ours", "bare")}
        entries.append({"method": name, "ratio": round(s["ours"] / s["bare"], 3), "seconds": s})
    return entries


def table():
    """Markdown: how many times the bare loop's processor time a method takes."""
    entries = summary(read_rows("speed"))
    return markdown(("method", "ratio"), [(s["method"], s["ratio"]) for s in entries])


def main():
    if len(sys.argv) > 1:
        who, name, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
        print(
            json.dumps({"who": who, "method": name, "seed": seed} | {"s": timed(who, name, seed)})
        )
        return
    rows = []
    for name in SETTINGS:
        for seed in range(3):
            for who in ("ours", "bare") if seed % 2 == 0 else ("bare", "ours"):
                command = [sys.executable, __file__, who, name, str(seed)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                rows.append(json.loads(done.stdout))
                print(rows[-1], flush=True)
    write_rows("speed", rows)
    print(*table(), sep="\n")


if __name__ == "__main__":
    main()
