"""Arrays and tensors, whose first axis is samples -> a chunk."""

from typing import Any

import numpy as np

from .. import image_arrays
from ..dataset import Chunk, Rows, Seen
from . import arrays
from .read_options import ReadOptions, made


def from_array(
    x: np.ndarray,
    how: ReadOptions,
    labels: np.ndarray | None = None,
    where: str = "",
    channels_first: bool = False,
) -> Chunk:
    """A chunk of an array of numbers, whose first axis is samples.

    where: the end of the rows' names.  channels_first: see `image_arrays.from_array`.
    """
    kind, found = arrays.records(x, how.own, channels_first)
    if kind == "image":
        if x.dtype == np.uint8:
            image_arrays.refuse_two_levels(int(found.max()))
        seen = Seen("image", found.shape[1], (found.shape[2:],))
    else:
        seen = Seen(kind, shape=found.shape[1:], dtype=found.dtype.name)
    return made(seen, Rows(found, where), how, labels)


def from_tensor(x: Any, how: ReadOptions) -> Chunk:
    """A chunk of a torch tensor, read as (n, channels, height, width) where that is possible."""
    return from_array(arrays.from_torch(x), how, channels_first=True)
