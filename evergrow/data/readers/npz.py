"""The files of NumPy -> inputs and, from .npz, labels; nothing pickled is read."""

import os
import zipfile
from pathlib import Path
from typing import IO

import numpy as np

from ...errors import DataError, EvergrowError
from ..dataset import Chunk
from ..labels import clean_labels
from . import limited_files
from .in_memory import from_array_or_list
from .read_options import ReadOptions

INPUT_KEYS = ("x", "X", "images", "image", "data", "features")
LABEL_KEYS = ("y", "Y", "labels", "label", "targets", "target", "classes", "class")


def read_npz(
    path: Path, label: str | None = None, need_labels: bool = True
) -> tuple[np.ndarray, np.ndarray | None]:
    """Inputs and labels of an .npz file, or of an .npy file, which has none.  label: their key.

    Raises DataError where a key is missing, naming those there are, and where the file cannot be
    read.
    """
    content = _arrays(path)
    if isinstance(content, np.ndarray):
        if need_labels:
            raise DataError(
                f"{path} holds one array and no labels; pass y, or save both with "
                "numpy.savez(path, x=x, y=y)."
            )
        return content, None
    inputs = _one_of(content, INPUT_KEYS)
    labels = _one_of(content, LABEL_KEYS if label is None else (label,))
    keys = ", ".join(content)
    if inputs is None:
        raise DataError(
            f"{path} has no inputs (expected one key of {', '.join(INPUT_KEYS)}); its keys are: "
            f"{keys}."
        )
    if labels is None and (need_labels or label is not None):
        expected = ", ".join(LABEL_KEYS) if label is None else repr(label)
        raise DataError(
            f"{path} has no labels (expected one key of {expected}); its keys are: {keys}. Name "
            "the one that holds the labels with label= (--label)."
        )
    if labels is None:
        return content[inputs], None
    cleaned = clean_labels(content[labels], f"{labels!r} of {path}")
    if len(cleaned) != len(content[inputs]):
        raise DataError(
            f"Found input variables with inconsistent numbers of samples: {path} holds "
            f"{len(content[inputs])} in {inputs!r} and {len(cleaned)} in {labels!r}; they should "
            "be as many."
        )
    return content[inputs], cleaned


def _one_of(content: dict[str, np.ndarray], keys: tuple[str, ...]) -> str | None:
    return next((key for key in keys if key in content), None)


def _arrays(path: Path) -> np.ndarray | dict[str, np.ndarray]:
    try:
        limited_files.refuse_special(path)
        with open(path, "rb") as file:
            _refuse_large(path, file)
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return loaded
            return {key: loaded[key] for key in loaded.files}
    except (EvergrowError, MemoryError):
        raise
    except Exception as error:  # NumPy and zipfile raise anything on broken data
        hint = (
            "save arrays of numbers or fixed-width text"
            if "pickle" in str(error)
            else "fetch or save it again"
        )
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(f"{path} cannot be read ({reason}); {hint}.") from error


def _refuse_large(path: Path, file: IO[bytes]) -> None:
    """Raise DataError where the arrays take more than is read, by what their headers promise.

    file: that of the path, at its start, where it is left.
    """
    packed = file.read(2) == b"PK"
    file.seek(0)
    size = _promised_together(file) if packed else _promised(file)
    if not packed and size > os.fstat(file.fileno()).st_size:
        raise DataError(f"{path} is cut off: it promises {size:,} bytes; fetch it again.")
    if size > limited_files.limit():
        raise limited_files.too_large(path, size)
    file.seek(0)


def _promised_together(file: IO[bytes]) -> int:
    """Bytes of all arrays of an archive."""
    size = 0
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            with archive.open(name) as member:
                size += _promised(member) if name.endswith(".npy") else 0
    return size


def _promised(file: IO[bytes]) -> int:
    """Bytes of the array that a header of NumPy announces."""
    version = np.lib.format.read_magic(file)
    old = version == (1, 0)
    read = np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return int(dtype.itemsize) * int(np.prod(shape, dtype=object))


def read_file(path: Path, how: ReadOptions) -> Chunk:
    """A chunk of the arrays in a file.  Raises DataError."""
    x, labels = read_npz(path, how.label, how.need)
    return from_array_or_list(x, how, labels, f" of {path.name}")
