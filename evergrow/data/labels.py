"""Labels as users give them -> an array of int64, float64 or bool, or an object array of str."""

import re
import unicodedata
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..errors import DataError
from .label_type import ModelLabels

DECIMAL = re.compile(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?")
INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def clean_labels(y: Any, what: str = "y") -> np.ndarray:
    """(n,) int64, float64, bool, or an object array of str.  what: how messages name the labels.

    They are what they were, so that answers are too: 2.0 and True stay a float and a boolean, and
    are one label with 2 and 1, as in Python. Spaces around a text are no part of it, and it comes
    in Unicode's composed form (NFC).  Raises DataError for labels that are missing, empty,
    fractions, a mix of str and int, or not one per sample, and for control characters.

    >>> clean_labels([2.0, 7.0]).tolist(), clean_labels(np.array(["cat", "dog"])).tolist()
    ([2.0, 7.0], ['cat', 'dog'])
    """
    if type(y) is not np.ndarray or y.ndim != 1:
        y = _flat(_as_array(y, what), what)
    if not len(y):
        raise DataError(
            f"Found array with 0 sample(s): {what} holds no labels; pass one for each sample."
        )
    kind = y.dtype.kind
    if kind in "iub":
        return y if kind == "b" else _integers(y, what)
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


def from_text(cells: Sequence[str], label_type: ModelLabels = None) -> list[int] | list[str | None]:
    """Labels of a text file, as they are written; None where a cell is empty or NaN.

    They are int where all of them are written as one writes an integer (007, 1e3 and 3.0 are not),
    unless label_type is "text".

    >>> from_text(["3", "12 "]), from_text(["007", "12"]), from_text(["cat", "nan"])
    ([3, 12], ['007', '12'], ['cat', None])
    >>> from_text(["3", "12"], "text"), from_text(["1e3", "1000"])
    (['3', '12'], ['1e3', '1000'])
    """
    stripped = map(str.strip, cells)
    texts = [None if cell.lower() in ("", "nan") else cell for cell in stripped]
    if label_type == "text" or not all(cell is not None and is_integer(cell) for cell in texts):
        return texts
    return [int(cell) for cell in texts if cell is not None]


def refuse_quantities(texts: Sequence[Any], what: str) -> None:
    """Raise DataError for numbers with fractions of which most samples have one of their own."""
    numbers = {text for text in texts if isinstance(text, str) and DECIMAL.fullmatch(text)}
    row = next((i for i, text in enumerate(texts) if text in numbers and float(text) % 1), None)
    if row is not None and len(numbers) > len(texts) / 2:
        raise DataError(
            f"Unknown label type: continuous. {what} holds {texts[row]} (row {row}), labels are "
            "str or int; for quantities use a regressor. If they are names, say so: "
            "--label-type text (label_type='text')."
        )


def as_text(values: Iterable[Any]) -> list[str | None]:
    """Labels of a typed file as one would write them; None where one is missing.

    >>> as_text(["cat", 3, 3.0, True, None])
    ['cat', '3', '3', 'True', None]
    """
    texts: list[str | None] = []
    for value in map(_plain, values):
        whole = isinstance(value, float) and value.is_integer()
        texts.append(None if _is_missing(value) else str(int(value) if whole else value))
    return texts


def is_integer(text: str) -> bool:
    """Whether a text is an integer of 64 bits as Python writes it."""
    return INTEGER.fullmatch(text) is not None and -(2**63) <= int(text) < 2**63


def of_file(labels: np.ndarray) -> np.ndarray:
    """Labels that a table of a file holds: floats, as tables have integers beside gaps, as int.

    >>> of_file(np.array([2.0, 7.0])).tolist()
    [2, 7]
    """
    return labels.astype(np.int64) if labels.dtype.kind == "f" else labels


def of_type(labels: np.ndarray, label_type: ModelLabels) -> np.ndarray:
    """Labels that a file holds, as those of a model are: text, or int where they are integers.

    Text that is no integer stays, and is for whoever looks it up to refuse.

    >>> of_type(np.array([7, 12]), "text").tolist()
    ['7', '12']
    >>> of_type(np.array(["7", "cat"], object), "int").tolist()
    [7, 'cat']

    What tables make of integers beside missing ones, 7.0, is one for a model with int labels.
    """
    if label_type == "text" and labels.dtype != object:
        return np.array([str(label) for label in labels.tolist()], dtype=object)
    if label_type == "bool" and labels.dtype == object:
        truth = {"true": True, "false": False, "1": True, "0": False}
        found = [truth.get(text.lower()) for text in labels.tolist()]
        return labels if None in found else np.array(found)
    if label_type == "int" and labels.dtype == object:
        texts = [re.sub(r"\.0+$", "", text) for text in labels.tolist()]
        pairs = zip(texts, labels.tolist(), strict=True)
        values = [int(text) if is_integer(text) else written for text, written in pairs]
        whole = all(isinstance(value, int) for value in values)
        return np.array(values, dtype=np.int64 if whole else object)
    return labels


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
    elif hasattr(y, "to_pylist"):  # pyarrow's, whose `to_numpy` takes numbers alone
        y = y.to_pylist()
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
    """Floats that are whole numbers, in double precision."""
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
    return y.astype(np.float64)


def _words(y: np.ndarray, what: str) -> np.ndarray:
    """Texts without spaces around them, in Unicode's composed form: one label however typed."""
    words = y.tolist()
    clean = {word: unicodedata.normalize("NFC", word).strip() for word in set(words)}
    if not all(clean.values()):
        empty = [row for row, word in enumerate(words) if not clean[word]]
        raise DataError(
            f"{what} holds {len(empty)} empty label{'' if len(empty) == 1 else 's'} (first: row "
            f"{empty[0]}); give each sample a label, or leave it out."
        )
    strange = {word for word, cleaned in clean.items() if CONTROL.search(cleaned)}
    if strange:
        row = next(row for row, word in enumerate(words) if word in strange)
        raise DataError(
            f"{what} holds {words[row]!r} (row {row}), with a control character, which no label "
            "may have; take it out."
        )
    if all(word is cleaned or word == cleaned for word, cleaned in clean.items()):
        return y
    return np.fromiter((clean[word] for word in words), dtype=object, count=len(y))


def _objects(y: np.ndarray, what: str) -> np.ndarray:
    """Labels of Python types: all str, or all numbers."""
    kinds = set(map(type, y))
    if kinds == {str}:
        return _words(y, what)
    if kinds == {bytes}:
        return clean_labels(np.array(y.tolist()), what)
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
    if kinds == {bool}:
        return y.astype(bool)
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
