"""The main job as a user would do it: half of the classes, later the others, process by process."""

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..data.readers.idx import find_parts
from ..errors import DataError, EvergrowError
from ..formatting import percent

MARK = ".evergrow-demo"  # in a folder that a demo made, and may make again
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")
HELD_OUT = 5  # one image in so many is for testing
EPOCHS, SEEN = 10, 30_000  # of fine-tuning: at most, and images a week over all epochs

Say = Callable[[str], None]
Classes = dict[str, list[Path]]  # image files by class
Pairs = dict[str, tuple[Path, Path]]  # image and label files of "train" and "t10k"


@dataclass(frozen=True)
class Weeks:
    """Where the data lies.  size: samples of week 1.  options: of each command that reads it."""

    first: Path
    second: Path
    test: Path
    size: int
    options: tuple[str, ...] = ()


def run(folder: Path, data: Path | None = None, say: Say = print) -> dict[str, Any]:
    """Learn two weeks of data by default and by plain fine-tuning; accuracies and seconds of both.

    folder: everything is written there.  data: None for scikit-learn's digits, a folder with one
    subfolder a class, or one with the four idx files of Fashion-MNIST.  say: gets each line.
    Raises DataError for data that has not two classes or more.
    """
    pairs = {} if data is None else find_parts(data)
    files = {} if data is None or pairs else classes(data)
    if data is not None and data.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"{data} lies in {folder}, which is made anew; name another with --folder.")
    clear(folder)
    if pairs:
        weeks = idx(folder, pairs)
    else:
        weeks = images(folder, files) if files else digits(folder)
    epochs = str(min(max(SEEN // weeks.size, 1), EPOCHS))
    plain = ("--method", "finetune", "--backbone", "convnet", "--epochs", epochs)
    return {
        "runs": [
            _job(folder / "model", "evergrow", weeks, (), say),
            _job(folder / "model-finetuned", "plain fine-tuning", weeks, plain, say),
        ]
    }


def digits(folder: Path) -> Weeks:
    """scikit-learn's 1,797 digits as PNG files of 8 x 8 pixels; every third is for testing."""
    from PIL import Image
    from sklearn.datasets import load_digits

    bunch = load_digits()
    counts = [0, 0]
    for i, (pixels, label) in enumerate(zip(bunch.images, bunch.target.tolist(), strict=True)):
        week = f"week-{1 + (label >= 5)}"
        place = folder / ("test" if i % 3 == 0 else week) / str(label)
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray((pixels * (255 / 16)).round().astype("uint8")).save(place / f"{i:04d}.png")
        counts[label >= 5] += i % 3 != 0
    return Weeks(folder / "week-1", folder / "week-2", folder / "test", counts[0])


def images(folder: Path, by_class: Classes) -> Weeks:
    """A folder per class: the first half of the classes, the second, and a fifth for testing.

    Which images are for testing is decided by their content alone. They are linked, not copied.
    """
    half, size = (len(by_class) + 1) // 2, 0
    for number, (label, files) in enumerate(by_class.items()):
        week = folder / ("week-1" if number < half else "week-2") / label
        held = _held_out(files)
        for place in (week, folder / "test" / label):
            place.mkdir(parents=True, exist_ok=True)
        for i, file in enumerate(files):
            place = folder / "test" / label if file in held else week
            _link(file, place / f"{i:05d}{file.suffix}")
        size += (len(files) - len(held)) * (number < half)
    return Weeks(folder / "week-1", folder / "week-2", folder / "test", size, ("--skip-bad",))


def idx(folder: Path, pairs: Pairs) -> Weeks:
    """The four idx files: half of the labels, the others, and the test pair, as npz files."""
    import numpy as np

    from ..data import read

    train, test = (read.read(pairs[part]) for part in ("train", "t10k"))
    assert train.labels is not None and test.labels is not None
    labels = np.unique(train.labels)
    first = np.isin(train.labels, labels[: (len(labels) + 1) // 2])
    parts = {
        "week-1": (train, np.flatnonzero(first)),
        "week-2": (train, np.flatnonzero(~first)),
        "test": (test, np.arange(len(test))),
    }
    for name, (chunk, rows) in parts.items():
        x = np.asarray(chunk.take(rows))[:, 0]  # (n, height, width)
        assert chunk.labels is not None
        np.savez(folder / f"{name}.npz", x=x, y=chunk.labels[rows])
    week_1, week_2, held = (folder / f"{name}.npz" for name in parts)
    return Weeks(week_1, week_2, held, int(first.sum()))


def _job(model: Path, name: str, weeks: Weeks, options: Sequence[str], say: Say) -> dict[str, Any]:
    """Learn week 1; week 2, from its images alone, in another process; ask the model in others."""
    say(f"\n# {name}")
    first = _learn(model, weeks.first, (*options, *weeks.options), say)
    second = _learn(model, weeks.second, weeks.options, say)
    sample = next(iter(sorted(weeks.test.glob("*/*"))), weeks.test)
    for guess in _evergrow("predict", model, sample, (), say)["predictions"][:3]:
        say(f"  {guess['input']}: {guess['label']} ({guess['probability']:.3f})")
    result = _evergrow("evaluate", model, weeks.test, weeks.options, say)
    say(f"  {percent(result['accuracy'])} of {result['samples']:,}")
    return {
        "name": name,
        "model": str(model),
        "old": result["old"]["accuracy"],
        "new": result["new"]["accuracy"],
        "all": result["accuracy"],
        "seconds": first["seconds"] + second["seconds"],
    }


def _learn(model: Path, data: Path, options: Sequence[str], say: Say) -> dict[str, Any]:
    answer = _evergrow("learn", model, data, options, say)
    known, seconds = len(answer["classes"]), answer["seconds"]
    say(f"  {answer['samples']:,} images, {known} classes known, {seconds:.1f} s")
    return answer


def _evergrow(
    command: str, model: Path, data: Path, options: Sequence[str], say: Say
) -> dict[str, Any]:
    """Run a command in a process of its own, as one would type it; its answer."""
    words = [command, str(model), str(data), *options, "--json"]
    say(f"$ {shlex.join(['evergrow', *words])}")
    done = subprocess.run(
        [sys.executable, "-m", "evergrow", *words], stdout=subprocess.PIPE, text=True
    )
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        answer = {}
    if done.returncode or not answer:
        reason = answer.get("error", {}).get("message", f"exit code {done.returncode}")
        raise EvergrowError(f"`evergrow {shlex.join(words)}` failed: {reason}")
    return answer


def clear(folder: Path) -> None:
    """An empty folder of ours; only what an earlier demo left there is taken away."""
    if (
        folder.exists()
        and not (folder / MARK).exists()
        and (not folder.is_dir() or any(folder.iterdir()))
    ):
        raise DataError(f"{folder} exists and no demo made it; name another with --folder.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).write_text("Made by `evergrow demo`, and made anew each time.\n")


def classes(data: Path) -> Classes:
    """Image files by class, both sorted."""
    if not data.is_dir():
        raise DataError(
            f"{data}: expected a folder with one subfolder a class; there is no such folder."
        )
    by_class = {}
    for place in sorted(p for p in data.iterdir() if p.is_dir() and not p.name.startswith(".")):
        files = sorted(
            f for f in place.rglob("*") if f.suffix.lower() in IMAGE_SUFFIXES and f.is_file()
        )
        if len(files) > 1:
            by_class[place.name] = files
    if len(by_class) < 2:
        raise DataError(
            f"{data} has {len(by_class)} subfolders with two images or more; the demo needs two: a "
            "class to begin with, and one to come later."
        )
    return by_class


def _held_out(files: Sequence[Path]) -> set[Path]:
    """About a fifth of the files, never all, chosen by content; twins stay together."""
    digests = {file: hashlib.sha256(file.read_bytes()).digest() for file in files}
    held = {file for file, digest in digests.items() if digest[0] % HELD_OUT == 0}
    if not held or len(held) == len(files):
        lowest = min(digests.values())
        held = {file for file, digest in digests.items() if digest == lowest}
    return held if len(held) < len(files) else set()


def _link(file: Path, place: Path) -> None:
    try:
        os.symlink(file.resolve(), place)
    except OSError:  # where links are not allowed
        shutil.copyfile(file, place)
