"""The files of NumPy -> inputs and, from .npz, labels; nothing pickled is read."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from ...errors import DataError
from ..dataset import Chunk
from ..labels import clean_labels
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
        with open(path, "rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return loaded
            return {key: loaded[key] for key in loaded.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, KeyError) as error:
        hint = (
            "save arrays of numbers or fixed-width text"
            if "pickle" in str(error)
            else "fetch or save it again"
        )
        raise DataError(f"{path} cannot be read ({error}); {hint}.") from error


def read_file(path: Path, how: ReadOptions) -> Chunk:
    """A chunk of the arrays in a file.  Raises DataError."""
    x, labels = read_npz(path, how.label, how.need)
    return from_array_or_list(x, how, labels, f" of {path.name}")
