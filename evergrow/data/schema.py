"""The canonical form of a model's inputs, as JSON: fixed by its first chunk, kept by later ones."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import DataError, SettingError
from . import table_encoder
from .dataset import Chunk, Frame, Seen, numbered
from .image_arrays import range_of
from .resize import Size

Form = dict[str, Any]

FULL_RANGE = 65535  # of images of 16 bits, where a model did not begin with such
FEW_IMAGES = 5  # so few may all be dark


def canonical_size(
    seen: Seen,
    image_size: int | Sequence[int] | None = None,
    limit: int = 64,
    reduced: int = 32,
    least: int | None = None,
) -> Size:
    """(height, width) that all images are brought to.

    image_size: the user's choice.  Without one: the size that all images have, if no side is above
    `limit`; else `reduced` squared.  least: a shorter side is enlarged to it, the other in
    proportion.  Raises SettingError.

    >>> canonical_size(Seen("image", 1, ((28, 28),)))
    (28, 28)
    >>> canonical_size(Seen("image", 3, ((20, 30), (400, 300))))
    (32, 32)
    """
    if image_size is not None:
        return _asked_for(image_size)
    height, width = reduced, reduced
    if len(seen.sizes) == 1 and max(seen.sizes[0]) <= limit:
        height, width = seen.sizes[0]
    if least is not None and min(height, width) < least:
        factor = least / min(height, width)
        height, width = round(height * factor), round(width * factor)
    return height, width


def _asked_for(image_size: int | Sequence[int]) -> Size:
    pair: list[Any] = list(image_size) if isinstance(image_size, Sequence) else [image_size] * 2
    if len(pair) != 2 or not all(isinstance(s, int | np.integer) and 0 < s <= 4096 for s in pair):
        raise SettingError(
            f"image_size={image_size!r}: expected pixels, or (height, width), each in 1..4096."
        )
    return int(pair[0]), int(pair[1])


def spec(
    seen: Seen,
    image_size: int | Sequence[int] | None = None,
    channels: int | None = None,
    limit: int = 64,
    reduced: int = 32,
    least: int | None = None,
) -> Form:
    """The form of a model that starts with data like this.

    channels: what the backbone needs; None: as seen.  The others: see `canonical_size`.
    Arrays that started the model with other sizes or channels than these are noted (`sizes`,
    `given`), so that their like is taken later too.  Raises DataError for texts, whose form an
    encoder gives, SettingError.

    top: of images of 16 bits, which use fewer as often as not: the level that is white.

    >>> spec(Seen("image", 1, ((28, 28),)))
    {'kind': 'image', 'channels': 1, 'height': 28, 'width': 28}
    """
    if seen.kind == "table":
        return {"kind": "table", "columns": seen.shape[0], "names": list(seen.names)}
    if seen.kind == "tensor":
        return {"kind": "tensor", "shape": list(seen.shape), "dtype": seen.dtype}
    if seen.kind != "image":
        raise DataError(
            f"X holds {seen.kind} data, and no backbone here reads it; pass images, a table of "
            "numbers, or the vectors that an encoder of your own gives for it."
        )
    height, width = canonical_size(seen, image_size, limit, reduced, least)
    channels = channels or seen.channels
    form: Form = {"kind": "image", "channels": channels, "height": height, "width": width}
    if seen.highest:
        form["top"] = range_of(seen.highest)
    if not seen.from_files and seen.sizes != ((height, width),):
        form["sizes"] = "any"
    if not seen.from_files and seen.channels != channels:
        form["given"] = seen.channels
    return form


def fitted(form: Form, chunk: Chunk) -> Form:
    """The form once its first chunk is seen: of a mixed table, with all that encodes its columns.

    names: of the columns that are used; those of `unused` may come or not.  columns: of the rows
    that they become; spread: see `table_encoder.expected_distance`.  Notes of columns that are
    not used go to the chunk.  Raises DataError where no column is of use.
    """
    if not chunk.seen.mixed or form["kind"] != "table":
        return form
    encoding, notes = table_encoder.fit(table_of(chunk))
    chunk.note(notes)
    names = [f["name"] for f in encoding]
    return form | {
        "columns": table_encoder.width(encoding),
        "names": names,
        "unused": [name for name in chunk.seen.names if name not in names],
        "spread": table_encoder.expected_distance(encoding),
        "encode": encoding,
    }


def note_unseen(form: Form, chunk: Chunk) -> None:
    """Note the values of categories that the model did not begin with, each column once."""
    if "encode" in form:
        chunk.note(table_encoder.unseen(table_of(chunk), form["encode"]))


def range_notes(form: Form, chunk: Chunk, begins: bool = False) -> list[str]:
    """What is to be said of images of 16 bits, whose range a file does not tell.

    begins: whether the model begins with them.
    """
    highest = chunk.seen.highest
    if not highest or form["kind"] != "image":
        return []
    top, used = form.get("top", FULL_RANGE), range_of(highest)
    hold = f"images of 16 bits hold levels up to {highest}"
    if begins:
        return [f"{hold}: 0..{top} is read as black to white, by this model always"]
    if highest > top:
        return [f"{hold}, and this model reads 0..{top}: what is above it counts as white"]
    if used < top and len(chunk) >= FEW_IMAGES:
        return [
            f"{hold}, and this model reads 0..{top}: they are darker than they may be meant; if "
            f"0..{used} is their range, convert them"
        ]
    return []


def table_of(chunk: Chunk) -> Any:
    """A table's rows as a data frame."""
    import pandas as pd

    if isinstance(chunk.store, Frame):
        return chunk.store.frame if chunk.rows is None else chunk.store.frame.iloc[chunk.rows]
    names = chunk.seen.names or numbered(chunk.seen.shape[0])
    return pd.DataFrame(chunk.take(np.arange(len(chunk))), columns=list(names))


def encoded(form: Form, chunk: Chunk) -> np.ndarray:
    """(n, columns) float32 rows of the chunk's whole store, computed once.  Raises DataError."""
    key = json.dumps(form["encode"])
    if key not in chunk.cache:
        whole = Chunk(chunk.seen, chunk.store)
        chunk.cache[key] = table_encoder.encode(table_of(whole), form["encode"])
    return chunk.cache[key]  # type: ignore[no-any-return]
