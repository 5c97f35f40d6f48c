"""What users have -> a `Chunk`: whatever is in memory, data sets and loaders, folders and files."""

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import datasets, frames, idx, images, inputs, listing, npz, samples, tables
from .chunk import Chunk as Chunk
from .chunk import Seen as Seen
from .errors import DataError
from .inputs import How
from .labels import clean_labels as clean_labels


def read(
    X: Any,
    y: Any = None,
    *,
    label: str | None = None,
    text: str | None = None,
    own: bool = False,
    skip_bad: bool = False,
    need_labels: bool = True,
    features: Sequence[str] = (),
) -> Chunk:
    """A chunk of whatever holds samples.

    X: arrays or tensors: (n, d) tables, (n, H, W), (n, H, W, 1 or 3) or (n, 1 or 3, H, W) images;
        lists of PIL images, arrays, paths or texts; data frames; torch and Hugging Face data sets,
        loaders; the path of a folder with a subfolder for each class, of images or of .txt files,
        of one such file, of a CSV, TSV,
        Parquet, JSON-lines, npz or npy file, or of a pair of idx files.
    y: (n,) labels, where X does not hold them.  label, text: names of columns or keys.
    own: pass tensors of any shape on as they are, for a network of the user's own.
    skip_bad: pass over files that cannot be read; the chunk names them.
    need_labels: refuse data without labels.  features: columns that are known not to be labels.
    Raises DataError; BadFilesError lists all files that cannot be read.

    >>> chunk = read(np.zeros((2, 3)), ["dog", "cat"])
    >>> chunk.kind, chunk.seen.shape, chunk.labels.tolist()
    ('table', (3,), ['dog', 'cat'])
    """
    how = How(y, label, text, own, skip_bad, need_labels, features)
    if type(X) is np.ndarray:
        return inputs.from_array(X, how)
    for fits, reader in READERS:
        if fits(X):
            return reader(X, how)
    raise DataError(
        f"X is a {type(X).__name__}; expected an array, a list of images or paths, a data frame, "
        "a data set, or the path of a folder or file."
    )


# -- folders and files -----------------------------------------------------------------------------


def _path(given: str | Path, how: How) -> Chunk:
    path = Path(given).expanduser()
    pair = idx.find_pair(path)
    if pair is not None:
        return _idx(pair, how)
    if path.is_dir():
        return _folder(path, how)
    name = listing.shown(path)
    if not path.exists():
        raise DataError(f"{name}: no such file or folder; check the path.")
    if frames.is_table(path):
        return _table(path, how)
    if path.suffix.lower() in (".npz", ".npy"):
        x, labels = npz.read_npz(path, how.label, how.need)
        return inputs.from_array(x, how, labels, f" of {path.name}")
    if path.suffix.lower() in images.SUFFIXES:
        return inputs.from_files([path], how)
    if path.suffix.lower() in listing.TEXTS:
        if how.need:
            raise DataError(
                f"{name} is one text without a label; put text files into a folder with a "
                "subfolder for each class, or texts and labels into the columns of a CSV file."
            )
        return inputs.from_text_files([path], how)
    raise DataError(
        f"{name} is of no kind that is read: a folder with a subfolder for each class, an image "
        f"({', '.join(sorted(images.SUFFIXES))}), .txt, .csv, .tsv, .parquet, .jsonl, .npz, .npy, "
        "or idx files. Unpack archives first; save spreadsheets as CSV."
    )


def _folder(path: Path, how: How) -> Chunk:
    if how.y is not None:
        raise DataError(
            f"X is the folder {listing.shown(path)}, whose subfolders are the labels, and y was "
            "given as well; pass the folder alone, or a list of its files with y."
        )
    texts = listing.holds_texts(path)
    found = listing.list_files(path, how.need_labels, "text" if texts else "image")
    labels = None if found.labels is None else np.array(found.labels, dtype=object)
    if texts:
        return inputs.from_text_files(found.files, how, labels, found.notes)
    return inputs.from_files(found.files, how, labels, found.notes)


def _table(path: Path, how: How) -> Chunk:
    wanted = tables.Wanted(how.label, look=how.y is None, features=how.features)

    def as_text(columns: Iterable[str]) -> list[str]:
        names = how.text, tables.label_column(columns, wanted)
        return [column for column in columns if column in names]

    return inputs.from_frame(frames.read_frame(path, as_text), how, path)


def _idx(pair: tuple[Path, Path | None], how: How) -> Chunk:
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
    return inputs.from_array(x, how, labels, f" of {pair[0].name}")


# -- data sets -------------------------------------------------------------------------------------


def _dataset(dataset: Any, how: How) -> Chunk:
    """Indexed: each item is looked at once, now, and asked for again whenever it is needed."""
    if not len(dataset):
        raise inputs.nothing()
    taking = _taking(how)
    if _has_tensors(dataset, taking):
        labels = dataset.tensors[1] if how.y is None and len(dataset.tensors) == 2 else how.y
        return read(dataset.tensors[0], labels, own=how.own, need_labels=how.need_labels)
    if datasets.is_flat(dataset, taking):
        return _rows(dataset, how)
    if len(dataset) and datasets.settled(dataset, taking):
        items = (dataset[i] for i in range(len(dataset)))
        found = datasets.run_through(items, taking, batched=False)
        return inputs.from_records(found, how, _labels(found.labels, dataset, how))
    found, store = datasets.look_through(dataset, taking)
    return inputs.from_records(found, how, _labels(found.labels, dataset, how), store)


def _has_tensors(dataset: Any, taking: datasets.Taking) -> bool:
    """Whether it is torch's TensorDataset of inputs, or of inputs and labels."""
    tensors = getattr(dataset, "tensors", None)
    return isinstance(tensors, tuple) and len(tensors) in ((2,) if taking.need else (1, 2))


def _rows(dataset: Any, how: How) -> Chunk:
    """A data set whose items are rows of a table."""
    import pandas as pd

    frame = pd.DataFrame([dict(dataset[i]) for i in range(len(dataset))])
    chunk = inputs.from_frame(frame, how)
    if chunk.labels is not None and how.y is None:
        chunk.labels = datasets.named(chunk.labels, datasets.class_names(dataset, how.label))
    return chunk


def _iterable(items: Any, how: How) -> Chunk:
    """Loaders and iterables: run through once, now, and kept, images as uint8."""
    loader = _is(items, "utils.data", "DataLoader")
    batched = items.batch_sampler is not None if loader else None
    found = datasets.run_through(items, _taking(how), batched)
    return inputs.from_records(found, how, _labels(found.labels, items, how))


def _taking(how: How) -> datasets.Taking:
    return datasets.Taking(how.label, how.text, how.need, how.own)


def _labels(found: list[Any], dataset: Any, how: How) -> np.ndarray | None:
    missing = [label is None for label in found]
    if how.y is not None or all(missing) or (any(missing) and not how.need_labels):
        return None
    return datasets.named(found, datasets.class_names(dataset, how.label))


# -- which is which --------------------------------------------------------------------------------


def _again(x: Chunk, how: How) -> Chunk:
    if x.labels is None and how.need_labels:
        raise inputs.no_labels()
    return x


def _tuple(values: tuple[Any, ...], how: How) -> Chunk:
    """(X, y), or the paths of two idx files; else like a list."""
    if how.y is None and len(values) == 2:
        if all(isinstance(v, str | Path) and idx.is_idx(Path(v)) for v in values):
            return _idx((Path(values[0]), Path(values[1])), how)
        counted = all(hasattr(v, "__len__") and not isinstance(v, str) for v in values)
        if counted and np.ndim(values[1]) == 1 and len(values[0]) == len(values[1]):
            return read(*values, text=how.text, own=how.own, skip_bad=how.skip_bad)
    return inputs.from_list(list(values), how)


def _no_order(x: Any, how: How) -> Chunk:
    if hasattr(x, "column_names"):  # Hugging Face's DatasetDict
        raise DataError(f"X is a set of data sets ({', '.join(map(str, x))}); pass one of them.")
    raise DataError(
        f"X is a {type(x).__name__}; pass X and y apart, or a data frame (pandas.DataFrame(X))."
    )


def _sparse(x: Any, how: How) -> Chunk:
    raise DataError(
        "Sparse data was passed for X, but dense data is required. Use '.toarray()' to convert "
        "to a dense numpy array."
    )


def _is(x: Any, module: str, name: str) -> bool:
    """Whether it is of a class of torch's; whoever holds one has imported torch."""
    home = sys.modules.get(f"torch.{module}".rstrip("."))
    return home is not None and isinstance(x, getattr(home, name))


def _has(*names: str) -> Callable[[Any], bool]:
    return lambda x: all(hasattr(x, name) for name in names)


READERS: tuple[tuple[Callable[[Any], bool], Callable[[Any, How], Chunk]], ...] = (
    (lambda x: isinstance(x, str | Path), _path),
    (lambda x: isinstance(x, Chunk), _again),
    (lambda x: _is(x, "", "Tensor"), inputs.from_tensor),
    (lambda x: isinstance(x, list), inputs.from_list),
    (lambda x: isinstance(x, tuple), _tuple),
    (lambda x: isinstance(x, dict | set | bytes), _no_order),
    (samples.is_pil, lambda x, how: inputs.from_list([x], how)),
    (_has("toarray", "nnz"), _sparse),
    (_has("iloc", "columns"), inputs.from_frame),
    (lambda x: _is(x, "utils.data", "DataLoader"), _iterable),
    (lambda x: _is(x, "utils.data", "IterableDataset"), _iterable),
    (_has("features", "column_names", "__getitem__", "__len__"), _dataset),
    (_has("to_pandas", "columns"), inputs.from_frame),
    (_has("to_numpy"), lambda x, how: inputs.from_array(np.asarray(x.to_numpy()), how)),
    (lambda x: isinstance(x, np.ma.MaskedArray), inputs.from_array),
    (_has("__array__"), lambda x, how: inputs.from_array(np.asarray(x), how)),
    (_has("__getitem__", "__len__"), _dataset),
    (_has("__iter__"), _iterable),
)
