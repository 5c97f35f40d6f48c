"""Text files, UTF-8, one sample each -> a chunk."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...errors import BadFilesError, DataError
from ..dataset import Chunk, Rows, Seen
from .class_folder import printable
from .limited_files import OF_TEXT, UNREADABLE, read_limited
from .read_options import ReadOptions, matched_labels, no_labels_error


def from_text_files(
    files: Sequence[Path],
    how: ReadOptions,
    labels: np.ndarray | None = None,
    notes: Sequence[str] = (),
) -> Chunk:
    """A chunk of text files, UTF-8, each read now.  labels: of all of them.

    Raises BadFilesError, which lists all that cannot be read, unless some are and `skip_bad`.
    """
    texts, good, bad = [], [], []
    for i, file in enumerate(files):
        try:
            text = read_limited(file, OF_TEXT).decode("utf-8-sig").strip()
        except DataError as error:
            bad.append((printable(file), str(error).removeprefix(f"{file} ")))
            continue
        except (*UNREADABLE, UnicodeDecodeError) as error:
            bad.append((printable(file), f"cannot be read as UTF-8 text ({error})"))
            continue
        if text:
            texts.append(text)
            good.append(i)
        else:
            bad.append((printable(file), "is empty"))
    if bad and not (how.skip_bad and good):
        raise BadFilesError(bad, len(files))
    if how.y is not None:
        labels = matched_labels(how.y, len(files))
    elif labels is None and how.need_labels:
        raise no_labels_error()
    of_good = None if labels is None else labels[np.array(good)]
    store = Rows(texts, names=[printable(files[i]) for i in good])
    return Chunk(Seen("text"), store, of_good, bad, notes)


def read_file(path: Path, how: ReadOptions) -> Chunk:
    """A chunk of one text, whose label is not in it.  Raises DataError."""
    if how.need:
        raise DataError(
            f"{printable(path)} is one text without a label; put text files into a folder with a "
            "subfolder for each class, or texts and labels into the columns of a CSV file."
        )
    return from_text_files([path], how)
