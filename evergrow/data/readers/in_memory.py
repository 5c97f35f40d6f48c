"""What is in memory -> a chunk: arrays, and lists of images, paths, texts or rows."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DataError
from ..dataset import Chunk, Rows, Seen, Store
from . import arrays, single_samples
from .class_folder import TEXTS
from .image_files import from_files
from .path_cells import are_paths
from .read_options import ReadOptions, empty_error, extremes, make_chunk
from .text_files import from_text_files


def from_array_or_list(
    x: np.ndarray, how: ReadOptions, labels: np.ndarray | None = None, where: str = ""
) -> Chunk:
    """A chunk of an array; one of objects or texts along a single axis is a list of samples.

    where: the end of the rows' names.
    """
    if x.ndim == 1 and x.dtype.kind in "OU":
        return from_list(x.tolist(), how, labels)
    return arrays.from_array(x, how, labels, where)


def from_list(values: Sequence[Any], how: ReadOptions, labels: np.ndarray | None = None) -> Chunk:
    """A chunk of paths, encoded or PIL images, arrays, rows, texts, or (input, label) pairs."""
    if not len(values):
        raise empty_error()
    if labels is None and how.y is None and all(map(single_samples.is_pair, values)):
        inputs, paired = zip(*values, strict=True)
        return from_list(inputs, replace(how, y=list(paired)))
    if how.text is None and all(isinstance(v, str) for v in values):
        if how.paths is not None or are_paths(values, Path(), "X"):
            values = [Path(value) for value in values]
    if all(isinstance(v, Path) and v.suffix.lower() in TEXTS for v in values):
        return from_text_files(values, how, labels)
    encoded = [single_samples.as_encoded(value) for value in values]
    if all(value is not None for value in encoded):
        return from_files([value for value in encoded if value is not None], how, labels)
    if isinstance(values[0], int | float | np.number | list | tuple):
        return from_array_or_list(_square(values), how, labels)
    return from_records(single_samples.gather_items(values, how.own), how, labels)


def _square(values: Sequence[Any]) -> np.ndarray:
    try:
        return np.array(values)
    except ValueError as error:
        raise DataError(
            f"X is a list of rows of unequal length ({error}); pass as many numbers in each."
        ) from error


def from_records(
    gathered: single_samples.Gathered,
    how: ReadOptions,
    labels: np.ndarray | None = None,
    store: Store | None = None,
) -> Chunk:
    """A chunk of records that were seen one by one; they are in memory, or in `store`."""
    if gathered.values or store is None:
        mixed = gathered.deep and any(value.dtype == np.uint8 for value in gathered.values)
        uniform = len(gathered.shapes) == 1 and gathered.kind != "text" and not mixed
        store = Rows(np.stack(gathered.values) if uniform else gathered.values)
    if gathered.kind == "image":
        channels = max(shape[0] for shape in gathered.shapes)
        sizes = extremes(shape[1:] for shape in gathered.shapes)
        files = gathered.from_files
        seen = Seen("image", channels, sizes, from_files=files, highest=gathered.deep)
    elif gathered.kind == "text":
        seen = Seen("text")
    else:
        seen = Seen(gathered.kind, shape=next(iter(gathered.shapes)), dtype=gathered.dtype)
    return make_chunk(seen, store, how, labels)
