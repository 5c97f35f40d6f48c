"""Files that hold tables -> data frames: CSV, TSV, Parquet, JSON lines, plain or gzipped."""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import DataError, EvergrowError
from . import written_numbers
from .limited_files import (
    OF_TEXT,
    limit,
    open_limited,
    read_limited,
    refuse_special,
    too_large,
)

if TYPE_CHECKING:
    import pandas as pd

CSV, LINES, PARQUET = (".csv", ".tsv"), (".jsonl", ".ndjson", ".json"), (".parquet", ".pq")
ENDINGS = (*CSV, *LINES, *PARQUET)
MISSING = ["", *"NA N/A n/a #N/A <NA> NaN nan -NaN -nan NULL null None".split()]  # cells
ROWS_AT_ONCE = 65_536
LONGEST_HEADER = 1 << 24  # bytes of the line that names the columns
NONE = "\x1f"  # stands between the columns of a table that has one
AsText = Callable[[Iterable[str]], Collection[str]]


def suffix(path: Path) -> str:
    """The last suffix but for .gz, in lower case."""
    return Path(path.name.lower().removesuffix(".gz")).suffix


def read_frame(
    path: Path, as_text: AsText, missing: Sequence[str] = ()
) -> tuple["pd.DataFrame", list[str]]:
    """The table in a file, and notes on how its cells are read.

    as_text: given the columns of a CSV file, names those whose cells stay as they are written.
    missing: cells that say that something is missing, beside those that always do.
    Raises DataError where the file is missing, cannot be read, or holds no rows.
    """
    try:
        frame, notes = _read(path, as_text, missing)
    except (EvergrowError, MemoryError):
        raise
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text ({error}); save it as UTF-8.") from error
    except Exception as error:  # pandas and Arrow raise anything on broken data
        reason = " ".join(str(error).split())
        raise DataError(
            f"{path} cannot be read as {suffix(path)[1:]} ({reason}); mend it."
        ) from error
    if not len(frame) or not len(frame.columns):
        raise DataError(f"Found array with 0 sample(s): {path} holds no rows; pass one with rows.")
    return frame, notes


def _read(path: Path, as_text: AsText, missing: Sequence[str]) -> tuple["pd.DataFrame", list[str]]:
    import pandas as pd

    if suffix(path) in PARQUET:
        return _read_parquet(path), []
    if suffix(path) in LINES:
        return _read_lines(path), []
    separator = _separator(path)

    def read(**options: Any) -> "pd.DataFrame":
        with open_limited(path, OF_TEXT) as file:
            frame: pd.DataFrame = pd.read_csv(
                file, sep=separator, encoding="utf-8-sig", skipinitialspace=True, **options
            )
        return frame

    columns = read(nrows=0).columns
    written = as_text(columns)
    empty = {column: [*MISSING, *missing] for column in columns if column not in written}
    how = {"na_values": empty, "keep_default_na": False}
    as_they_are = {column: str for column in written}
    frame = read(dtype=as_they_are, low_memory=False, **how)  # one type for a whole column

    def reread(some: list[str]) -> "pd.DataFrame":
        return read(dtype=str, usecols=some, **how)

    return frame, written_numbers.recognise(frame, written, separator, reread)


def _separator(path: Path) -> str:
    """What stands between the columns of a CSV file, seen in its first line."""
    with open_limited(path) as file:
        head = file.readline(LONGEST_HEADER).decode("utf-8-sig")
    if not head.strip():
        raise DataError(
            f"Found array with 0 sample(s): {path} is empty; its first line should name columns."
        )
    if suffix(path) == ".tsv":
        return "\t"
    likeliest = max(",;\t", key=head.count)
    return likeliest if likeliest in head else NONE


def _read_parquet(path: Path) -> "pd.DataFrame":
    """The table, a batch at a time up to the limit: a few bytes may stand for many rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    most, batches = limit(), []
    refuse_special(path)
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(
            ROWS_AT_ONCE, use_threads=False
        ):  # as `durable_files.read_table`
            batches.append(batch)
            most -= max(batch.nbytes, batch.num_rows * batch.num_columns)
            if most < 0:
                raise too_large(path)
        table = pa.Table.from_batches(batches, file.schema_arrow)
    return table.to_pandas(use_threads=False)  # type: ignore[no-any-return]


def _read_lines(path: Path) -> "pd.DataFrame":
    """JSON lines, or one JSON list of objects."""
    import pandas as pd

    text = read_limited(path, OF_TEXT).decode("utf-8-sig")
    if text.lstrip().startswith("["):
        rows = json.loads(text)
    else:
        lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
        rows = [_object(path, number, line) for number, line in lines]
    if not all(isinstance(row, dict) for row in rows):
        raise DataError(
            f'{path} should hold one object for each sample, such as {{"label": "cat", ...}}.'
        )
    return pd.DataFrame(rows, dtype=object).infer_objects()


def _object(path: Path, number: int, line: str) -> object:
    try:
        return json.loads(line)
    except ValueError as error:
        raise DataError(f"{path}, line {number} is not JSON: {error}.") from error
