"""A chunk of a data set: samples by index with their labels, and what they look like."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Then = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Seen:
    """What a chunk looks like, as plain JSON.

    kind: image, table, tensor or text.
    channels, sizes: of images: the most that one has, and the one (height, width), or the smallest
    and the largest.  shape, dtype: of one row or tensor.  names: of columns, where they have any.
    from_files: images came as files or of PIL, which are converted, not as arrays, which must fit.
    mixed: a table with columns that are no numbers, or with cells that are missing.
    nested: of a folder whose class folders hold folders alone, the one to pass instead, perhaps.
    highest: level of those images that have 16 bits; 0: there are none.
    """

    kind: str
    channels: int = 0
    sizes: tuple[tuple[int, int], ...] = ()
    shape: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    from_files: bool = False
    dtype: str = "float32"
    mixed: bool = False
    highest: int = 0
    nested: str = ""


def numbered(columns: int) -> tuple[str, ...]:
    """Names of the columns of an array that misses cells: their numbers.

    >>> numbered(3)
    ('0', '1', '2')
    """
    return tuple(map(str, range(columns)))


class Store(Protocol):
    """Samples by row.  stable: whether asking twice gives the same."""

    stable: bool

    def __len__(self) -> int: ...

    def name(self, i: int) -> str: ...

    def take(self, rows: np.ndarray, then: Then | None = None) -> Any: ...


class Rows:
    """Samples in memory: an array with a row for each, or a list.

    names: how messages call them; without, by their rows.  where: the end of all such names.

    >>> Rows(np.zeros((3, 2)), " of a.csv").name(1)
    'row 1 of a.csv'
    """

    stable = True

    def __init__(self, values: Any, where: str = "", names: Sequence[str] = ()):
        self.values, self.where, self.names = values, where, names

    def __len__(self) -> int:
        return len(self.values)

    def name(self, i: int) -> str:
        return self.names[i] if self.names else f"row {i}{self.where}"

    def take(self, rows: np.ndarray, then: Then | None = None) -> Any:
        if isinstance(self.values, np.ndarray):
            return self.values[rows]
        values = [self.values[i] for i in rows.tolist()]
        return values if then is None else [then(value) for value in values]


class Frame:
    """Rows of a data frame of several kinds of columns.  where: the end of all names."""

    stable = True

    def __init__(self, frame: "pd.DataFrame", where: str = ""):
        self.frame, self.where = frame, where

    def __len__(self) -> int:
        return len(self.frame)

    def name(self, i: int) -> str:
        return f"row {i}{self.where}"

    def take(self, rows: np.ndarray, then: Then | None = None) -> "pd.DataFrame":
        return self.frame.iloc[rows]


class Chunk:
    """Samples by index, and their labels.

    seen: what the samples look like.  labels: (n,) int64, object array of str, or None.
    skipped: (name, reason) of bad files that were passed over.  notes: what the user should know.
    cache: what `preprocess` keeps of the samples; shared by subsets.
    """

    def __init__(
        self,
        seen: Seen,
        store: Store,
        labels: np.ndarray | None = None,
        skipped: Sequence[tuple[str, str]] = (),
        notes: Sequence[str] = (),
    ):
        self.seen, self.store, self.labels = seen, store, labels
        self.skipped, self.notes = list(skipped), list(notes)
        self.rows: np.ndarray | None = None  # of the store; None: all of them
        self.cache: dict[Any, Any] = {}

    @property
    def kind(self) -> str:
        return self.seen.kind

    def note(self, notes: Sequence[str]) -> None:
        """Let the user know these too, each once."""
        self.notes += [note for note in notes if note not in self.notes]

    def __len__(self) -> int:
        return len(self.store) if self.rows is None else len(self.rows)

    def name(self, i: int) -> str:
        """Path of a sample's file, or `row 17`, counted from 0."""
        return self.store.name(int(i if self.rows is None else self.rows[i]))

    def at(self, rows: np.ndarray) -> np.ndarray:
        """Rows of this chunk as rows of its store."""
        return rows if self.rows is None else self.rows[rows]

    def take(self, rows: np.ndarray, then: Then | None = None) -> Any:
        """Samples of these rows, in order: one array, or a list where shapes differ or are decoded.

        Images are (C, H, W) uint8, C = 1 or 3.  then: applied to each image of a list as
        soon as it is decoded.  Raises BadFilesError where files are not what they were.
        """
        return self.store.take(self.at(np.asarray(rows)), then)

    def subset(self, rows: np.ndarray) -> "Chunk":
        """The same samples, but for these rows alone."""
        rows = np.asarray(rows)
        labels = None if self.labels is None else self.labels[rows]
        part = Chunk(self.seen, self.store, labels, self.skipped, self.notes)
        part.rows, part.cache = self.at(rows), self.cache
        return part
