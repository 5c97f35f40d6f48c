"""Many image files: each checked before anything is learnt, and decoded when it is asked for."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar

import numpy as np

from ...errors import BadFilesError, DataError
from ..dataset import Chunk, Seen, Then
from ..image_decoding import Encoded, ImageFacts, Stamp, Unreadable, decode, inspect
from ..quiet_warnings import quiet
from .class_folder import printable
from .read_options import ReadOptions, extremes, matched_labels, no_labels_error

WITHOUT_THREADS = 4  # files decoded without threads
T = TypeVar("T")
R = TypeVar("R")


class Files:
    """Images on disk, or their bytes; nothing of them is kept, and little about them.

    rows: of each, where it stood in what was given.  found: what the check showed of each.
    kinds: the (channels, (height, width)) that there are.  highest: level of those of 16 bits.
    """

    stable = True

    def __init__(self, items: Sequence[Encoded], rows: Sequence[int], facts: Sequence[ImageFacts]):
        self.items = [item if isinstance(item, bytes) else os.fspath(item) for item in items]
        self.rows = np.array(rows, np.int64)
        self.stamps = np.array([fact.stamp or (-1, -1) for fact in facts], np.int64)
        self.kinds = {(fact.channels, fact.size) for fact in facts}
        self.highest = max((fact.highest for fact in facts), default=0)

    def __len__(self) -> int:
        return len(self.items)

    def name(self, i: int) -> str:
        return _name(self.items[i], int(self.rows[i]))

    @cached_property
    def marks(self) -> np.ndarray:
        """(n, 16) uint8: hashes of path, size and time of change, or of the bytes there are."""
        hashes = bytearray()
        for item, stamp in zip(self.items, self.stamps, strict=True):
            own = item if isinstance(item, bytes) else os.fsencode(os.path.abspath(item))
            hashes += blake2b(own + stamp.tobytes(), digest_size=16).digest()
        return np.frombuffer(hashes, np.uint8).reshape(-1, 16)

    def take(self, rows: np.ndarray, then: Then | None = None) -> list[np.ndarray]:
        """(C, H, W) images, in order.  then: applied to each in the thread that decodes it.

        Raises BadFilesError, which lists files that vanished or changed since they were checked.
        """

        def one(i: int) -> np.ndarray:
            item = self.items[i]
            return decode(Path(item) if isinstance(item, str) else item, self._stamp(i), then)

        results = list(in_threads(_or_reason(one), rows.tolist()))
        both = zip(rows.tolist(), results, strict=True)
        bad = [(self.name(i), str(f)) for i, f in both if _is_bad(f)]
        if bad:
            raise BadFilesError(bad, len(self))
        return [image for image in results if not isinstance(image, Unreadable)]

    def _stamp(self, i: int) -> Stamp | None:
        size, changed = self.stamps[i].tolist()
        return None if size < 0 else (size, changed)


def from_files(
    items: Sequence[Encoded],
    how: ReadOptions,
    labels: np.ndarray | None = None,
    notes: Sequence[str] = (),
) -> Chunk:
    """A chunk of image files, or of their bytes.  labels: of all of them.

    Each is decoded once, now, so that all bad ones are known before anything is learnt; then again
    whenever it is asked for.  Raises BadFilesError.
    """
    if how.y is not None:
        labels = matched_labels(how.y, len(items))
    elif labels is None and how.need_labels:
        raise no_labels_error()
    store, bad = check_all(items, how.skip_bad)
    if labels is not None:
        labels = labels[store.rows]
    sizes = extremes(size for _, size in store.kinds)
    channels = max(channels for channels, _ in store.kinds)
    seen = Seen("image", channels, sizes, from_files=True, highest=store.highest)
    return Chunk(seen, store, labels, bad, notes)


def _name(item: str | Encoded, row: int) -> str:
    """How messages call an image."""
    return f"row {row}" if isinstance(item, bytes) else printable(item)


def check_all(
    items: Sequence[Encoded], skip_bad: bool = False
) -> tuple[Files, list[tuple[str, str]]]:
    """Decode each once.  Returns those that can be read, and (name, reason) of others.

    Raises BadFilesError, which lists all others, unless `skip_bad`; always if none can be read.
    """
    facts, good, bad = [], [], []
    for i, fact in enumerate(in_threads(_or_reason(inspect), items)):
        if isinstance(fact, Unreadable):
            bad.append((_name(items[i], i), str(fact)))
        else:
            facts.append(fact)
            good.append(i)
    if bad and not (skip_bad and good):
        raise BadFilesError(bad, len(items))
    return Files([items[i] for i in good], good, facts), bad


def in_threads(function: Callable[[T], R], items: Sequence[T], block: int = 1024) -> Iterator[R]:
    """function(item) for each, in order; by 2 to 8 threads where there are more than a few.

    >>> list(in_threads(abs, [-1, -2, -3, -4, -5, -6]))
    [1, 2, 3, 4, 5, 6]
    """
    with quiet():
        if len(items) <= WITHOUT_THREADS:
            yield from map(function, items)
            return
        with ThreadPoolExecutor(max(2, min(8, os.cpu_count() or 2))) as pool:
            for start in range(0, len(items), block):  # a million files are not a million futures
                yield from pool.map(function, items[start : start + block])


def _or_reason(function: Callable[[T], R]) -> Callable[[T], R | Unreadable]:
    """The function, but Unreadable is returned and not raised."""

    def judged(item: T) -> R | Unreadable:
        try:
            return function(item)
        except Unreadable as reason:
            return reason

    return judged


def _is_bad(result: object) -> bool:
    return isinstance(result, Unreadable)


def read_file(path: Path, how: ReadOptions) -> Chunk:
    """A chunk of one image, whose label is not in it.  Raises DataError."""
    if how.need:
        raise DataError(
            f"{printable(path)} is one image without a label; put images into a folder with a "
            "subfolder for each class, or their paths and labels into the columns of a CSV file."
        )
    return from_files([path], how)
