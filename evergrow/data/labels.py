"""Labels as users give them -> an int64 array, or an object array of str; nothing else."""

import re
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..errors import DataError

DECIMAL = re.compile(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?")


def clean_labels(y: Any, what: str = "y") -> np.ndarray:
    """(n,) int64, or an object array of str.  what: how messages name the labels.

    Whole numbers and booleans of any type count as int.  Raises DataError for labels that are
    missing, empty, fractions, a mix of str and int, or not one per sample.

    >>> clean_labels([2.0, 7.0]).tolist(), clean_labels(np.array(["cat", "dog"])).tolist()
    ([2, 7], ['cat', 'dog'])
    """
    if type(y) is not np.ndarray or y.ndim != 1:
        y = _flat(_as_array(y, what), what)
    if not len(y):
        raise DataError(
            f"Found array with 0 sample(s): {what} holds no labels; pass one for each sample."
        )
    kind = y.dtype.kind
    if kind in "iub":
        return _integers(y, what)
    if kind == "f":
        return _whole(y, what)
    if kind == "U":
        return _words(y.astype(object), what)
    if kind == "O":
        return _objects(y, what)
    if kind == "S":
        return _words(np.char.decode(y, "utf-8", "replace").astype(object), what)
    if kind == "c":
        raise DataError(
            f"Complex data not supported\n{what} has dtype {y.dtype}; labels are str or int."
        )
    raise _unknown(what, str(y.dtype))


def from_text(cells: Sequence[str]) -> list[int] | list[float] | list[str | None]:
    """Labels of a text file: numbers where all are, else str; None where a cell is empty or NaN.

    Codes such as 007 stay as they are.

    >>> from_text(["3", "12"]), from_text(["007", "12"]), from_text(["cat", "nan"])
    ([3, 12], ['007', '12'], ['cat', None])
    """
    texts = [None if cell.strip().lower() in ("", "nan") else cell for cell in cells]
    present = [cell.strip() for cell in texts if cell is not None]
    padded = any(re.match(r"[-+]?0\d", cell) for cell in present)
    if len(present) < len(texts) or padded or not all(map(DECIMAL.fullmatch, present)):
        return texts
    try:
        return [int(cell) for cell in present]
    except ValueError:
        return [float(cell) for cell in present]


def _as_array(y: Any, what: str) -> np.ndarray:
    """Anything that holds labels as an array; elements of lists keep their types."""
    if y is None:
        raise DataError(
            "requires y to be passed, but the target y is None: give one label for each sample, "
            "or data that holds them."
        )
    if isinstance(y, str | bytes | dict | set | frozenset):
        raise DataError(
            f"{what} should be a 1d array of labels, got a {type(y).__name__}; pass a list of "
            "labels."
        )
    if hasattr(y, "detach"):
        y = y.detach().cpu().numpy()
    elif hasattr(y, "to_numpy"):
        y = y.to_numpy()
    if isinstance(y, np.ndarray) or (hasattr(y, "__array__") and not isinstance(y, Sequence)):
        return np.asarray(y)
    if not isinstance(y, Iterable):
        raise DataError(
            f"{what} should be a 1d array of labels, got a {type(y).__name__}; pass a list of "
            "labels."
        )
    values = list(y)
    return np.fromiter(values, dtype=object, count=len(values))


def _flat(y: np.ndarray, what: str) -> np.ndarray:
    if y.ndim == 2 and y.shape[1] == 1:
        from sklearn.exceptions import DataConversionWarning

        warnings.warn(
            "A column-vector y was passed when a 1d array was expected. Please change the shape "
            "of y to (n_samples,), for example using ravel().",
            DataConversionWarning,
            stacklevel=2,
        )
        return y.ravel()
    if y.ndim != 1:
        hint = (
            "; if each row marks one class with a 1, pass y.argmax(axis=1)" if y.ndim == 2 else ""
        )
        raise DataError(
            f"{what} should be a 1d array, got an array of shape {y.shape} instead{hint}."
        )
    return y


def _integers(y: np.ndarray, what: str) -> np.ndarray:
    if y.dtype == np.uint64 and y.max() > np.iinfo(np.int64).max:
        raise DataError(
            f"{what} holds {y.max()}, which does not fit 64 bits with a sign; pass it as str."
        )
    return y.astype(np.int64, copy=False)


def _whole(y: np.ndarray, what: str) -> np.ndarray:
    """Floats that are whole numbers, as int64."""
    if np.isnan(y).any():
        raise _missing(what, np.isnan(y))
    if np.isinf(y).any():
        row = np.isinf(y).argmax()
        raise DataError(
            f"Input {what} contains infinity or a value too large for dtype('{y.dtype}') (row "
            f"{row}); labels are str or int."
        )
    broken = (y != np.floor(y)) | (np.abs(y) > 2**53)
    if broken.any():
        row = broken.argmax()
        raise DataError(
            f"Unknown label type: continuous. {what} holds {y[row]} (row {row}), labels are str "
            "or int; for quantities use a regressor, for names pass them as str."
        )
    return y.astype(np.int64)


def _words(y: np.ndarray, what: str) -> np.ndarray:
    words = y.tolist()
    if not all(map(str.strip, set(words))):
        empty = [row for row, word in enumerate(words) if not word.strip()]
        raise DataError(
            f"{what} holds {len(empty)} empty label{'' if len(empty) == 1 else 's'} (first: row "
            f"{empty[0]}); give each sample a label, or leave it out."
        )
    return y


def _objects(y: np.ndarray, what: str) -> np.ndarray:
    """Labels of Python types: all str, or all numbers."""
    kinds = set(map(type, y))
    if kinds == {str}:
        return _words(y, what)
    if any(hasattr(kind, "item") and not issubclass(kind, str) for kind in kinds):
        y = np.fromiter(map(_plain, y), dtype=object, count=len(y))
        kinds = set(map(type, y))
    missing = np.fromiter(map(_is_missing, y), dtype=bool, count=len(y))
    if missing.any():
        raise _missing(what, missing)
    words = [issubclass(kind, str) for kind in kinds]
    if all(words):
        return _words(np.fromiter(map(str, y), dtype=object, count=len(y)), what)
    strange = [kind for kind in kinds if not issubclass(kind, str | int | float)]
    if strange:
        raise _unknown(what, strange[0].__name__)
    if any(words):
        raise _mixed(y, what)
    fractions = any(issubclass(kind, float) for kind in kinds)
    try:
        return clean_labels(np.array(y.tolist(), np.float64 if fractions else np.int64), what)
    except OverflowError:
        raise DataError(
            f"{what} holds integers that do not fit 64 bits; pass them as str."
        ) from None


def _plain(value: Any) -> Any:
    """Scalars of NumPy and torch as Python has them."""
    single = hasattr(value, "item") and getattr(value, "ndim", 1) == 0
    return value.item() if single else value


def _is_missing(value: Any) -> bool:
    if isinstance(value, float):
        return value != value
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def _missing(what: str, missing: np.ndarray) -> DataError:
    return DataError(
        f"Input {what} contains NaN: {missing.sum()} of {len(missing)} labels missing (first: "
        f"row {missing.argmax()}); give each sample a label, or leave it out."
    )


def _mixed(y: np.ndarray, what: str) -> DataError:
    is_word = np.fromiter((isinstance(value, str) for value in y), dtype=bool, count=len(y))
    word, number = is_word.argmax(), (~is_word).argmax()
    return DataError(
        f"{what} holds a mix of str and int labels: {y[word]!r} (row {word}) and {y[number]!r} "
        f"(row {number}); pass all of them as str, or all as int."
    )


def _unknown(what: str, kind: str) -> DataError:
    return DataError(
        f"Unknown label type: {kind}. {what} should hold labels that are str or int; convert them."
    )
