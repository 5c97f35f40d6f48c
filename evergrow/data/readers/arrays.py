"""Arrays and tensors, whose first axis is samples -> a chunk: rows of a table, images, tensors."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import DataError
from .. import image_arrays
from ..dataset import Chunk, Frame, Rows, Seen, numbered
from .read_options import ReadOptions, make_chunk


def records(
    x: np.ndarray, own: bool = False, channels_first: bool = False
) -> tuple[str, np.ndarray]:
    """Kind and records of an array whose first axis is samples: (n, d) a table, else images.

    own: pass on as tensors, for a network of the user's own, all but images of uint8.
    channels_first: what a shape that may be read both ways means.  Raises DataError.

    >>> x = np.zeros((2, 8, 8))
    >>> records(x[0])[0], records(x)[0], records(x, own=True)[0]
    ('table', 'image', 'tensor')
    """
    if x.dtype.kind not in "iufb" or isinstance(x, np.ma.MaskedArray):
        x = _as_floats(x)
    if x.ndim < 2 or not x.size:
        raise _shape_error(x)
    if own and not (x.dtype == np.uint8 and x.ndim > 2):
        return "tensor", as_tensor(x)
    if x.ndim == 2:
        return "table", rows(x)
    return "image", image_arrays.as_images(x, channels_first)


def rows(x: np.ndarray, names: Sequence[str] = ()) -> np.ndarray:
    """(n, d) float32.  names: of the columns, for messages.

    Raises DataError for no rows or columns, for what is not a number, and for NaN and infinity.
    """
    if x.dtype != np.float32:
        x = _to(np.float32, x if x.dtype.kind in "iufb" else _as_floats(x))
    if x.ndim != 2 or not x.size:
        raise _shape_error(x)
    _refuse_not_finite(x, names)
    return x


def as_tensor(x: np.ndarray) -> np.ndarray:
    """As float32; integers other than uint8 as int64.  Raises DataError for NaN and infinity."""
    if x.dtype.kind in "iu" and x.dtype != np.uint8:
        return _to(np.int64, x)
    x = _to(np.float32, x)
    _refuse_not_finite(x)
    return x


def from_torch(x: Any) -> np.ndarray:
    """A tensor as an array on the CPU.  Raises DataError for sparse and quantised ones."""
    import torch

    if x.layout != torch.strided or x.is_quantized:
        raise DataError(
            f"X is a tensor with layout {x.layout}, dense data is required; use X.to_dense()."
        )
    x = x.detach().cpu().resolve_conj().resolve_neg()
    if x.dtype.is_floating_point and x.dtype not in (torch.float16, torch.float32, torch.float64):
        x = x.float()  # NumPy does not know it
    return x.numpy()  # type: ignore[no-any-return]


def _to(dtype: Any, x: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # too large for float32: found as infinity
        return x.astype(dtype, copy=False)


def _as_floats(x: np.ndarray) -> np.ndarray:
    """Numbers out of an array of another type; masked ones without their mask."""
    if isinstance(x, np.ma.MaskedArray):
        if np.ma.is_masked(x):
            raise DataError(
                f"X is masked in {int(x.mask.sum())} places; fill them (X.filled(...)) or leave "
                "them out."
            )
        return x.data
    if x.dtype.kind == "c":
        raise DataError(
            f"Complex data not supported\n{np.array2string(x, threshold=10)}\nPass real numbers, "
            "such as np.abs(X)."
        )
    if x.dtype.kind != "O":
        raise DataError(f"X should hold numbers, it has dtype {x.dtype}; encode it as numbers.")
    try:
        return x.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"X should hold numbers, it has dtype object with values that are none ({error}); "
            "encode them as numbers, and fill or leave out what is missing."
        ) from error


def _shape_error(x: np.ndarray) -> DataError:
    if x.ndim == 0:
        return DataError(
            f"Expected 2D array, got scalar array instead:\narray={x}.\nReshape your data to (n, "
            "columns)."
        )
    if not x.size:
        what = "feature(s)" if len(x) else "sample(s)"
        return DataError(
            f"Found array with 0 {what} (shape={x.shape}) while a minimum of 1 is required."
        )
    return DataError(
        f"Expected 2D array, got 1D array instead:\narray={np.array2string(x, threshold=10)}.\n"
        "Reshape your data either using array.reshape(-1, 1) if your data has a single feature or "
        "array.reshape(1, -1) if it contains a single sample."
    )


def _refuse_not_finite(x: np.ndarray, names: Sequence[str] = ()) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(x.sum()) or np.isfinite(x).all():  # a sum of finite numbers may overflow
            return
    row, *place = (int(i) for i in np.argwhere(~np.isfinite(x))[0])
    column = repr(names[place[0]]) if len(names) else ", ".join(map(str, place))
    where = f"first: row {row}, column {column}"
    if np.isnan(x[row, *place]):
        raise DataError(
            f"Input X contains NaN ({where}); fill what is missing (scikit-learn's SimpleImputer "
            "does) or leave these rows out."
        )
    raise DataError(
        f"Input X contains infinity or a value too large for dtype('float32') ({where}); replace "
        "such values or leave these rows out."
    )


def from_array(
    x: np.ndarray,
    how: ReadOptions,
    labels: np.ndarray | None = None,
    where: str = "",
    channels_first: bool = False,
) -> Chunk:
    """A chunk of an array of numbers, whose first axis is samples.

    where: the end of the rows' names.  channels_first: see `image_arrays.as_images`.
    """
    if not how.own and misses_cells(x):
        return _with_gaps(x, how, labels, where)
    kind, rows = records(x, how.own, channels_first)
    if kind == "image":
        if x.dtype == np.uint8:
            image_arrays.refuse_two_levels(int(rows.max()))
        seen = Seen("image", rows.shape[1], (rows.shape[2:],))
    else:
        seen = Seen(kind, shape=rows.shape[1:], dtype=rows.dtype.name)
    return make_chunk(seen, Rows(rows, where), how, labels)


def misses_cells(x: np.ndarray) -> bool:
    """Whether it is a table of numbers of which some are missing."""
    return x.ndim == 2 and x.dtype.kind == "f" and x.size > 0 and bool(np.isnan(x).any())


def _with_gaps(x: np.ndarray, how: ReadOptions, labels: np.ndarray | None, where: str) -> Chunk:
    """As a data frame is that misses cells, with columns named by their numbers."""
    import pandas as pd

    if np.isinf(x).any():
        _refuse_not_finite(np.nan_to_num(x, nan=0.0, posinf=np.inf, neginf=-np.inf))
    names = numbered(x.shape[1])
    frame = pd.DataFrame(x, columns=list(names))
    seen = Seen("table", shape=x.shape[1:], names=names, mixed=True)
    return make_chunk(seen, Frame(frame, where), how, labels)


def from_tensor(x: Any, how: ReadOptions) -> Chunk:
    """A chunk of a torch tensor, read as (n, channels, height, width) where that is possible."""
    return from_array(from_torch(x), how, channels_first=True)
