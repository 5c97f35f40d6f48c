"""Data frames of pandas, Arrow or Polars -> a chunk: a table, texts, or cells that are samples."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from ..dataset import Chunk, Frame, Rows, Seen
from . import dataframe, table_files
from .in_memory import from_list
from .read_options import ReadOptions, made, nothing


def from_frame(frame: Any, how: ReadOptions, path: Path | None = None) -> Chunk:
    """A chunk of a data frame of pandas, Arrow or Polars.  path: of the file it was read from."""
    if not hasattr(frame, "iloc"):
        frame = frame.to_pandas()
    if not len(frame):
        raise nothing()
    found = dataframe.take_apart(frame, _wanted(how, path))
    where = "" if path is None else f" of {path.name}"
    if found.table is not None:
        seen = Seen("table", shape=found.table.shape[1:], names=found.names)
        return made(seen, Rows(found.table, where), how, found.labels, found.notes)
    if found.mixed is not None:
        shape = (len(found.names),)
        seen = Seen("table", shape=shape, names=found.names, mixed=True)
        return made(seen, Frame(found.mixed, where), how, found.labels, found.notes)
    if found.texts is not None:
        return made(Seen("text"), Rows(found.texts, where), how, found.labels, found.notes)
    chunk = from_list(found.cells or [], how, found.labels)
    chunk.notes += found.notes
    return chunk


def _wanted(how: ReadOptions, path: Path | None) -> dataframe.Wanted:
    wanted = dataframe.Wanted(how.label, how.text, how.y is None, how.need, how.features)
    if path is None:
        return wanted
    as_written = table_files.suffix(path) in table_files.CSV
    return replace(wanted, where=str(path), base=path.parent, from_text=as_written)
