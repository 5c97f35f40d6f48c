"""Folders and files -> a chunk: classes by subfolder, tables, npz, idx, images, texts."""

from collections.abc import Collection
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...errors import DataError
from .. import image_decoding
from ..dataset import Chunk
from ..labels import clean_labels, of_type
from . import class_folder, idx, table_files
from .image_files import from_files
from .in_memory import from_array_or_list
from .read_options import ReadOptions
from .text_files import from_text_files


def from_path(place: str | Path, how: ReadOptions) -> Chunk:
    """A chunk of what lies at a path: a folder, a file of data, or an image.  Raises DataError."""
    path = Path(place).expanduser()
    pair = idx.find_pair(path)
    if pair is not None:
        return from_idx(pair, how)
    if path.is_dir():
        return _folder(path, how)
    name = class_folder.printable(path)
    if not path.exists():
        raise DataError(f"{name}: no such file or folder; check the path.")
    for reader in FILE_READERS:
        if reader.fits(path):
            return reader.read(path, how)
    endings = ", ".join(ending for reader in FILE_READERS for ending in sorted(reader.endings))
    raise DataError(
        f"{name} is of no kind that is read: a folder with a subfolder for each class, a file that "
        f"ends in {endings}, or idx files. Unpack archives first; save spreadsheets as CSV."
    )


def _folder(path: Path, how: ReadOptions) -> Chunk:
    if how.y is not None:
        raise DataError(
            f"X is the folder {class_folder.printable(path)}, whose subfolders are the labels, "
            "and y was given as well; pass the folder alone, or a list of its files with y."
        )
    texts = class_folder.holds_texts(path)
    listing = class_folder.list_files(path, how.need_labels, "text" if texts else "image")
    labels = None if listing.labels is None else np.array(listing.labels, dtype=object)
    if labels is not None:
        labels = of_type(labels, how.model_labels)
    reader = from_text_files if texts else from_files
    chunk = reader(listing.files, how, labels, listing.notes)
    chunk.seen = replace(chunk.seen, nested=listing.nested)
    return chunk


def from_idx(pair: tuple[Path, Path | None], how: ReadOptions) -> Chunk:
    """A chunk of a file of images and, where it is there, the one of their labels."""
    x, labels = idx.read_idx(pair[0]), None
    if how.y is None and pair[1] is not None:
        labels = clean_labels(idx.read_idx(pair[1]), str(pair[1]))
        if len(labels) != len(x):
            raise DataError(
                f"{pair[0]} holds {len(x)} images, {pair[1]} {len(labels)} labels; they should "
                "be as many."
            )
    elif how.need:
        raise DataError(f"{pair[0]} holds images, but the file with their labels is not beside it.")
    return from_array_or_list(x, how, labels, f" of {pair[0].name}")


class FileReader(NamedTuple):
    """What reads a file of data.

    file: of this folder, with a function `read_file(path, how)` that gives a chunk.
    endings: of names that it reads.  gzipped: whether .gz may follow them.
    """

    file: str
    endings: Collection[str]
    gzipped: bool = False

    def fits(self, path: Path) -> bool:
        """Whether a file is named like one that this reads."""
        name = path.name.lower()
        return Path(name.removesuffix(".gz") if self.gzipped else name).suffix in self.endings

    def read(self, path: Path, how: ReadOptions) -> Chunk:
        """A chunk of the file.  Raises DataError."""
        chunk: Chunk = import_module(f".{self.file}", __package__).read_file(path, how)
        return chunk


# A new kind of file: a file of this folder, and its line here.
FILE_READERS = (
    FileReader("dataframe", table_files.ENDINGS, gzipped=True),
    FileReader("npz", (".npz", ".npy")),
    FileReader("image_files", image_decoding.SUFFIXES),
    FileReader("text_files", class_folder.TEXTS),
)
