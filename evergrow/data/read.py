"""What users have -> a `Chunk`: whatever is in memory, data sets and loaders, folders and files."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from .dataset import Chunk as Chunk
from .dataset import Seen as Seen
from .label_type import LabelType, ModelLabels
from .labels import clean_labels as clean_labels
from .labels import of_type
from .readers import idx, in_memory, single_samples
from .readers.arrays import from_tensor
from .readers.dataframe import from_frame
from .readers.files_and_folders import from_idx, from_path
from .readers.read_options import ReadOptions, no_labels_error
from .readers.torch_dataset import from_dataset, from_iterable, is_torch


def read(
    X: Any,
    y: Any = None,
    *,
    label: str | None = None,
    text: str | None = None,
    paths: str | None = None,
    missing: Sequence[str] = (),
    own: bool = False,
    skip_bad: bool = False,
    need_labels: bool = True,
    features: Sequence[str] = (),
    label_type: LabelType = None,
    model_labels: ModelLabels = None,
) -> Chunk:
    """A chunk of whatever holds samples.

    X: arrays or tensors: (n, d) tables, (n, H, W), (n, H, W, 1 or 3) or (n, 1 or 3, H, W) images;
        lists of PIL images, arrays, paths or texts; data frames; torch and Hugging Face data sets,
        loaders; the path of a folder with a subfolder for each class, of images or of .txt files,
        of one such file, of a CSV, TSV,
        Parquet, JSON-lines, npz or npy file, or of a pair of idx files.
    y: (n,) labels, where X does not hold them.  label, text: names of columns or keys.
    paths: the column that holds paths of image files; without, one is taken for such where all of
        its cells are files.  missing: cells of a CSV file that say that something is missing.
    own: pass tensors of any shape on as they are, for a network of the user's own.
    skip_bad: pass over files that cannot be read; the chunk names them.
    need_labels: refuse data without labels.  features: columns that are known not to be labels.
    label_type: "text" or "int": what labels of files are to be. None: those of typed files (npz,
        idx) are what they are, others int where all are integers as one writes them, else text.
    model_labels: what those of the model are that is to learn this: how others than those of typed
        files are read, where label_type does not say.
    Raises DataError; BadFilesError lists all files that cannot be read.

    >>> chunk = read(np.zeros((2, 3)), ["dog", "cat"])
    >>> chunk.kind, chunk.seen.shape, chunk.labels.tolist()
    ('table', (3,), ['dog', 'cat'])
    """
    how = ReadOptions(
        y,
        label,
        text,
        paths,
        missing,
        own,
        skip_bad,
        need_labels,
        features,
        label_type,
        model_labels,
    )
    X = collected(X)
    if type(X) is np.ndarray:
        return in_memory.from_array_or_list(X, how)
    for fits, reader in READERS:
        if fits(X):
            chunk = reader(X, how)
            if y is None and chunk.labels is not None:
                chunk.labels = of_type(chunk.labels, label_type)
            return chunk
    raise DataError(
        f"X is a {type(X).__name__}; expected an array, a list of images or paths, a data frame, "
        "a data set, or the path of a folder or file."
    )


def collected(X: Any) -> Any:
    """A lazy frame (of Polars) as the frame that it gives; anything else as it is."""
    return X.collect() if hasattr(X, "collect") and hasattr(X, "collect_schema") else X


def _again(x: Chunk, how: ReadOptions) -> Chunk:
    if x.labels is None and how.need_labels:
        raise no_labels_error()
    return x


def _tuple(values: tuple[Any, ...], how: ReadOptions) -> Chunk:
    """(X, y), or the paths of two idx files; else like a list."""
    if how.y is None and len(values) == 2:
        if all(isinstance(v, str | Path) and idx.is_idx(Path(v)) for v in values):
            return from_idx((Path(values[0]), Path(values[1])), how)
        counted = all(hasattr(v, "__len__") and not isinstance(v, str) for v in values)
        if counted and np.ndim(values[1]) == 1 and len(values[0]) == len(values[1]):
            return read(*values, text=how.text, own=how.own, skip_bad=how.skip_bad)
    return in_memory.from_list(list(values), how)


def _no_order(x: Any, how: ReadOptions) -> Chunk:
    if hasattr(x, "column_names"):  # Hugging Face's DatasetDict
        raise DataError(f"X is a set of data sets ({', '.join(map(str, x))}); pass one of them.")
    raise DataError(
        f"X is a {type(x).__name__}; pass X and y apart, or a data frame (pandas.DataFrame(X))."
    )


def _sparse(x: Any, how: ReadOptions) -> Chunk:
    raise DataError(
        "Sparse data was passed for X, but dense data is required. Use '.toarray()' to convert "
        "to a dense numpy array."
    )


def _has(*names: str) -> Callable[[Any], bool]:
    return lambda x: all(hasattr(x, name) for name in names)


# A new kind of data in memory: a function in a file of readers/, and its line here, before those
# that would take it too: the first that fits reads it. Files: `files_and_folders.FILE_READERS`.
READERS: tuple[tuple[Callable[[Any], bool], Callable[[Any, ReadOptions], Chunk]], ...] = (
    (lambda x: isinstance(x, str | Path), from_path),
    (lambda x: isinstance(x, Chunk), _again),
    (lambda x: is_torch(x, "", "Tensor"), from_tensor),
    (lambda x: isinstance(x, list), in_memory.from_list),
    (lambda x: isinstance(x, tuple), _tuple),
    (lambda x: isinstance(x, dict | set | bytes), _no_order),
    (single_samples.is_pil, lambda x, how: in_memory.from_list([x], how)),
    (_has("toarray", "nnz"), _sparse),
    (_has("iloc", "columns"), from_frame),
    (lambda x: is_torch(x, "utils.data", "DataLoader"), from_iterable),
    (lambda x: is_torch(x, "utils.data", "IterableDataset"), from_iterable),
    (_has("features", "column_names", "__getitem__", "__len__"), from_dataset),
    (_has("to_pandas", "columns"), from_frame),
    (_has("to_numpy"), lambda x, how: in_memory.from_array_or_list(np.asarray(x.to_numpy()), how)),
    (lambda x: isinstance(x, np.ma.MaskedArray), in_memory.from_array_or_list),
    (_has("__array__"), lambda x, how: in_memory.from_array_or_list(np.asarray(x), how)),
    (_has("__getitem__", "__len__"), from_dataset),
    (_has("__iter__"), from_iterable),
)
