"""The canonical form of a model's inputs, as JSON: fixed by its first chunk, kept by later ones."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import DataError, SettingError
from . import table_encoder
from .dataset import Chunk, Frame, Seen
from .resize import Size

Form = dict[str, Any]


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
    chunk.notes += [note for note in notes if note not in chunk.notes]
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
        notes = table_encoder.unseen(table_of(chunk), form["encode"])
        chunk.notes += [note for note in notes if note not in chunk.notes]


def table_of(chunk: Chunk) -> Any:
    """A table's rows as a data frame."""
    import pandas as pd

    if isinstance(chunk.store, Frame):
        return chunk.store.frame if chunk.rows is None else chunk.store.frame.iloc[chunk.rows]
    return pd.DataFrame(chunk.take(np.arange(len(chunk))), columns=list(chunk.seen.names))


def encoded(form: Form, chunk: Chunk) -> np.ndarray:
    """(n, columns) float32 rows of the chunk's whole store, computed once.  Raises DataError."""
    key = json.dumps(form["encode"])
    if key not in chunk.cache:
        whole = Chunk(chunk.seen, chunk.store)
        chunk.cache[key] = table_encoder.encode(table_of(whole), form["encode"])
    return chunk.cache[key]  # type: ignore[no-any-return]


# -- later chunks ----------------------------------------------------------------------------------


def check_fits(form: Form, chunk: Chunk, fixed_size: bool) -> None:
    """Raise DataError where a chunk does not fit the model that has this form.

    fixed_size: whether the backbone takes one size alone, so that arrays of images of another are
    refused. Images of any size and colour are brought to the model's, whatever the backbone.
    """
    seen = chunk.seen
    if seen.kind != form["kind"]:
        raise DataError(
            f"X holds {_words(seen)}, but this model was started with {_words_of(form)}; pass data "
            f"of the same kind{_flattened(form, seen)} or start a new model."
        )
    if seen.kind == "table":
        _check_table(form, chunk)
        _check_columns(form, seen)
        if "encode" in form:
            encoded(form, chunk)
    elif seen.kind == "tensor":
        _check_tensor(form, seen)
    elif seen.kind == "image" and not seen.from_files:
        _check_images(form, seen, fixed_size)


def _check_table(form: Form, chunk: Chunk) -> None:
    """A mixed table goes to a model of such; so does one of numbers whose columns have names."""
    if "encode" not in form and chunk.seen.mixed:
        raise DataError(
            f"{table_encoder.odd(table_of(chunk))}, but this model was started with a table of "
            "numbers, none of them missing; fill what is missing (scikit-learn's SimpleImputer "
            "does), leave these rows out, or start a new model."
        )
    if "encode" in form and not chunk.seen.names:
        raise DataError(
            f"X is an array of {chunk.seen.shape[0]} columns without names, but this model was "
            f"started with a table of several kinds of columns ({', '.join(form['names'])}); pass "
            "a data frame with these columns."
        )


def _check_columns(form: Form, seen: Seen) -> None:
    names, came = form["names"], [n for n in seen.names if n not in form.get("unused", ())]
    if names and came and set(names) != set(came):
        unseen, missing = set(came) - set(names), set(names) - set(came)
        raise DataError(
            "The feature names should match those that were passed during fit.\n"
            + _listed("Feature names unseen at fit time:", unseen)
            + _listed("Feature names seen at fit time, yet now missing:", missing)
            + "Rename the columns, leave them out, or start a new model."
        )
    if "encode" not in form and seen.shape[0] != form["columns"]:
        raise _features(seen.shape[0], form["columns"])


def _features(came: int, expected: int) -> DataError:
    return DataError(
        f"X has {came} features, but GrowingClassifier is expecting {expected} features as "
        "input; pass the same features or start a new model."
    )


def _listed(title: str, names: set[str]) -> str:
    lines = [f"- {name}" for name in sorted(names)]
    return "\n".join([title, *lines[:5], *["- ..."] * (len(lines) > 5), ""]) if names else ""


def _check_tensor(form: Form, seen: Seen) -> None:
    came, expected = seen.shape, tuple(form["shape"])
    if len(came) == len(expected) == 1 and came != expected:
        raise _features(came[0], expected[0])
    if came != expected:
        raise DataError(
            f"X has samples of shape {came}, but this model was started with shape {expected}; "
            "pass the same shape or start a new model."
        )
    if seen.dtype != form["dtype"]:
        raise DataError(
            f"X is {seen.dtype}, but this model was started with {form['dtype']}; pass "
            f"X.astype('{form['dtype']}')."
        )


def _check_images(form: Form, seen: Seen, fixed_size: bool) -> None:
    channels = form["given"] if "given" in form else form["channels"]
    if seen.channels != channels:
        raise DataError(
            f"X holds {_colour(seen.channels)}, but this model was started with "
            f"{_colour(channels)}; pass the same, or PIL images or files, which are converted."
        )
    if (
        fixed_size
        and form.get("sizes") != "any"
        and seen.sizes != ((form["height"], form["width"]),)
    ):
        came = " to ".join(f"{height} x {width}" for height, width in seen.sizes)
        raise DataError(
            f"X holds images of {came} pixels, but this model was started with {form['height']} "
            f"x {form['width']}, and its backbone takes no other size; resize them, pass PIL "
            "images or files, which are resized, or start a new model."
        )


def _colour(channels: int) -> str:
    return "grey images (1 channel)" if channels == 1 else f"colour images ({channels} channels)"


def _flattened(form: Form, seen: Seen) -> str:
    """What to do where images of the model's form came as rows of pixels."""
    if form["kind"] != "image" or seen.kind != "table":
        return ""
    channels, height, width = form["channels"], form["height"], form["width"]
    fits = seen.shape[0] == channels * height * width
    return f" (X.reshape(-1, {channels}, {height}, {width})?)" if fits else ""


def _words(seen: Seen) -> str:
    if seen.kind == "image":
        height, width = seen.sizes[0]
        return f"image data ({seen.channels} x {height} x {width})"
    return f"{seen.kind} data" + (f" of shape {seen.shape}" if seen.shape else "")


def _words_of(form: Form) -> str:
    if form["kind"] == "image":
        return f"image data ({form['channels']} x {form['height']} x {form['width']})"
    if form["kind"] == "text":
        return "text data"
    shape = (form["columns"],) if form["kind"] == "table" else tuple(form["shape"])
    return f"{form['kind']} data of shape {shape}"
