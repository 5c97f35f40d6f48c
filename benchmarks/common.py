"""What the benchmarks share: real data, the machine they ran on, results as JSON lines beside them.

A file of results holds a row a line. A line {"about": ...} says of the rows after it on which
machine and with which versions they were made. All else is made of the rows (`tables.py`).

What takes long to compute and does not change is kept in EVERGROW_BENCHMARKS, a folder (by default
one for temporary files). Empty it after a change to a backbone.
"""

import gzip
import hashlib
import json
import os
import struct
import tempfile
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from evergrow.storage import environment as here

Row = dict[str, Any]
RESULTS = Path(__file__).parent / "results"
os.environ.setdefault("EVERGROW_CACHE", "0")  # seconds are of work done, not of work found
CACHE = Path(
    os.environ.get("EVERGROW_BENCHMARKS", Path(tempfile.gettempdir()) / "evergrow-benchmarks")
)
FASHION = Path(os.environ.get("FASHION_MNIST", "/usr/share/datasets/fashion-mnist"))


def idx(path: Path) -> np.ndarray:
    """An array from a gzipped idx file."""
    with gzip.open(path) as file:
        *_, dims = struct.unpack(">BBBB", file.read(4))
        shape = struct.unpack(">" + "I" * dims, file.read(4 * dims))
        return np.frombuffer(file.read(), np.uint8).reshape(shape).copy()


def fashion() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Train images and labels, test images and labels (Debian: dataset-fashion-mnist)."""
    names = ("train-images", "train-labels", "t10k-images", "t10k-labels")
    x, y, xt, yt = (idx(next(FASHION.glob(f"{name}*.gz"))) for name in names)
    return x, y.astype(np.int64), xt, yt.astype(np.int64)


def once(
    name: str, of: object, compute: Callable[[], dict[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Arrays computed once for the same name and the same `of` (JSON); then read from `CACHE`."""
    key = hashlib.sha256(json.dumps(of).encode()).hexdigest()[:16]
    path = CACHE / f"{name}-{key}.npz"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.npz")
        np.savez(part, **compute())  # type: ignore[arg-type]
        part.rename(path)
    with np.load(path) as file:
        return dict(file)


def machine() -> dict[str, object]:
    """Processor, cores, threads and versions, for the record."""
    return here.machine() | {"evergrow": version("evergrow")}


def read_rows(name: str | Path) -> list[Row]:
    """The rows of results/<name>.jsonl, or of a file of that form; none where it is missing."""
    return [line for line in read_lines(name) if "about" not in line]


def read_lines(name: str | Path) -> list[Row]:
    """The same with what rows are about, where it stands."""
    path = _path(name)
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def write_rows(name: str | Path, rows: Iterable[Row], **about: object) -> None:
    """Keep rows as results/<name>.jsonl, in place of what it held.

    about: facts that hold for all of them, beside the machine.
    """
    _put(name, [_about(about), *rows])


def append_row(name: str | Path, row: Row, **about: object) -> None:
    """Add a finished row, and before it what it is about where that has changed."""
    known = [line for line in read_lines(name) if "about" in line]
    new = [row] if known[-1:] == [_about(about)] else [_about(about), row]
    _path(name).parent.mkdir(exist_ok=True)
    with _path(name).open("a") as file:
        file.write("".join(json.dumps(line) + "\n" for line in new))


def remove_rows(name: str | Path, unwanted: Callable[[Row], bool]) -> None:
    """Take rows out."""
    _put(name, [line for line in read_lines(name) if "about" in line or not unwanted(line)])


def _about(more: Row) -> Row:
    return {"about": {"machine": machine(), **more}}


def _path(name: str | Path) -> Path:
    return name if isinstance(name, Path) else RESULTS / f"{name}.jsonl"


def _put(name: str | Path, lines: Iterable[Row]) -> None:
    path = _path(name)
    path.parent.mkdir(exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text("".join(json.dumps(line) + "\n" for line in lines))
    part.replace(path)


def markdown(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Lines of Markdown."""
    return [
        f"| {' | '.join(header)} |",
        f"|{'---|' * len(header)}",
        *(f"| {' | '.join(map(str, row))} |" for row in rows),
    ]


def between(text: str, name: str, lines: Iterable[str]) -> str:
    """A document with lines between its <!-- name --> and <!-- /name -->."""
    start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    head, rest = text.split(start)
    return head + start + "\n".join(lines) + "\n" + rest[rest.index(end) :]
