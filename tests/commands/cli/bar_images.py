"""Small images in folders, what a folder holds, and commands that are to be refused."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

rng = np.random.default_rng(0)


def bar_image(label: int, size: int = 8) -> Image.Image:
    """A bright bar on dark noise; where it lies tells the class."""
    pixels = rng.integers(0, 60, (size, size), dtype=np.uint8)
    pixels[:, label] = 255
    return Image.fromarray(pixels)


def class_folder(folder: Path, labels, count: int = 12) -> Path:
    """A folder with one subfolder a class."""
    for label in labels:
        (folder / f"bar-{label}").mkdir(parents=True)
        for i in range(count):
            bar_image(label).save(folder / f"bar-{label}" / f"{i}.png")
    return folder


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, but for the lock."""
    files = [f for f in folder.rglob("*") if f.is_file() and f.name != "lock"]
    return {str(f.relative_to(folder)): f.read_bytes() for f in files}


def evergrow(*words, **options) -> subprocess.CompletedProcess:
    """Run the program in a process of its own."""
    command = [sys.executable, "-m", "evergrow", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, **options)


def refused(run, model: Path, *words, said: str, kind: str | None = None) -> None:
    """The command fails with one message that says so, and leaves the model as it was."""
    before = content(model) if model.exists() else None
    code, out, err = run(*words)
    assert code == 1, (code, out, err)
    assert out == "" and "Traceback" not in err and err.count("evergrow: ") == 1
    assert said.lower() in err.lower(), err
    code, out, err = run(*words, "--json")
    error = json.loads(out)["error"]
    assert code == 1 and err == "" and said.lower() in error["message"].lower()
    assert kind is None or error["type"] == kind
    assert (content(model) if model.exists() else None) == before
