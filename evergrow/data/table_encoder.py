"""Columns of several kinds -> rows of numbers: fitted to the first table, frozen, plain JSON.

A number becomes (x - mean) / deviation, as scikit-learn's StandardScaler has it, and a missing one
the mean, as its SimpleImputer has it; a category one column of 0 and 1 for each value, as its
OneHotEncoder has it, none for a value that is not known; a boolean -1 or 1 over the root of 2, so
that two that differ are as far apart as two categories; a date the seconds that it is after the
mean, a number, and where it stands in the year, the week and the day. Each is followed by 1 where
it was missing, whether or not the first table missed any. Nothing is fitted twice.
"""

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError

if TYPE_CHECKING:
    import pandas as pd

Fitted = list[dict[str, Any]]  # JSON: name, kind, and what was found, of each column that is used

MOST_VALUES = 100  # values of a category that are told apart: the most frequent ones
FEWEST = 20  # rows, before a column is taken for identifiers or texts
CYCLES = 365.2425 * 86400, 7 * 86400.0, 86400.0  # seconds of a year, a week, a day
ISO = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?"  # how a date is written
KINDS = {
    **dict.fromkeys(("integer", "floating", "mixed-integer-float", "decimal"), "number"),
    **dict.fromkeys(("datetime", "datetime64", "date"), "date"),
    **dict.fromkeys(("string", "categorical"), "category"),
    "boolean": "boolean",
}


def kind(column: "pd.Series[Any]") -> str:
    """number, boolean, date, category, or empty; "" for what is none of these.

    >>> import pandas as pd
    >>> kind(pd.Series([1, None])), kind(pd.Series(["2026-01-31", "2026-02-01T10:30Z", None]))
    ('number', 'date')
    """
    import pandas as pd

    if column.isna().all():
        return "empty"
    inferred = KINDS.get(pd.api.types.infer_dtype(column, skipna=True), "")
    if inferred == "category" and column.dropna().astype(str).str.fullmatch(ISO).all():
        return "date" if _seconds(column).notna().sum() == column.notna().sum() else "category"
    return inferred


def fit(frame: "pd.DataFrame") -> tuple[Fitted, list[str]]:
    """What is to be known of each column that is used, and notes of those that are not.

    Raises DataError where a column holds something else, or none is of use.
    """
    fitted: Fitted = []
    notes = []
    for name in map(str, frame.columns):
        column = _column(frame, name)
        named = kind(column)
        words = _words(column).nunique() if named == "category" else 0
        if not named:
            raise DataError(
                f"column {name!r} of X holds values of several kinds; expected numbers, booleans, "
                "dates or text in all of its rows: convert them, or leave the column out."
            )
        if named == "empty":
            notes.append(f"column {name!r} is empty: not used")
        elif words > FEWEST and words > column.notna().sum() / 2:
            notes.append(
                f"column {name!r} holds {words} values in {len(column)} rows, texts or names of "
                "rows: not used (--text reads one column of texts)"
            )
        else:
            if words > MOST_VALUES:
                notes.append(
                    f"column {name!r} holds {words} values: the {MOST_VALUES} most frequent count"
                )
            fitted.append({"name": name, "kind": named} | _found(column, named))
    if not fitted:
        raise DataError(
            f"X has no column to learn from: {'; '.join(notes)}. Pass numbers, categories or dates."
        )
    return fitted, notes


def _found(column: "pd.Series[Any]", kind: str) -> dict[str, Any]:
    """Of a category its most frequent values; else mean and deviation."""
    if kind == "category":
        counts = _words(column).value_counts()
        ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        return {"values": sorted(word for word, _ in ranked[:MOST_VALUES])}
    if kind == "boolean":
        return {"mean": 0.5, "deviation": 0.5**0.5}
    from sklearn.preprocessing import StandardScaler

    x = _numbers(column, kind)
    scaler = StandardScaler().fit(x[:, None])
    mean, deviation = float(scaler.mean_[0]), float(scaler.var_[0]) ** 0.5
    if deviation <= 1e-7 * abs(mean):  # it has not varied yet: its size is all we know
        deviation = abs(mean) or 1.0
    return {"mean": mean, "deviation": deviation or 1.0}


def width(fitted: Fitted) -> int:
    """Columns of the rows that `encode` gives."""
    return sum(len(f.get("values", "-")) + 1 + 6 * (f["kind"] == "date") for f in fitted)


def expected_distance(fitted: Fitted) -> int:
    """Half of the squared distance at which two rows are expected.

    As of a table of standardised numbers: 1 for each column, and for each cycle of a date.
    """
    return sum(1 + len(CYCLES) * (f["kind"] == "date") for f in fitted)


def in_words(fitted: Fitted) -> str:
    """What is done with the columns.

    >>> in_words([{"name": "age", "kind": "number"}, {"name": "job", "kind": "category"}])
    'columns age (number), job (category)'
    """
    names = [f"{f['name']} ({f['kind']})" for f in fitted]
    more = [f"... ({len(names)} in all)"] if len(names) > FEWEST else []
    return "columns " + ", ".join(names[:FEWEST] + more)


def encode(frame: "pd.DataFrame", fitted: Fitted) -> np.ndarray:
    """(n, width) float32 rows.  frame: columns in any order, with more or fewer rows than fitted.

    Raises DataError where a column holds something else than it did.
    """
    parts = [part for f in fitted for part in _encoded(_column(frame, f["name"]), f)]
    return np.hstack(parts).astype(np.float32)


def _encoded(column: "pd.Series[Any]", f: dict[str, Any]) -> list[np.ndarray]:
    """(n, columns) parts of one column, the last one of them 1 where it is missing."""
    missing = column.isna().to_numpy()
    flag = missing[:, None].astype(float)
    if f["kind"] == "category":
        from sklearn.preprocessing import OneHotEncoder

        values = np.array(f["values"], dtype=object)
        encoder = OneHotEncoder(categories=[values], handle_unknown="ignore", sparse_output=False)
        words = _words(column).to_numpy(dtype=object)[:, None]
        return [encoder.fit(values[:1, None]).transform(words) * (1 - flag), flag]
    x = _numbers(column, f["kind"])
    if f["kind"] != "date":
        return [np.nan_to_num((x - f["mean"]) / f["deviation"])[:, None], flag]
    turns = 2 * np.pi * x[:, None] / np.array(CYCLES)
    parts = [(x[:, None] - f["mean"]) / f["deviation"], np.sin(turns), np.cos(turns)]
    return [*map(np.nan_to_num, parts), flag]


def unseen(frame: "pd.DataFrame", fitted: Fitted) -> list[str]:
    """Which categories have values that are not told apart, in how many rows, in words."""
    notes = []
    for f in fitted:
        if f["kind"] == "category":
            column = _column(frame, f["name"])
            strange = _words(column[column.notna()])
            strange = strange[~strange.isin(f["values"])]
            if len(strange):
                words = ", ".join(map(repr, sorted(strange.unique())[:3]))
                notes.append(
                    f"column {f['name']!r}: {len(strange)} of {len(column)} rows hold values that "
                    f"the model did not begin with ({words}{', ...' * (strange.nunique() > 3)}): "
                    "they count as none of those it knows"
                )
    return notes


def odd(frame: "pd.DataFrame") -> str:
    """The first column that a table of numbers cannot have, in words."""
    for name in map(str, frame.columns):
        column = _column(frame, name)
        missing = column.isna().to_numpy()
        if missing.any():
            return f"Input X contains NaN (first: row {missing.argmax()}, column {name!r})"
        if kind(column) not in ("number", "boolean"):
            return f"column {name!r} of X does not hold numbers"
    return "X holds numbers and something else"


def _column(frame: "pd.DataFrame", name: str) -> "pd.Series[Any]":
    places = [i for i, other in enumerate(frame.columns) if str(other) == name]
    if len(places) != 1:
        raise DataError(f"X has {len(places)} columns named {name!r}; expected one: rename them.")
    return frame.iloc[:, places[0]]


def _words(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Cells as text; whole numbers without a fraction, so that 7 and 7.0 are one value."""

    def word(cell: Any) -> str:
        whole = isinstance(cell, float | np.floating) and float(cell).is_integer()
        return str(int(cell) if whole else cell)

    return column.astype(object).map(word, na_action="ignore")


def _numbers(column: "pd.Series[Any]", kind: str) -> np.ndarray:
    """(n,) float64, NaN where missing: numbers as float32 has them, dates in seconds since 1970."""
    import pandas as pd

    read = _seconds(column) if kind == "date" else pd.to_numeric(column, errors="coerce")
    x = read.to_numpy(dtype=np.float64, na_value=np.nan)
    if kind != "date":
        with np.errstate(over="ignore"):  # too large for float32: found as infinity
            x = x.astype(np.float32).astype(np.float64)
    wrong = (np.isnan(x) & column.notna().to_numpy()) | np.isinf(x)
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(
            f"column {column.name!r} holds {kind}s in this model, and {column.iloc[row]!r} is none "
            f"(row {row}); mend it, or leave it empty as missing (in a CSV file: --missing "
            f"{str(column.iloc[row])!r})."
        )
    return x


def _seconds(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Seconds since 1970; without a time zone dates count as UTC, what is no date is NaN."""
    import pandas as pd

    if not pd.api.types.is_datetime64_any_dtype(column.dtype):  # numbers are no dates
        cells = [cell if isinstance(cell, str | date) else None for cell in column]
        column = pd.Series(cells, column.index, dtype=object)
    times = pd.to_datetime(column, format="ISO8601", errors="coerce", utc=True)
    seconds: pd.Series[Any] = (times - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    return seconds
