"""What the feature cache saves: ER on a frozen network, without it, in memory, and on disk.

python benchmarks/cache.py            each run a process of its own, on a cache that begins empty
python benchmarks/cache.py one memory one run, as the above starts it

Two tasks of 5 classes, 100 generated pictures of 224 pixels each, efficientnet_lite0, memory 50,
batch 32 + 8, 10 epochs, one thread. "none" computes the same arithmetic anew for each batch. The
weights learnt must be equal bit for bit in all runs.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time

import torch
from common import write_rows

torch.set_num_threads(1)
RUNS = {"none": "0", "memory": "0", "disk, first process": "", "disk, second process": ""}
CLASSES, EACH, EPOCHS = 5, 20, 10


def pictures(task):
    """(100, 3, 224, 224) uint8 noise, each class around a colour of its own, and (100,) labels."""
    rng = torch.Generator().manual_seed(task)
    y = torch.arange(CLASSES * EACH) % CLASSES
    colours = torch.randint(32, 224, (CLASSES, 3, 1, 1), generator=rng)
    noise = torch.randint(-32, 32, (len(y), 3, 224, 224), generator=rng)
    return (colours[y] + noise).to(torch.uint8), y + CLASSES * task


def one(name):
    """One run: seconds of learning, rows through the network, and a hash of what was learnt."""
    from evergrow import GrowingClassifier, methods
    from evergrow.nn.feature_cache import FeatureCache
    from evergrow.nn.network import Network
    from evergrow.training import loop

    if name == "none":
        loop._cache = lambda method, how: FeatureCache(room=0)
    steady, rows = Network.steady, []

    def counted(net, x, scale=None):
        rows.append(len(x))
        return steady(net, x, scale)

    Network.steady = counted
    model = GrowingClassifier(
        "efficientnet_lite0", methods.ER(memory=50, replay=8), freeze=True, epochs=EPOCHS
    )
    tasks = [pictures(task) for task in range(2)]
    began, worked = time.perf_counter(), time.process_time()
    for x, y in tasks:
        model.partial_fit(x, y)
        assert not model.update_["warnings"]
    return {
        "cache": name,
        "seconds": round(time.perf_counter() - began, 2),
        "processor_seconds": round(time.process_time() - worked, 2),
        "rows_computed": sum(rows),
        "weights": hashlib.sha256(model.net_.head.weight.detach().numpy().tobytes()).hexdigest(),
    }


def main():
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, place in RUNS.items():
            environment = os.environ | {"EVERGROW_CACHE": place or folder, "OMP_NUM_THREADS": "1"}
            command = [sys.executable, __file__, "one", name]
            rows.append(json.loads(subprocess.check_output(command, env=environment)))
            print(rows[-1], file=sys.stderr)
        size = sum(os.path.getsize(os.path.join(folder, file)) for file in os.listdir(folder))
    assert len({row["weights"] for row in rows}) == 1, "the same weights, bit for bit"
    write_rows("cache", rows, bytes_on_disk=size)


if __name__ == "__main__":
    print(json.dumps(one(sys.argv[2]))) if sys.argv[1:2] == ["one"] else main()
