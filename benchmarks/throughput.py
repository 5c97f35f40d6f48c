"""Images a second of `learn` on a frozen pretrained network, beside bare loops that do as much.

python benchmarks/throughput.py                    4 rounds of 2,000 images: about an hour
python benchmarks/throughput.py --quick            4 rounds of 512 images: 10 to 20 minutes
python benchmarks/throughput.py --memory           peak memory up to 100,000 files: 20 to 60 minutes
python benchmarks/throughput.py run ours-files 1000 2   one run, as the above starts it

efficientnet_lite0 at 224 pixels, images of 640 x 480 pixels that are generated (smooth colours and
grain, JPEG quality 85, about 100 kB), classes of 50. Beside one another, each run a process of its
own, in the order A B B A, medians: `learn` of arrays of 224 pixels, and the network as timm gives
it on the same arrays in batches of 32 (`bare`: channels_last, as one would write it; `folded`: and
batch norm folded, threads on blocks of their own, as here); `learn` of a folder of JPEG files, and
a loop that decodes in threads ahead of the network. `learn` is the whole command: it checks files,
hashes, adds up sums, solves, judges itself, and writes a version. Reading the arrays and importing
are not timed, on either side. Memory: the peak of a process that learns more and more files of 20
classes, of 320 x 240 pixels and brought to 96 to be done sooner; beyond 1,000 they are other names
of these. `check_s`: seconds of them until all files were checked.

Processor time an image says more than the clock where other processes run, and nothing of what is
done at the same time. Each run is a line of results/throughput.jsonl; runs that stand there are not
made again. The files are made once in THROUGHPUT (a folder; by default one for temporary files).
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from common import append_row, read_rows
from PIL import Image

PLACE = Path(os.environ.get("THROUGHPUT", Path(tempfile.gettempdir()) / "evergrow-throughput"))
EACH, BATCH, SIZE, SMALL = 50, 32, (640, 480), (320, 240)
CLASSES = 20  # where memory is measured, so that the number of files alone changes
PAIRS = (("ours-arrays", "bare-arrays"), ("ours-arrays", "folded-arrays"))
FILES = (("ours-files", "bare-files"), ("ours-files", "folded-files"))
SIZES = (1000, 5000, 20000, 100000)  # files, for memory


def folder(n: int, small: bool = False) -> Path:
    """A folder of n JPEG files, a subfolder for every 50; made where it is missing.

    small: of fewer pixels, in 20 subfolders.
    """
    place = PLACE / (f"{n}-small" if small else str(n))

    def file(i: int) -> Path:
        return place / "images" / f"{i % CLASSES if small else i // EACH:04d}" / f"{i:06d}.jpg"

    if not (place / "whole").exists():
        for i in range(n):
            file(i).parent.mkdir(parents=True, exist_ok=True)
            if not file(i).exists() and i < 1000:
                photo(i, SMALL if small else SIZE).save(file(i), quality=85)
            elif not file(i).exists():
                os.link(file(i % 1000), file(i))
        (place / "whole").touch()
    return place / "images"


def photo(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    rng = np.random.default_rng(seed)
    smooth = Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8))
    grain = rng.integers(-12, 13, (size[1], size[0], 1))
    x = np.asarray(smooth.resize(size, Image.Resampling.BICUBIC)) + grain
    return Image.fromarray(x.clip(0, 255).astype(np.uint8))


def decoded(path: Path) -> torch.Tensor:
    """As a user writes it: Pillow decodes and resizes."""
    image = Image.open(path).convert("RGB").resize((224, 224), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.asarray(image).transpose(2, 0, 1).copy())


def batches(paths: list[Path], threads: int) -> Iterator[torch.Tensor]:
    """Batches decoded by threads, four ahead."""
    with ThreadPoolExecutor(threads) as pool:
        parts = [paths[i : i + BATCH] for i in range(0, len(paths), BATCH)]
        waiting: deque[list[object]] = deque()
        for part in parts:
            waiting.append([pool.submit(decoded, path) for path in part])
            if len(waiting) > 4:
                yield torch.stack([f.result() for f in waiting.popleft()])
        while waiting:
            yield torch.stack([f.result() for f in waiting.popleft()])


def learnt(data: object, **settings: object) -> float:
    """Learn in a folder that is not kept.  Returns the seconds before training began."""
    from evergrow.commands import learn
    from evergrow.model.options import How

    began, told = time.perf_counter(), []
    how = How({"backbone": "efficientnet_lite0", **settings})
    with tempfile.TemporaryDirectory() as name:
        learn.learn(
            Path(name) / "model", data, how, tell=lambda _: told.append(time.perf_counter())
        )
    return told[0] - began


def network(fold: bool):
    """Float images in 0..1 -> features, as timm has it, or folded and in blocks."""
    from evergrow.backbones.efficientnet_lite0 import EfficientNetLite0
    from evergrow.nn.network import Network

    entry, form = EfficientNetLite0(), {"kind": "image", "channels": 3, "height": 224, "width": 224}
    net = Network(entry.build(form, torch.Generator().manual_seed(0)), entry.inputs(form)).eval()
    return net.steady if fold else torch.no_grad()(net.features)


def run(name: str, n: int, threads: int) -> dict[str, float]:
    """One run: seconds, images a second, processor time an image, peak memory in MB."""
    torch.set_num_threads(threads)
    who, what = name.split("-")
    place = folder(n, what == "small")
    paths, checked = sorted(place.rglob("*.jpg")), 0.0
    x = torch.stack([decoded(p) for p in paths]) if what == "arrays" else None
    labels = [str(p.parent.name) for p in paths]
    if who == "ours":
        warm = torch.zeros(20, 3, 224, 224, dtype=torch.uint8), ["a", "b"] * 10
        learnt(warm)
        began, worked = time.perf_counter(), time.process_time()
        small = {"image_size": 96} if what == "small" else {}
        checked = learnt(place if x is None else (x, labels), **small)
    else:
        net = network(who == "folded")
        net(torch.zeros(BATCH, 3, 224, 224, dtype=torch.uint8))
        began, worked = time.perf_counter(), time.process_time()
        parts = batches(paths, threads) if x is None else iter(x.split(BATCH))
        torch.cat([net(part) for part in parts])
    seconds = time.perf_counter() - began
    cpu = time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    rate, work = round(n / seconds, 2), round(1e3 * cpu / n, 2)
    found = {"seconds": round(seconds, 3), "rate": rate, "cpu_ms": work, "peak_mb": round(peak)}
    return found | ({"check_s": round(checked, 1)} if what == "small" else {})


def kept(name: str, n: int, threads: int, turn: int) -> dict[str, object]:
    """A run, from the results where it stands there."""
    key = {"name": name, "n": n, "threads": threads, "turn": turn}
    for row in read_rows("throughput"):
        if {k: row[k] for k in key} == key:
            return row
    folder(n, name.endswith("-small"))
    command = [sys.executable, __file__, "run", name, str(n), str(threads)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    row = key | json.loads(done.stdout)
    append_row("throughput", row)
    print(row, flush=True)
    return row


def beside(pair: tuple[str, str], n: int, threads: int, rounds: int) -> dict[str, object]:
    """Both of a pair by turns; medians, and how many times as fast ours is."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in pair}
    for turn in range(rounds):
        for name in pair if turn % 2 == 0 else pair[::-1]:
            runs[name].append(kept(name, n, threads, turn))  # type: ignore[arg-type]
    rate, cpu = (
        [round(statistics.median(run[key] for run in runs[name]), 2) for name in pair]
        for key in ("rate", "cpu_ms")
    )
    what = {"of": pair[0], "beside": pair[1], "threads": threads, "images": n}
    by_clock = {"rates": rate, "ratio": round(rate[0] / rate[1], 3)}
    return what | by_clock | {"cpu_ms": cpu, "ratio_by_cpu": round(cpu[1] / cpu[0], 3)}


def main() -> None:
    if sys.argv[1:2] == ["run"]:
        print(json.dumps(run(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
        return
    if "--memory" not in sys.argv:
        n, rounds = (512 if "--quick" in sys.argv else 2000), 4
        for pair in (*PAIRS, *FILES):
            print(beside(pair, n, 1, rounds), flush=True)
        for pair in FILES[1:]:
            print(beside(pair, n, 2, rounds), flush=True)
    for size in SIZES:
        print(kept("ours-small", size, 1, 0), flush=True)


if __name__ == "__main__":
    main()
