"""How data is to be read, and the chunk that is made of what was found in it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import DataError
from ..dataset import Chunk, Seen, Store
from ..label_type import LabelType, ModelLabels
from ..labels import clean_labels


@dataclass(frozen=True)
class ReadOptions:
    """How X is to be read: the arguments of `sources.read` beside it."""

    y: Any = None
    label: str | None = None
    text: str | None = None
    paths: str | None = None
    missing: Sequence[str] = ()
    own: bool = False
    skip_bad: bool = False
    need_labels: bool = True
    features: Sequence[str] = ()
    label_type: LabelType = None
    model_labels: ModelLabels = None

    @property
    def need(self) -> bool:
        """Whether labels must be in X."""
        return self.need_labels and self.y is None


def make_chunk(
    seen: Seen,
    store: Store,
    how: ReadOptions,
    labels: np.ndarray | None = None,
    notes: Sequence[str] = (),
) -> Chunk:
    """A chunk with the labels that were found in X, or were given apart.

    Raises DataError where they are needed and missing, or not one for each record.
    """
    if how.y is not None:
        labels = matched_labels(how.y, len(store))
    elif labels is None and how.need_labels:
        raise no_labels_error()
    return Chunk(seen, store, labels, notes=notes)


def matched_labels(y: Any, n: int) -> np.ndarray:
    """(n,) labels that were given apart.  Raises DataError."""
    labels = clean_labels(y)
    if len(labels) != n:
        raise DataError(
            f"Found input variables with inconsistent numbers of samples: [{n}, {len(labels)}]; "
            "pass one label for each sample."
        )
    return labels


def no_labels_error() -> DataError:
    """What is raised where labels are needed and there are none."""
    return DataError(
        "requires y to be passed, but the target y is None: give one label for each sample, or "
        "data that holds them."
    )


def empty_error() -> DataError:
    """What is raised where there is no sample."""
    return DataError(
        "Found array with 0 sample(s) while a minimum of 1 is required: X is empty; pass at "
        "least one sample."
    )


def extremes(sizes: Iterable[tuple[int, ...]]) -> tuple[tuple[int, int], ...]:
    """The one (height, width), or the smallest and the largest."""
    by_area = sorted({(h, w) for h, w in sizes}, key=lambda size: (size[0] * size[1], size))
    return tuple(dict.fromkeys((by_area[0], by_area[-1])))
