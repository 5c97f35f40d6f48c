"""What is in memory -> a chunk: arrays, tensors, data frames, lists of images, paths or texts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from . import arrays, files, frames, images, pixels, samples, tables
from .chunk import Chunk, Frame, Rows, Seen, Store
from .errors import BadFilesError, DataError
from .labels import clean_labels
from .listing import TEXTS, shown


@dataclass(frozen=True)
class How:
    """How X is to be read: the arguments of `sources.read` beside it."""

    y: Any = None
    label: str | None = None
    text: str | None = None
    own: bool = False
    skip_bad: bool = False
    need_labels: bool = True
    features: Sequence[str] = ()

    @property
    def need(self) -> bool:
        """Whether labels must be in X."""
        return self.need_labels and self.y is None


def made(
    seen: Seen,
    store: Store,
    how: How,
    labels: np.ndarray | None = None,
    notes: Sequence[str] = (),
) -> Chunk:
    """A chunk with the labels that were found in X, or were given apart.

    Raises DataError where they are needed and missing, or not one for each record.
    """
    if how.y is not None:
        labels = given(how.y, len(store))
    elif labels is None and how.need_labels:
        raise no_labels()
    return Chunk(seen, store, labels, notes=notes)


def given(y: Any, n: int) -> np.ndarray:
    """(n,) labels that were given apart.  Raises DataError."""
    labels = clean_labels(y)
    if len(labels) != n:
        raise DataError(
            f"Found input variables with inconsistent numbers of samples: [{n}, {len(labels)}]; "
            "pass one label for each sample."
        )
    return labels


def no_labels() -> DataError:
    """What is raised where labels are needed and there are none."""
    return DataError(
        "requires y to be passed, but the target y is None: give one label for each sample, or "
        "data that holds them."
    )


def nothing() -> DataError:
    """What is raised where there is no sample."""
    return DataError(
        "Found array with 0 sample(s) while a minimum of 1 is required: X is empty; pass at "
        "least one sample."
    )


# -- arrays ----------------------------------------------------------------------------------------


def from_array(
    x: np.ndarray,
    how: How,
    labels: np.ndarray | None = None,
    where: str = "",
    channels_first: bool = False,
) -> Chunk:
    """A chunk of an array whose first axis is samples; 1-d arrays of objects or texts are lists.

    where: the end of the rows' names.  channels_first: see `pixels.from_array`.
    """
    if x.ndim == 1 and x.dtype.kind in "OU":
        return from_list(x.tolist(), how, labels)
    kind, found = arrays.records(x, how.own, channels_first)
    if kind == "image":
        if x.dtype == np.uint8:
            pixels.refuse_two_levels(int(found.max()))
        seen = Seen("image", found.shape[1], (found.shape[2:],))
    else:
        seen = Seen(kind, shape=found.shape[1:], dtype=found.dtype.name)
    return made(seen, Rows(found, where), how, labels)


def from_tensor(x: Any, how: How) -> Chunk:
    """A chunk of a torch tensor, read as (n, channels, height, width) where that is possible."""
    return from_array(arrays.from_torch(x), how, channels_first=True)


# -- data frames -----------------------------------------------------------------------------------


def from_frame(frame: Any, how: How, path: Path | None = None) -> Chunk:
    """A chunk of a data frame of pandas, Arrow or Polars.  path: of the file it was read from."""
    if not hasattr(frame, "iloc"):
        frame = frame.to_pandas()
    if not len(frame):
        raise nothing()
    found = tables.take_apart(frame, _wanted(how, path))
    where = "" if path is None else f" of {path.name}"
    if found.table is not None:
        seen = Seen("table", shape=found.table.shape[1:], names=found.names)
        return made(seen, Rows(found.table, where), how, found.labels, found.notes)
    if found.mixed is not None:
        shape = (len(found.names),)
        seen = Seen("table", shape=shape, names=found.names, mixed=True)
        return made(seen, Frame(found.mixed, where), how, found.labels, found.notes)
    if found.texts is not None:
        return made(Seen("text"), Rows(found.texts, where), how, found.labels, found.notes)
    chunk = from_list(found.cells or [], how, found.labels)
    chunk.notes += found.notes
    return chunk


def _wanted(how: How, path: Path | None) -> tables.Wanted:
    wanted = tables.Wanted(how.label, how.text, how.y is None, how.need, how.features)
    if path is None:
        return wanted
    as_written = frames.suffix(path) in frames.CSV
    return replace(wanted, where=str(path), base=path.parent, from_text=as_written)


# -- lists -----------------------------------------------------------------------------------------


def from_list(values: Sequence[Any], how: How, labels: np.ndarray | None = None) -> Chunk:
    """A chunk of paths, encoded or PIL images, arrays, rows, texts, or (input, label) pairs."""
    if not len(values):
        raise nothing()
    if labels is None and how.y is None and all(map(samples.is_pair, values)):
        inputs, found = zip(*values, strict=True)
        return from_list(inputs, replace(how, y=list(found)))
    if how.text is None and all(isinstance(v, str) for v in values) and _are_paths(values):
        values = [Path(value) for value in values]
    if all(isinstance(v, Path) and v.suffix.lower() in TEXTS for v in values):
        return from_text_files(values, how, labels)
    encoded = [samples.as_encoded(value) for value in values]
    if all(value is not None for value in encoded):
        return from_files([value for value in encoded if value is not None], how, labels)
    if isinstance(values[0], int | float | np.number | list | tuple):
        return from_array(_square(values), how, labels)
    return from_records(samples.gather(values, how.own), how, labels)


def _are_paths(values: Sequence[str]) -> bool:
    """Whether strings name images: by their endings, or because the first is a file."""
    if all(Path(value).suffix.lower() in images.SUFFIXES for value in values):
        return True
    return len(values[0]) < 1024 and Path(values[0]).is_file()


def _square(values: Sequence[Any]) -> np.ndarray:
    try:
        return np.array(values)
    except ValueError as error:
        raise DataError(
            f"X is a list of rows of unequal length ({error}); pass as many numbers in each."
        ) from error


def from_records(
    found: samples.Records, how: How, labels: np.ndarray | None = None, store: Store | None = None
) -> Chunk:
    """A chunk of records that were seen one by one; they are in memory, or in `store`."""
    if found.values or store is None:
        uniform = len(found.shapes) == 1 and found.kind != "text"
        store = Rows(np.stack(found.values) if uniform else found.values)
    if found.kind == "image":
        channels = max(shape[0] for shape in found.shapes)
        sizes = _extremes(shape[1:] for shape in found.shapes)
        seen = Seen("image", channels, sizes, from_files=found.pictures)
    elif found.kind == "text":
        seen = Seen("text")
    else:
        seen = Seen(found.kind, shape=next(iter(found.shapes)), dtype=found.dtype)
    return made(seen, store, how, labels)


def from_files(
    items: Sequence[images.Encoded],
    how: How,
    labels: np.ndarray | None = None,
    notes: Sequence[str] = (),
) -> Chunk:
    """A chunk of image files, or of their bytes.  labels: of all of them.

    Each is decoded once, now, so that all bad ones are known before anything is learnt; then again
    whenever it is asked for.  Raises BadFilesError.
    """
    if how.y is not None:
        labels = given(how.y, len(items))
    elif labels is None and how.need_labels:
        raise no_labels()
    store, bad = files.check_all(items, how.skip_bad)
    if labels is not None:
        labels = labels[store.rows]
    sizes = _extremes(size for _, size in store.kinds)
    channels = max(channels for channels, _ in store.kinds)
    return Chunk(Seen("image", channels, sizes, from_files=True), store, labels, bad, notes)


def from_text_files(
    files: Sequence[Path],
    how: How,
    labels: np.ndarray | None = None,
    notes: Sequence[str] = (),
) -> Chunk:
    """A chunk of text files, UTF-8, each read now.  labels: of all of them.

    Raises BadFilesError, which lists all that cannot be read, unless some are and `skip_bad`.
    """
    texts, good, bad = [], [], []
    for i, file in enumerate(files):
        try:
            text = file.read_text(encoding="utf-8-sig").strip()
        except (OSError, UnicodeDecodeError) as error:
            bad.append((shown(file), f"cannot be read as UTF-8 text ({error})"))
            continue
        if text:
            texts.append(text)
            good.append(i)
        else:
            bad.append((shown(file), "is empty"))
    if bad and not (how.skip_bad and good):
        raise BadFilesError(bad, len(files))
    if how.y is not None:
        labels = given(how.y, len(files))
    elif labels is None and how.need_labels:
        raise no_labels()
    found = None if labels is None else labels[np.array(good)]
    store = Rows(texts, names=[shown(files[i]) for i in good])
    return Chunk(Seen("text"), store, found, bad, notes)


def _extremes(sizes: Iterable[tuple[int, ...]]) -> tuple[tuple[int, int], ...]:
    """The one (height, width), or the smallest and the largest."""
    found = sorted({(h, w) for h, w in sizes}, key=lambda size: (size[0] * size[1], size))
    return tuple(dict.fromkeys((found[0], found[-1])))
