"""Data sets and loaders of torch and Hugging Face, and iterables -> a chunk, item by item."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...errors import DataError
from ..dataset import Chunk, Then
from ..labels import clean_labels
from .arrays import from_tensor
from .dataframe import LABEL_COLUMNS, from_frame
from .in_memory import from_records
from .read_options import ReadOptions, empty_error
from .single_samples import Gathered, as_encoded, is_input, read_one

CHECKED = 16  # items of a data set asked for twice, to see whether they change


ITEM_CACHE_BYTES = 1 << 28  # bytes of items that do not change and may be kept in memory


INPUT_NAMES = "image img images pixel_values pixels x input inputs features data text".split()


@dataclass(frozen=True)
class Taking:
    """How items are taken apart.  label, text: keys of dicts.  need: labels must be there."""

    label: str | None = None
    text: str | None = None
    need: bool = True
    own: bool = False


class Streamed:
    """An indexed data set that is asked for each item whenever it is needed."""

    stable = False  # items may be augmented anew each time

    def __init__(self, dataset: Any, taking: Taking, kind: str):
        self.dataset, self.taking, self.kind = dataset, taking, kind

    def __len__(self) -> int:
        return len(self.dataset)

    def name(self, i: int) -> str:
        return f"row {i}"

    def take(self, rows: np.ndarray, then: Then | None = None) -> list[np.ndarray]:
        """The records of these items, in order.  then: applied to each."""
        records = map(self._record, rows.tolist())
        return [record if then is None else then(record) for record in records]

    def _record(self, i: int) -> np.ndarray:
        value, _ = split(self.dataset[i], self.taking)
        kind, record, _ = read_one(value, self.taking.own, f"sample {i}")
        if kind != self.kind:
            raise DataError(f"sample {i} is {kind} data now, it was {self.kind} data before.")
        return record  # type: ignore[no-any-return]


def settled(dataset: Any, taking: Taking) -> bool:
    """Whether items are images or tensors that come the same each time, and all fit into `KEPT`.

    `CHECKED` items are asked for twice: an augmentation that is drawn anew shows in one of them.

    >>> settled([(np.zeros((8, 8)), "cat")] * 40, Taking())
    True
    """
    size = 0
    for i in np.unique(np.linspace(0, len(dataset) - 1, CHECKED).astype(int)).tolist():
        once, again = (_content(dataset[i], taking, f"sample {i}") for _ in range(2))
        if once is None or again is None or not np.array_equal(once, again):
            return False
        size = max(size, once.nbytes)
    return size * len(dataset) <= ITEM_CACHE_BYTES


def _content(item: Any, taking: Taking, where: str) -> np.ndarray | None:
    """The record of an item that is an image or a tensor."""
    kind, record, _ = read_one(split(item, taking)[0], taking.own, where)
    return record if kind in ("image", "tensor") else None


def look_through(dataset: Any, taking: Taking) -> tuple[Gathered, Streamed]:
    """See each item of an indexed data set once; images are not kept.  Raises DataError."""
    gathered = Gathered(own=taking.own, keep=False)
    for i in range(len(dataset)):
        gathered.add(*split(dataset[i], taking))
    gathered.finish()
    return gathered, Streamed(dataset, taking, gathered.kind)


def run_through(items: Iterable[Any], taking: Taking, batched: bool | None) -> Gathered:
    """All items of a loader or an iterable, once, kept in memory.

    batched: whether items are batches; None: those that have a row of labels are.
    """
    gathered = Gathered(own=taking.own)
    for item in items:
        value, label = split(item, taking)
        if not (np.ndim(label) == 1 if batched is None else batched):
            gathered.add(value, label)
            continue
        labels = [None] * len(value) if label is None else label
        if len(labels) != len(value):
            raise DataError(
                f"a batch holds {len(value)} samples and {len(labels)} labels; they should be as "
                "many."
            )
        for pair in zip(value, labels, strict=True):
            gathered.add(*pair)
    return gathered.finish()


def is_flat(dataset: Any, taking: Taking) -> bool:
    """Whether items are dicts of numbers or texts: rows of a table."""
    item = dataset[0]
    if not isinstance(item, dict) or as_encoded(item) is not None:
        return False
    key = _label_key(item, taking)
    return all(np.isscalar(value) for name, value in item.items() if name != key)


def split(item: Any, taking: Taking) -> tuple[Any, Any]:
    """Input and label of an item: (input, label, ...), a dict, or an input.  Raises DataError."""
    if isinstance(item, dict) and as_encoded(item) is None:
        return _split_dict(item, taking)
    if isinstance(item, tuple | list) and len(item) > 1 and is_input(item[0]):
        return item[0], item[1]
    if isinstance(item, tuple | list) and len(item) == 1:
        item = item[0]
    if taking.need:
        raise DataError(
            "labels are needed, so items of the data set should be (input, label) pairs or "
            f"dicts, they are {type(item).__name__}; or pass the labels as y."
        )
    return item, None


def _split_dict(item: dict[Any, Any], taking: Taking) -> tuple[Any, Any]:
    key = _label_key(item, taking)
    others = [name for name in item if name != key]
    names = (
        INPUT_NAMES + (others if len(others) == 1 else []) if taking.text is None else [taking.text]
    )
    name = next((name for name in names if name in others), None)
    if name is None:
        raise DataError(
            f"items of the data set have the keys {', '.join(map(str, item))}; which one is the "
            f"input cannot be told (expected one of {', '.join(map(str, names))}): rename it."
        )
    return item[name], None if key is None else item[key]


def _label_key(item: dict[Any, Any], taking: Taking) -> Any:
    """The key of the label, or None.  Raises DataError where it is needed and missing."""
    names = LABEL_COLUMNS if taking.label is None else (taking.label,)
    key = next((name for name in names if name in item), None)
    if key is None and (taking.need or taking.label is not None):
        raise DataError(
            f"items of the data set have no label column (expected {', '.join(names)}); their "
            f"keys are: {', '.join(map(str, item))}. Name the one that holds the labels with "
            "label=."
        )
    return key


def class_names(dataset: Any, label: str | None = None) -> list[str] | None:
    """What integer labels stand for, where they only number names found in this very data; or None.

    So it is for folders read by torchvision and for class labels of Hugging Face: in the next
    folder the same number means another class.
    """
    while dataset is not None:
        features = getattr(dataset, "features", None)
        if isinstance(features, dict):
            keys = LABEL_COLUMNS if label is None else (label,)
            key = next((name for name in keys if name in features), None)
            return getattr(features.get(key), "names", None)
        if hasattr(dataset, "class_to_idx") and hasattr(dataset, "samples"):
            return sorted(dataset.class_to_idx, key=dataset.class_to_idx.get)
        dataset = getattr(dataset, "dataset", None)  # of a Subset, a DataLoader
    return None


def labels_named(values: Sequence[Any] | np.ndarray, names: list[str] | None) -> np.ndarray:
    """Labels of a data set; numbers of classes become their names.  Raises DataError.

    >>> labels_named([1, 0, 1], ["cat", "dog"]).tolist()
    ['dog', 'cat', 'dog']
    """
    cleaned = clean_labels(values)
    if names is None or cleaned.dtype == object:
        return cleaned
    if cleaned.min() < 0 or cleaned.max() >= len(names):
        raise DataError(
            f"the data set names {len(names)} classes, but has labels "
            f"{cleaned.min()}..{cleaned.max()}."
        )
    named: np.ndarray = np.array(names, dtype=object)[cleaned]
    return named


def from_dataset(dataset: Any, how: ReadOptions) -> Chunk:
    """Indexed: each item is looked at once, now, and asked for again whenever it is needed."""
    if not len(dataset):
        raise empty_error()
    taking = _taking(how)
    if _has_tensors(dataset, taking):
        labels = dataset.tensors[1] if how.y is None and len(dataset.tensors) == 2 else how.y
        return from_tensor(dataset.tensors[0], replace(how, y=labels))
    if is_flat(dataset, taking):
        return _rows(dataset, how)
    if len(dataset) and settled(dataset, taking):
        items = (dataset[i] for i in range(len(dataset)))
        gathered = run_through(items, taking, batched=False)
        return from_records(gathered, how, _labels(gathered.labels, dataset, how))
    gathered, store = look_through(dataset, taking)
    return from_records(gathered, how, _labels(gathered.labels, dataset, how), store)


def _has_tensors(dataset: Any, taking: Taking) -> bool:
    """Whether it is torch's TensorDataset of inputs, or of inputs and labels."""
    tensors = getattr(dataset, "tensors", None)
    return isinstance(tensors, tuple) and len(tensors) in ((2,) if taking.need else (1, 2))


def _rows(dataset: Any, how: ReadOptions) -> Chunk:
    """A data set whose items are rows of a table."""
    import pandas as pd

    frame = pd.DataFrame([dict(dataset[i]) for i in range(len(dataset))])
    chunk = from_frame(frame, how)
    if chunk.labels is not None and how.y is None:
        chunk.labels = labels_named(chunk.labels, class_names(dataset, how.label))
    return chunk


def from_iterable(items: Any, how: ReadOptions) -> Chunk:
    """Loaders and iterables: run through once, now, and kept, images as uint8."""
    loader = is_torch(items, "utils.data", "DataLoader")
    batched = items.batch_sampler is not None if loader else None
    gathered = run_through(items, _taking(how), batched)
    return from_records(gathered, how, _labels(gathered.labels, items, how))


def _taking(how: ReadOptions) -> Taking:
    return Taking(how.label, how.text, how.need, how.own)


def _labels(labels: list[Any], dataset: Any, how: ReadOptions) -> np.ndarray | None:
    missing = [label is None for label in labels]
    if how.y is not None or all(missing) or (any(missing) and not how.need_labels):
        return None
    if any(isinstance(label, str) for label in labels):
        return labels_named(labels, None)
    of, names = names_of_items(dataset, len(labels), how.label)
    return labels_named(labels, names[0]) if len(names) == 1 else _named_apart(labels, of, names)


def names_of_items(
    dataset: Any, n: int, label: str | None = None
) -> tuple[np.ndarray, list[list[str] | None]]:
    """What the class numbers of n items stand for: (n,) which of several lists, and the lists.

    Several where folders were joined (ConcatDataset), each of which numbers classes in its own way.
    Raises DataError where such items come shuffled, as it cannot be told where each is from.
    """
    parts = getattr(dataset, "datasets", None)
    if isinstance(parts, list | tuple) and hasattr(dataset, "cumulative_sizes"):
        found = [names_of_items(part, len(part), label) for part in parts]
        return _joined(found)
    inner = getattr(dataset, "dataset", None)
    if inner is None or not hasattr(inner, "__len__"):
        return np.zeros(n, int), [class_names(dataset, label)]
    of, names = names_of_items(inner, len(inner), label)
    if len(names) == 1:
        return np.zeros(n, int), names
    if hasattr(dataset, "indices"):
        return of[np.asarray(dataset.indices)], names
    raise DataError(
        "the data sets that are joined here number their classes each in its own way, and a loader "
        "does not tell which one an item is from; pass the joined data set itself."
    )


def _joined(
    found: list[tuple[np.ndarray, list[list[str] | None]]],
) -> tuple[np.ndarray, list[list[str] | None]]:
    names: list[list[str] | None] = []
    parts = []
    for of, lists in found:
        for each in lists:
            if each not in names:
                names.append(each)
        parts.append(np.array([names.index(each) for each in lists])[of])
    return np.concatenate(parts), names


def _named_apart(labels: list[Any], of: np.ndarray, names: list[list[str] | None]) -> np.ndarray:
    """Labels of joined data sets by the names of each.  Raises DataError where one has none."""
    if None in names:
        raise DataError(
            "of the data sets that are joined here some name their classes and some number them; "
            "pass them one by one, or give the labels as y."
        )
    named = np.empty(len(labels), dtype=object)
    for k, each in enumerate(names):
        at = np.flatnonzero(of == k)
        if len(at):
            named[at] = labels_named([labels[i] for i in at], each)
    return named


def is_torch(x: Any, module: str, name: str) -> bool:
    """Whether it is of a class of torch's; whoever holds one has imported torch."""
    home = sys.modules.get(f"torch.{module}".rstrip("."))
    return home is not None and isinstance(x, getattr(home, name))
