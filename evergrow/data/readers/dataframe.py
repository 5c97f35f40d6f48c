"""Data frames of pandas, Arrow, Polars -> a chunk: a table, texts, cells with images or vectors."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DataError
from ...formatting import listed
from .. import labels
from ..label_type import ModelLabels
from . import arrays

if TYPE_CHECKING:
    import pandas as pd
from dataclasses import replace

from ..dataset import Chunk, Frame, Rows, Seen
from . import table_files
from .in_memory import from_list
from .path_cells import are_paths
from .read_options import ReadOptions, empty_error, make_chunk

LABEL_COLUMNS = "label", "labels", "class", "target", "y"  # columns of labels, unless one is named


COLUMNS_LISTED = 20  # columns listed by a message


MIXED = "number", "text", "category", "date"  # kinds of columns that make up a table


@dataclass
class Columns:
    """A table taken apart: labels, if it has any, and records of one of four kinds.

    table: (n, d) float32, with column names.  mixed: columns of several kinds, or with cells that
    are missing, as they are.  texts: n str.  cells: n paths, images or arrays.
    """

    labels: np.ndarray | None = None
    names: tuple[str, ...] = ()
    table: np.ndarray | None = None
    mixed: "pd.DataFrame | None" = None
    texts: list[str] | None = None
    cells: list[Any] | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class WantedColumns:
    """Which columns are what, as far as it is known.

    label, text, paths: names of columns.  look: whether labels are in the table.
    need: whether they must be there.  features: columns that do not hold them.
    where: the table's name in messages.  base: folder that relative image paths start from.
    from_file, from_text: whether they were read from a file, and labels are text, as written there.
    label_type: what labels are to become.
    sure: whether the user says that these are labels, whatever they look like.
    """

    label: str | None = None
    text: str | None = None
    paths: str | None = None
    look: bool = True
    need: bool = True
    features: Sequence[str] = ()
    where: str = "X"
    base: Path = Path()
    from_file: bool = False
    from_text: bool = False
    label_type: ModelLabels = None
    sure: bool = False


def label_column(columns: Iterable[Any], wanted: WantedColumns) -> Any:
    """The column of labels, or None: the one named, else label, labels, class, target or y.

    >>> label_column(["x", "Class", "y"], WantedColumns())
    'Class'
    >>> label_column(["x", "y"], WantedColumns(features=["x", "y"]))
    """
    columns = list(columns)
    if wanted.label is not None:
        return next((column for column in columns if str(column) == wanted.label), None)
    if wanted.look:
        for name in LABEL_COLUMNS:
            for column in columns:
                if str(column).lower() == name and str(column) not in wanted.features:
                    return column
    return None


def take_apart(frame: "pd.DataFrame", wanted: WantedColumns) -> Columns:
    """Labels and records of a data frame.  Raises DataError where a column is missing or no use."""
    name = label_column(frame.columns, wanted)
    of_rows = _labels(frame, name, wanted)
    unnamed = [c for c in frame.columns[:1] if wanted.from_text and str(c) == "Unnamed: 0"]
    rest = frame.drop(columns=[*unnamed, *([] if name is None else [name])])
    if not len(rest.columns):
        beside = "" if name is None else f" beside {name!r}"
        raise DataError(f"Found array with 0 feature(s): {wanted.where} has no column{beside}.")
    columns = _records(rest, wanted)
    columns.labels = of_rows
    if unnamed:
        columns.notes.append("the first column has no name (row numbers?): not used")
    return columns


def _records(rest: "pd.DataFrame", wanted: WantedColumns) -> Columns:
    """What is in a frame without labels."""
    if wanted.text is not None:
        return _as_texts(rest, wanted.text, wanted)
    names = tuple(map(str, rest.columns))
    if wanted.paths is not None:
        return _as_cells(rest, _place(names, wanted.paths, "paths", wanted), "path", wanted)
    kinds = [_kind(rest.iloc[:, i], wanted) for i in range(len(rest.columns))]
    if set(kinds) == {"number"} and not rest.isna().to_numpy().any():
        return Columns(names=names, table=arrays.rows(rest.to_numpy(), names))
    for kind in ("cell", "path"):
        if kinds.count(kind) == 1:
            return _as_cells(rest, kinds.index(kind), kind, wanted)
    if kinds == ["text"]:
        return _as_texts(rest, str(rest.columns[0]), wanted)
    strange = [c for c, kind in zip(rest.columns, kinds, strict=True) if kind not in MIXED]
    if not strange:
        return Columns(names=names, mixed=rest)
    raise DataError(
        f"{wanted.where}: the columns {listed(strange, COLUMNS_LISTED)} hold no numbers, "
        "categories, dates or texts; convert them, leave them out, or name the one that "
        "holds texts with text= (--text)."
    )


def _labels(frame: "pd.DataFrame", name: Any, wanted: WantedColumns) -> np.ndarray | None:
    if name is None:
        if wanted.label is None and not (wanted.look and wanted.need):
            return None
        expected = (
            repr(wanted.label)
            if wanted.label
            else f"{', '.join(LABEL_COLUMNS[:-1])} or {LABEL_COLUMNS[-1]}"
        )
        raise DataError(
            f"{wanted.where} has no label column (expected {expected}); its columns are: "
            f"{listed(list(frame.columns), COLUMNS_LISTED)}. Name the one that holds the labels "
            "with label= (--label)."
        )
    column = frame[name]
    if column.ndim > 1:
        raise DataError(f"{wanted.where} has several columns named {name!r}; rename all but one.")
    values = column
    if wanted.from_text:
        values = labels.from_text(column.tolist(), wanted.label_type)
        if not wanted.sure:
            labels.refuse_quantities(values, f"column {name!r} of {wanted.where}")
    elif wanted.label_type == "text":
        values = labels.as_text(column.tolist())
    cleaned = labels.clean_labels(values, f"column {name!r} of {wanted.where}")
    if wanted.from_file:
        cleaned = labels.of_file(cleaned)
    return labels.of_type(cleaned, wanted.label_type)


def _kind(column: "pd.Series[Any]", wanted: WantedColumns) -> str:
    """number, category, date, path (of an image), text, cell (an image or array), or its dtype."""
    import pandas as pd

    types = pd.api.types
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "category"
    if types.is_datetime64_any_dtype(column.dtype):
        return "date"
    if types.is_numeric_dtype(column.dtype) and not types.is_complex_dtype(column.dtype):
        return "number"
    if not (types.is_object_dtype(column.dtype) or types.is_string_dtype(column.dtype)):
        return str(column.dtype)
    first = next((value for value in column if not np.all(pd.isna(value))), None)
    if first is None or isinstance(first, int | float | np.number | Decimal):
        return "number"
    if isinstance(first, date):
        return "date"
    if isinstance(first, str):
        cells = [str(cell) for cell in column.dropna()]
        where = f"column {str(column.name)!r} of {wanted.where}"
        return "path" if are_paths(cells, wanted.base, where) else "text"
    return "cell"


def _place(names: Sequence[str], name: str, option: str, wanted: WantedColumns) -> int:
    """Which of the columns it is.  option: by which it was named, for messages."""
    if name not in names:
        raise DataError(
            f"{wanted.where} has no {option} column {name!r}; its columns are: "
            f"{listed(list(names), COLUMNS_LISTED)}. Name one of them with {option}= (--{option})."
        )
    return names.index(name)


def _as_texts(rest: "pd.DataFrame", name: str, wanted: WantedColumns) -> Columns:
    column = rest.columns[_place(list(map(str, rest.columns)), name, "text", wanted)]
    _refuse_missing(rest[column], "texts", wanted)
    return Columns(texts=[str(text) for text in rest[column]], notes=_unused(rest, column))


def _as_cells(rest: "pd.DataFrame", i: int, kind: str, wanted: WantedColumns) -> Columns:
    _refuse_missing(rest.iloc[:, i], f"images in column {str(rest.columns[i])!r}", wanted)
    cells = rest.iloc[:, i].tolist()
    if kind == "path":
        cells = [wanted.base / str(cell) for cell in cells]
    return Columns(cells=cells, notes=_unused(rest, rest.columns[i]))


def _refuse_missing(column: "pd.Series[Any]", what: str, wanted: WantedColumns) -> None:
    missing = column.isna().to_numpy()
    if missing.any():
        raise DataError(
            f"{wanted.where}: {missing.sum()} of {len(missing)} {what} are missing (first: row "
            f"{missing.argmax()}); fill them or leave these rows out."
        )


def _unused(rest: "pd.DataFrame", used: Any) -> list[str]:
    others = [column for column in rest.columns if column != used]
    return [f"columns not used: {listed(others, COLUMNS_LISTED)}"] if others else []


def from_frame(
    frame: Any, how: ReadOptions, path: Path | None = None, notes: Sequence[str] = ()
) -> Chunk:
    """A chunk of a data frame of pandas, Arrow or Polars.  path: of the file it was read from."""
    if not hasattr(frame, "iloc"):
        frame = frame.to_pandas()
    if not len(frame):
        raise empty_error()
    columns = take_apart(frame, _wanted(how, path))
    columns.notes += notes
    where = "" if path is None else f" of {path.name}"
    if columns.table is not None:
        seen = Seen("table", shape=columns.table.shape[1:], names=columns.names)
        return make_chunk(seen, Rows(columns.table, where), how, columns.labels, columns.notes)
    if columns.mixed is not None:
        shape = (len(columns.names),)
        seen = Seen("table", shape=shape, names=columns.names, mixed=True)
        return make_chunk(seen, Frame(columns.mixed, where), how, columns.labels, columns.notes)
    if columns.texts is not None:
        return make_chunk(
            Seen("text"), Rows(columns.texts, where), how, columns.labels, columns.notes
        )
    chunk = from_list(columns.cells or [], how, columns.labels)
    chunk.notes += columns.notes
    return chunk


def _wanted(how: ReadOptions, path: Path | None) -> WantedColumns:
    wanted = WantedColumns(how.label, how.text, how.paths, how.y is None, how.need, how.features)
    if path is None:
        return wanted
    as_written = table_files.suffix(path) in table_files.CSV
    wanted = replace(wanted, where=str(path), base=path.parent, from_file=True)
    kind = how.label_type or how.model_labels
    sure = how.label_type is not None
    return replace(wanted, from_text=as_written, label_type=kind, sure=sure)


def read_file(path: Path, how: ReadOptions) -> Chunk:
    """A chunk of the table in a file.  Raises DataError."""
    wanted = WantedColumns(how.label, look=how.y is None, features=how.features)

    def as_text(columns: Iterable[str]) -> list[str]:
        names = how.text, how.paths, label_column(columns, wanted)
        return [column for column in columns if column in names]

    frame, notes = table_files.read_frame(path, as_text, how.missing)
    return from_frame(frame, how, path, notes)
