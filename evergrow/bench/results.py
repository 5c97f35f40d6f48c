"""Finished rows of a benchmark on disk: one small file each, and tables made of all of them."""

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from ..storage import durable_files

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]

COLUMNS = """scenario data method settings backbone parameters role seed lr tuning last average
forgetting backward forward old new mean_recall calibration_error seconds peak_bytes bytes_kept
matrix sizes per_class calibration confusion warnings advice version commit dirty machine time key
""".split()
JSON = """settings parameters tuning matrix sizes per_class calibration confusion warnings advice
machine""".split()


class Results:
    """A folder of rows.  Several processes may write into it at once.

    A row is written beside its place and renamed: whatever happens, it is there whole or not at
    all. `rows.parquet` and `rows.csv` are made of the files in rows/ and may be deleted.
    """

    def __init__(self, folder: str | os.PathLike[str]):
        self.folder = Path(folder)

    def prepare(self) -> None:
        """Make the folder.  Raises DataError where its path is a file."""
        try:
            (self.folder / "rows").mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise DataError(
                f"{self.folder} is to be a folder of results, and a file is in its way; name "
                "another with -o."
            ) from None

    def find(self, key: str) -> Row | None:
        """The finished row of this key, or None."""
        path = self._path(key)
        return _read(path) if path.exists() else None

    def keep(self, row: Row) -> None:
        """Put a finished row on disk, for good."""
        path = self._path(row["key"])
        beside = path.with_suffix(f".{os.getpid()}.part")
        durable_files.remove(beside)
        durable_files.write_file(beside, json.dumps(row, indent=1).encode())
        durable_files.rename(beside, path)

    def rows(self) -> list[Row]:
        """All finished rows, in the order in which they were finished."""
        rows = [_read(path) for path in (self.folder / "rows").glob("*.json")]
        return sorted(rows, key=lambda row: (row["time"], row["key"]))

    def write(self, name: str, text: str) -> None:
        """A file of the folder, replaced in one step."""
        self._replace(name, lambda path: path.write_text(text, encoding="utf-8"))

    def write_tables(self) -> None:
        """`rows.parquet` and `rows.csv`, anew from all rows there are."""
        table = frame(self.rows())
        self._replace("rows.parquet", lambda path: table.to_parquet(path, index=False))
        self._replace("rows.csv", lambda path: table.to_csv(path, index=False))

    def _path(self, key: str) -> Path:
        return self.folder / "rows" / f"{key}.json"

    def _replace(self, name: str, write: Any) -> None:
        beside = self.folder / f"{name}.{os.getpid()}.part"
        try:
            write(beside)
            os.replace(beside, self.folder / name)
        finally:
            with contextlib.suppress(FileNotFoundError):
                beside.unlink()


def frame(rows: Sequence[Row]) -> "pd.DataFrame":
    """Rows as a table of `COLUMNS`; lists and dicts as JSON.

    >>> row = dict.fromkeys(COLUMNS) | {"method": "er", "settings": {"memory": 200}}
    >>> frame([row])["settings"].tolist()
    ['{"memory": 200}']
    """
    import pandas as pd

    table = pd.DataFrame([[row[name] for name in COLUMNS] for row in rows], columns=COLUMNS)
    for name in JSON:
        table[name] = [json.dumps(value) for value in table[name]]
    return table


def _read(path: Path) -> Row:
    try:
        row: Row = json.loads(path.read_bytes())
        if set(COLUMNS) - set(row):
            raise ValueError(f"it has no {min(set(COLUMNS) - set(row))}")
        return row
    except (OSError, ValueError, TypeError) as error:
        raise DataError(
            f"{path} is not a row of a benchmark ({error}); delete it, and it is run again."
        ) from error
