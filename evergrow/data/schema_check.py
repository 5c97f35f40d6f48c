"""Whether a later chunk fits the schema that a model was started with, and what to do if not."""

from ..errors import DataError
from . import table_encoder
from .dataset import Chunk, Seen, numbered
from .schema import Form, encoded, table_of


def check_fits(form: Form, chunk: Chunk, fixed_size: bool, any_length: bool = False) -> None:
    """Raise DataError where a chunk does not fit the model that has this form.

    fixed_size: whether the backbone takes one size alone, so that arrays of images of another are
    refused. Images of any size and colour are brought to the model's, whatever the backbone.
    any_length: whether sequences of another length are for the backbone to take or not.
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
        _check_tensor(form, seen, any_length)
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
    columns = chunk.seen.shape[0]
    by_number = {*form["names"], *form.get("unused", ())} == {*numbered(columns)}
    if "encode" in form and not chunk.seen.names and not by_number:
        raise DataError(
            f"X is an array of {columns} columns without names, but this model was "
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


def of_another_length(form: Form, seen: Seen) -> bool:
    """Whether samples are as the model's but for their length: vectors or tokens in a sequence."""
    if form["kind"] != "tensor" or seen.kind != "tensor" or seen.shape == tuple(form["shape"]):
        return False
    tokens = form["dtype"] == "int64"
    sequence = len(form["shape"]) > 1 or tokens
    return sequence and len(seen.shape) > 0 and list(seen.shape[1:]) == form["shape"][1:]


def _check_tensor(form: Form, seen: Seen, any_length: bool) -> None:
    came, expected = seen.shape, tuple(form["shape"])
    fits = came == expected or (any_length and of_another_length(form, seen))
    if len(came) == len(expected) == 1 and not fits:
        raise _features(came[0], expected[0])
    if not fits:
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
