"""Made closed-form/, rehearsal/ and expected.json, with evergrow as it was at commit 95d2baa.

They are never made again: that code read these folders and gave these answers, and all later code
must: tests/storage/test_old_folders.py. To add a folder of a later day, add its name here,
check out that day's commit and run `python tests/folders/make.py NAME`.
"""

import hashlib
import io
import json
import runpy
import shutil
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pyarrow
import pyarrow.parquet
import torch
from PIL import Image
from safetensors.numpy import load_file
from sklearn.datasets import load_digits

import evergrow

Chunk = tuple[np.ndarray, np.ndarray]
HERE = Path(__file__).parent
WORDS = np.array("zero one two three four five six seven eight nine".split())
OPTIONS = {
    "closed-form": "--backbone patches --set backbone.filters=4 --method lda",
    "rehearsal": "--backbone mlp --set backbone.hidden=16 --method der++ --set memory=48 "
    "--epochs 4 --seed 7",
}
SHOWN = ("version", "versions", "classes", "counts", "method", "backbone", "input", "raw_samples")


def images(first: int, n: int, classes: range) -> tuple[np.ndarray, np.ndarray]:
    """(n, 8, 8) uint8 images of these digits, from the one at `first` on, and the digits."""
    digits = load_digits()
    rows = first + np.flatnonzero(np.isin(digits.target[first:], classes))[:n]
    return (digits.images[rows] * 15).astype(np.uint8), digits.target[rows]


def command(*words: object) -> dict:
    """What a command says with --json."""
    argv = ["evergrow", *map(str, words), "--json"]
    with redirect_stdout(io.StringIO()) as said, patch.object(sys, "argv", argv):
        try:
            runpy.run_module("evergrow", run_name="__main__")
        except SystemExit as ended:
            assert not ended.code, said.getvalue()
    return json.loads(said.getvalue())


def integers(packed: np.ndarray) -> np.ndarray:
    """(n,) int64 from what a folder holds: n, planes, bytes of each plane, planes; zigzag."""
    n, planes = packed[:16].view(np.int64)
    sizes, at, raw = packed[16 : 16 + 8 * planes].view(np.int64), 16 + 8 * planes, b""
    for size in sizes:
        raw += pyarrow.Codec("zstd").decompress(packed[at : at + size], n).to_pybytes()
        at += size
    folded = np.zeros((n, 8), np.uint8)
    folded[:, :planes] = np.frombuffer(raw, np.uint8).reshape(planes, n).T
    folded = folded.view(np.uint64)[:, 0]
    return (folded >> 1).astype(np.int64) ^ -(folded & 1).astype(np.int64)


def kept(folder: Path) -> dict:
    """What its newest version keeps of samples, read without evergrow; exact on any machine."""
    version = max((folder / "versions").iterdir())
    sums = load_file(version / "learning.safetensors")
    facts = {k: sums[k].tolist() for k in sums if k in ("sums/counts", "sums/kept_y")}
    for k in ("sums/sums", "sums/gram/0"):
        if k in sums:
            facts[k] = hashlib.sha256(integers(sums[k].copy()).tobytes()).hexdigest()
    if (version / "memory.parquet").exists():
        for row in pyarrow.parquet.read_table(version / "memory.parquet").to_pylist():
            pixels = np.asarray(Image.open(io.BytesIO(row["x"])))
            facts.setdefault(row["part"], []).append([row["column"], int(pixels.sum())])
    return facts


def answers(model: evergrow.GrowingClassifier, x: np.ndarray) -> dict:
    return {
        "classes": model.classes_.tolist(),
        "counts": model.counts_.tolist(),
        "labels": model.predict(x).tolist(),
        "probabilities": model.predict_proba(x).round(7).tolist(),
    }


def make(name: str, x: np.ndarray, known: Chunk, later: Chunk, tmp: Path) -> dict:
    """Write the folder; returns what it answers, and what it answers when it has gone on."""
    folder, copies = HERE / name, [tmp / "a", tmp / "b"]
    shutil.rmtree(folder, ignore_errors=True)
    named = (lambda y: WORDS[y]) if name == "rehearsal" else (lambda y: y)
    for i, classes in enumerate((range(4), range(2, 8))):
        px, py = images(300 * i, 80, classes)
        np.savez(tmp / "data.npz", x=px, y=named(py))
        command("learn", folder, tmp / "data.npz", *(() if i else OPTIONS[name].split()))
    expected = {
        "first": answers(evergrow.load(folder, 1), x),
        "second": answers(evergrow.load(folder), x),
    }
    shown = command("show", folder)
    expected["show"] = {k: shown[k] for k in SHOWN}
    for copy in copies:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy)
    model = evergrow.load(folder).partial_fit(later[0], named(later[1]))
    model.save(copies[0])
    expected["later"] = {"y": named(later[1]).tolist()} | answers(model, x) | kept(copies[0])
    y = named(np.concatenate([known[1], later[1]]))
    np.savez(tmp / "data.npz", x=np.concatenate([known[0], later[0]]), y=y)
    said = command("learn", copies[1], tmp / "data.npz")
    expected["command"] = {k: said[k] for k in ("version", "new_classes", "passed_over")}
    expected["command"] |= (
        {"y": y.tolist()} | answers(evergrow.load(copies[1]), x) | kept(copies[1])
    )
    shutil.rmtree(folder / "pending")  # empty, as is the lock: git keeps neither
    (folder / "lock").unlink()
    return expected


if __name__ == "__main__":
    torch.set_num_threads(1)
    x, later = images(1500, 12, range(10))[0], images(700, 40, range(1, 10))
    known = images(0, 5, range(4))  # learnt already
    file = HERE / "expected.json"
    expected = json.loads(file.read_text()) if file.exists() else {}
    expected |= {"ask": x.tolist(), "later": later[0].tolist(), "known": known[0].tolist()}
    with tempfile.TemporaryDirectory() as tmp:
        for name in sys.argv[1:] or OPTIONS:
            expected[name] = make(name, x, known, later, Path(tmp))
    file.write_text(json.dumps(expected) + "\n")
