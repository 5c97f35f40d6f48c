"""The idx files of MNIST and its kin, plain or gzipped: one of images, beside it one of labels."""

import re
import struct
from pathlib import Path
from typing import IO, Any

import numpy as np

from ...errors import DataError
from . import limited_files

TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
IMAGES = re.compile(r"(.*)images[-_.]?idx\d", re.IGNORECASE)


def read_idx(path: Path) -> np.ndarray:
    """The array in an idx file.  Raises DataError where it is not one, or is cut short."""
    try:
        with limited_files.open_limited(path) as file:
            dtype, shape, body = _taken_apart(path, file)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; check the path.") from error
    except limited_files.UNREADABLE as error:
        raise DataError(f"{path} cannot be read ({error}); fetch it again.") from error
    return np.frombuffer(body, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _taken_apart(path: Path, file: IO[bytes]) -> tuple[np.dtype[Any], tuple[int, ...], bytes]:
    """Type, shape and content, of which no more is read than the header promises."""
    head = file.read(4)
    if not _is_header(head):
        raise DataError(
            f"{path} is not an idx file (two zero bytes, a type and a rank); pass one that is."
        )
    dtype, rank = np.dtype(TYPES[head[2]]), head[3]
    sizes = file.read(4 * rank)
    shape = struct.unpack(f">{rank}I", sizes) if len(sizes) == 4 * rank else (0,)
    expected = dtype.itemsize * int(np.prod(shape, dtype=object))
    if expected > limited_files.limit():
        raise limited_files.too_large(path, expected)
    body = file.read(expected)
    more = len(file.read(1))
    if len(body) != expected or more or len(sizes) != 4 * rank:
        holds = f"{len(body):,}{' and more' * more}"
        raise DataError(
            f"{path} is damaged: its header promises {expected:,} bytes, it holds {holds}; fetch "
            "it again."
        )
    return dtype, shape, body


def is_idx(path: Path) -> bool:
    """Whether a file begins like an idx file, plain or gzipped."""
    try:
        with limited_files.open_limited(path) as file:
            return _is_header(file.read(4))
    except (DataError, *limited_files.UNREADABLE):
        return False


def find_pair(path: Path) -> tuple[Path, Path | None] | None:
    """The files of images and of labels that `path` means; None if it means no idx files.

    path: either file; a folder that holds pairs, of which `train` is taken, or the only one; or the
    beginning of their names, such as data/t10k.  Raises DataError where there is a choice.
    """
    if path.is_file():
        named = re.search(r"idx|ubyte", path.name) or path.suffix in ("", ".gz")
        return _partners(path) if named and is_idx(path) else None
    folder, prefix = (path, "") if path.is_dir() else (path.parent, path.name)
    if not folder.is_dir() or (not prefix and not path.is_dir()):
        return None
    names = sorted(p for p in folder.iterdir() if p.name.startswith(prefix))
    starts = {match[1]: p for p in names if (match := IMAGES.match(p.name))}
    if not starts:
        return None
    train = [start for start in starts if "train" in start.lower()]
    if len(train or starts) > 1:
        listed = ", ".join(str(folder / start.rstrip("-_.")) for start in starts)
        raise DataError(f"{path} holds several pairs of idx files; pass one of them: {listed}.")
    return _partners(starts[next(iter(train or starts))])


def find_parts(folder: Path) -> dict[str, tuple[Path, Path]]:
    """The pair of "train" and that of "t10k", images and labels; {} if they are not all there."""
    parts = {}
    for name in ("train", "t10k"):
        images, labels = find_pair(folder / name) or (None, None)
        if images is None or labels is None:
            return {}
        parts[name] = (images, labels)
    return parts


def _partners(path: Path) -> tuple[Path, Path | None]:
    """The file of images and the one of labels, given either."""
    if not re.search("labels", path.name, re.IGNORECASE):
        return path, _sibling(path, "labels")
    images = _sibling(path, "images")
    if images is None:
        raise DataError(f"{path} holds labels, and the images are not beside it; put them there.")
    return images, path


def _sibling(path: Path, kind: str) -> Path | None:
    """The file beside it that has the same name but for images or labels, rank, and .gz."""
    name = _bare(re.sub("images|labels", kind, path.name, flags=re.IGNORECASE))
    beside = [p for p in sorted(path.parent.iterdir()) if p.is_file() and p.name != path.name]
    return next((p for p in beside if _bare(p.name) == name), None)


def _bare(name: str) -> str:
    return re.sub(r"idx\d", "idx", name.lower().removesuffix(".gz"))


def _is_header(head: bytes) -> bool:
    return len(head) == 4 and head[:2] == b"\0\0" and head[2] in TYPES and 0 < head[3] < 8
