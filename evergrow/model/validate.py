"""What `partial_fit` and `predict` are given, as a chunk; scikit-learn's own checks of tables."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.utils.validation import validate_data

from ..backbones.base import Backbone
from ..data import read as sources
from ..data.dataset import Chunk
from ..data.readers.arrays import misses_cells
from .model import Model, TableColumns


def as_chunk(
    estimator: Any,
    model: Model | None,
    X: Any,
    y: Any,
    *,
    labels: bool = True,
    columns: TableColumns | None = None,
) -> tuple[Chunk, TableColumns | None]:
    """X as a chunk, and the columns of the table that it is (or that came before, or None).

    model: whose kind of data it is to be; None where it is the first.  labels: whether they are to
    be looked for.  columns: of a first table that this one comes beside.
    Raises DataError, and scikit-learn's errors for tables of numbers.
    """
    X = sources.collected(X)
    known = model.columns if model is not None else columns
    if isinstance(X, Chunk):
        return X, known
    settings = estimator.backbone if model is None else model.backbone
    own = settings.wraps if isinstance(settings, Backbone) else not isinstance(settings, str)
    frame = hasattr(X, "columns")
    labelled = frame and labels and y is None  # it holds its labels
    mixed = "encode" in ((model and model.schema) or {}) or _missing(X)
    if not own and _tabular(X) and not labelled and not mixed:
        first = model is None and columns is None
        X, known = _table(estimator, X, known, reset=first)
    kind = model.label_type if model is not None and isinstance(X, str | Path | tuple) else None
    meant = _meant(model, X)
    text, paths = ("X" if meant == wanted else None for wanted in ("text", "image"))
    chunk = sources.read(
        X, y, own=own, need_labels=labels, model_labels=kind, text=text, paths=paths
    )
    return chunk, known


def _meant(model: Model | None, X: Any) -> str | None:
    """What strings in a list are to a model: text, or (paths of) image; None: a look may tell."""
    strings = isinstance(X, list | np.ndarray) and len(X) > 0 and isinstance(X[0], str)
    return (model.schema or {}).get("kind") if model is not None and strings else None


def show_columns(estimator: Any, columns: TableColumns | None) -> None:
    """The attributes by which scikit-learn knows the columns of the first table."""
    for name, value in (
        ("n_features_in_", None if columns is None else columns.count),
        ("feature_names_in_", None if columns is None else columns.names),
    ):
        if value is not None:
            setattr(estimator, name, value)
        elif name in vars(estimator):
            delattr(estimator, name)


def _table(
    estimator: Any, X: Any, known: TableColumns | None, reset: bool
) -> tuple[np.ndarray, TableColumns | None]:
    """scikit-learn's checks, passed by when there is nothing to find."""
    clean = (
        isinstance(X, np.ndarray)
        and X.dtype == np.float32
        and X.ndim == 2
        and known is not None
        and known.names is None
        and X.shape[1] == known.count
        and len(X) > 0
    )
    if clean and np.isfinite(X.sum()):
        return X, known
    stand_in = copy.copy(estimator)  # which the checks may write to
    show_columns(stand_in, known)
    checked = validate_data(stand_in, X, reset=reset, dtype=np.float32, ensure_all_finite=True)
    if reset:
        names = getattr(stand_in, "feature_names_in_", None)
        known = TableColumns(stand_in.n_features_in_, names)
    return checked, known


def _tabular(X: Any) -> bool:
    """Whether X is a table of numbers, for scikit-learn's checks; all else is for `sources`."""
    if isinstance(X, np.ndarray | torch.Tensor):
        return X.ndim <= 2 and not (isinstance(X, np.ndarray) and _texts(X))
    if isinstance(X, list | tuple):
        return not X or isinstance(X[0], int | float | list | tuple | np.number)
    if hasattr(X, "dtypes") and hasattr(X, "columns"):
        return all(getattr(t, "kind", "O") in "iufb" for t in X.dtypes)
    return hasattr(X, "toarray")  # sparse: refused there, in scikit-learn's words


def _texts(X: np.ndarray) -> bool:
    """Whether an array holds texts, or objects of which the first is one."""
    if X.dtype == object:
        return X.ndim == 1 and len(X) > 0 and isinstance(X[0], str)
    return bool(X.dtype.kind in "US")


def _missing(X: Any) -> bool:
    """Whether a cell of a data frame of pandas, or of an array of numbers, is missing."""
    if isinstance(X, np.ndarray):
        return misses_cells(X)
    return hasattr(X, "columns") and hasattr(X, "isna") and bool(X.isna().to_numpy().any())
