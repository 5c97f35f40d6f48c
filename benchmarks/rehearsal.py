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

import numpy as np
import torch
from common import fashion, write
from torch import nn
from torch.nn import functional as F

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


def bare(name, seed, x, y, xt, yt):
    """What a PyTorch user writes by hand: ten outputs from the start, a reservoir in tensors."""
    torch.manual_seed(seed)
    net = nn.Sequential(
        nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 400), nn.ReLU(), nn.Linear(400, 10)
    )
    optimizer = torch.optim.SGD(net.parameters(), LR)
    memory_x, memory_y = (
        torch.zeros(MEMORY, 784, dtype=torch.uint8),
        torch.zeros(MEMORY, dtype=torch.long),
    )
    memory_z, size, seen = torch.zeros(MEMORY, 10), 0, 0
    chunks = [
        (torch.from_numpy(x[np.isin(y, c)]).flatten(1), torch.from_numpy(y[np.isin(y, c)]))
        for c in TASKS
    ]

    def draw():
        rows = torch.randperm(size)[:BATCH]
        return memory_x[rows].float() / 255, memory_y[rows], memory_z[rows]

    def run(images, labels):
        nonlocal size, seen
        for rows in torch.randperm(len(images)).split(BATCH):
            raw, target = images[rows], labels[rows]
            logits = net(raw.float() / 255)
            loss = F.cross_entropy(logits, target)
            if size:
                if name == "der++":
                    old_x, _, old_z = draw()
                    loss = loss + 0.1 * F.mse_loss(net(old_x), old_z)
                    old_x, old_y, _ = draw()
                    loss = loss + F.cross_entropy(net(old_x), old_y)
                else:
                    old_x, old_y, _ = draw()
                    loss = loss + F.cross_entropy(net(old_x), old_y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            order = torch.arange(seen, seen + len(rows))
            slots = torch.where(order < MEMORY, order, (torch.rand(len(rows)) * (order + 1)).long())
            seen += len(rows)
            kept = slots < MEMORY
            memory_x[slots[kept]], memory_y[slots[kept]] = raw[kept], target[kept]
            memory_z[slots[kept]] = logits.detach()[kept]
            size = min(MEMORY, seen)

    run(chunks[0][0][:256], chunks[0][1][:256])  # warm
    size = seen = 0
    began = time.perf_counter()
    for images, labels in chunks:
        run(images, labels)
    seconds = time.perf_counter() - began
    with torch.no_grad():
        answers = net(torch.from_numpy(xt).flatten(1).float() / 255).argmax(1).numpy()
    return seconds, float((answers == yt).mean())


def main():
    if len(sys.argv) > 1:
        who, name, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
        seconds, accuracy = {"ours": ours, "bare": bare}[who](name, seed, *fashion())
        print(
            json.dumps(
                {"who": who, "method": name, "seed": seed, "seconds": seconds, "accuracy": accuracy}
            )
        )
        return
    rows, summary = [], []
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
        some = {
            w: [r for r in rows if r["method"] == name and r["who"] == w] for w in ("ours", "bare")
        }
        seconds = {w: statistics.median(r["seconds"] for r in s) for w, s in some.items()}
        accuracy = {w: float(np.mean([r["accuracy"] for r in s])) for w, s in some.items()}
        spread = float(np.std([r["accuracy"] for r in some["ours"]], ddof=1))
        summary.append(
            {"method": name, "ratio_of_median_seconds": seconds["ours"] / seconds["bare"]}
        )
        summary[-1] |= {
            "accuracy": accuracy["ours"],
            "spread": spread,
            "bare_accuracy": accuracy["bare"],
        }
        summary[-1] |= {"seconds": seconds}
    write("rehearsal", rows, summary=summary)


if __name__ == "__main__":
    main()
