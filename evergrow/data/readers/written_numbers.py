"""Numbers as people and programs write them in a CSV file: 36,6 and 1.234,5 and 1,234 and "?"."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...formatting import listed

if TYPE_CHECKING:
    import pandas as pd

SIGNED = r"[-+\u2212]?"
PLAIN = rf"{SIGNED}(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?"
DECIMAL_COMMA = rf"{SIGNED}(\d+|\d{{1,3}}([. \u00a0\u202f']\d{{3}})+)(,\d+)?([eE][-+]?\d+)?"
GROUPED = rf"{SIGNED}\d{{1,3}}([, \u00a0\u202f']\d{{3}})*(\.\d+)?"
POINTED = rf"{SIGNED}(0|[1-9]\d{{0,2}}(\.\d{{3}})*)"  # 1.234 and 980, read as 1234 and 980
EMPTY = {"?", "-", "--", "---", ".", "..", "n.a.", "N.A.", "n.d.", "\u2013", "\u2014"}  # of numbers
MOSTLY = 0.5  # share of a column's cells that are numbers, above which it may be meant as such
CELLS_LISTED, COLUMNS_LISTED = 4, 10  # that a note shows
LOOKED_AT = 200  # cells that tell whether a column may hold numbers


@dataclass
class Columns:
    """Which columns were read how: by decimal comma, by grouping comma, with cells as missing."""

    decimal: list[str]
    grouped: list[str]
    notes: list[str]


def recognise(
    frame: "pd.DataFrame",
    as_written: Collection[str],
    separator: str,
    reread: Callable[[list[str]], "pd.DataFrame"],
) -> list[str]:
    """Turn columns of text that holds numbers into numbers, in place; notes say which, and how.

    as_written: columns that stay.  separator: of the file's columns: where it is a semicolon,
    numbers that can be read both ways (1,234) have a decimal comma.  reread: gives these columns as
    the file has them.
    """
    import pandas as pd

    found = Columns([], [], [])
    types = pd.api.types
    others = [name for name in frame.columns if name not in as_written]
    texts = [name for name in others if not types.is_numeric_dtype(frame[name])]
    cells = {name: _texts(frame[name]) for name in texts if _may_hold_numbers(frame[name])}
    surely = any(_is(c, DECIMAL_COMMA) and not _is(c, GROUPED) for c in cells.values())
    points = [name for name in others if types.is_float_dtype(frame[name])] if surely else []
    if points:  # 1.234 beside 36,6 is 1234
        written = reread(points)
        groups = {name: _texts(written[name]) for name in points}
        grouped = {name: c for name, c in groups.items() if c.str.contains(".", regex=False).any()}
        cells |= {name: c for name, c in grouped.items() if _is(c, POINTED)}
    for name, column in cells.items():
        read = _as_numbers(name, column, separator == ";" or surely, found)
        if read is not None:
            frame[name] = read
    ways = ("decimal commas (36,6 is 36.6)", found.decimal), ("grouped digits", found.grouped)
    shown = [
        f"numbers with {way}: columns {listed(some, COLUMNS_LISTED)}" for way, some in ways if some
    ]
    return [*shown, *found.notes]


def _as_numbers(
    name: str, cells: "pd.Series[Any]", comma: bool, found: Columns
) -> "pd.Series[Any] | None":
    """A column as numbers; None where it is none.  comma: 1,234 is read with a decimal comma."""
    import pandas as pd

    there = cells.dropna()
    rest = there[~there.map(_looks_like_number)]
    if not len(there) or len(rest) >= MOSTLY * len(there):
        return None
    others = sorted(set(rest) - EMPTY)
    if others:
        found.notes.append(
            f"column {name!r} holds numbers but for {len(rest)} of {len(there)} cells "
            f"({_quoted(others)}): read as categories; --missing {others[0]!r} reads a cell as "
            "missing, and numbers as numbers"
        )
        return None
    if len(rest):
        found.notes.append(
            f"column {name!r}: {len(rest)} of {len(there)} cells ({_quoted(sorted(set(rest)))}) "
            "are read as missing"
        )
        cells = cells.where(~cells.isin(EMPTY))
    kind = _kind(cells.dropna(), comma)
    if not kind:
        found.notes.append(
            f"column {name!r} writes numbers in several ways: read as categories; write them alike"
        )
        return None
    {"decimal": found.decimal, "grouped": found.grouped}.get(kind, []).append(name)
    plain = cells.str.replace("\u2212", "-")
    if kind == "decimal":
        plain = plain.str.replace(r"[. \u00a0\u202f']", "", regex=True).str.replace(",", ".")
    elif kind == "grouped":
        plain = plain.str.replace(r"[, \u00a0\u202f']", "", regex=True)
    return pd.to_numeric(plain)


def _kind(there: "pd.Series[Any]", comma: bool) -> str:
    """How all of these cells are written: plain, decimal, grouped; "" where not in one way."""
    pointed = comma and _is(there, POINTED) and bool(there.str.contains(".", regex=False).any())
    if _is(there, PLAIN) and not pointed:
        return "plain"
    ways = [("decimal", DECIMAL_COMMA), ("grouped", GROUPED)]
    fitting = [kind for kind, pattern in ways if _is(there, pattern)]
    if len(fitting) < 2:
        return "".join(fitting)
    return "decimal" if comma else "grouped"


def _may_hold_numbers(column: "pd.Series[Any]") -> bool:
    """Whether some of its cells look like numbers: a look that texts are spared the rest by."""
    there = _texts(column.dropna().iloc[:: max(1, len(column) // LOOKED_AT)])
    return bool(len(there)) and bool(there.map(_looks_like_number).mean() > MOSTLY / 2)


def _texts(column: "pd.Series[Any]") -> "pd.Series[Any]":
    return column.astype(object).map(lambda cell: str(cell).strip(), na_action="ignore")


def _is(cells: "pd.Series[Any]", pattern: str) -> bool:
    there = cells.dropna()
    return len(there) > 0 and bool(there.astype(str).str.fullmatch(pattern).all())


def _looks_like_number(cell: str) -> bool:
    return any(re.fullmatch(pattern, cell) for pattern in (PLAIN, DECIMAL_COMMA, GROUPED))


def _quoted(cells: Sequence[str]) -> str:
    return listed(list(map(repr, cells)), CELLS_LISTED)
