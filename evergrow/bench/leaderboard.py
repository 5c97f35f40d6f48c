"""Tables of a benchmark, a scenario each: mean and spread over seeds, last and average together.

The floor (finetune) and the ceiling (joint) are marked; they belong beside every number.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from ..formatting import size, spread
from ..model.recall import mean
from .results import Results, Row

COLUMNS_SHOWN = "method", "backbone", "last", "average", "forgetting", "seconds", "kept", "seeds"
HEADER = (
    "method",
    "backbone",
    "last",
    "average",
    "forgetting",
    "old",
    "new",
    "mean recall",
    "calibration error",
    "seconds",
    "peak memory",
    "kept",
    "seeds",
)
SHARES = "last average forgetting old new mean_recall calibration_error".split()
LEGEND = (
    "Percent, mean ± standard deviation over seeds. last: accuracy on all test samples at the end; "
    "average: mean over tasks of the accuracy so far; old, new: last, without the last task and of "
    "it alone; kept: bytes of the model with what it remembers."
)


def write_markdown(results: Results) -> None:
    """`table.md` of all rows in a folder."""
    results.write("table.md", markdown(results.rows()))


def ranked(rows: Sequence[Row]) -> dict[str, list[tuple[str, list[Row]]]]:
    """For each scenario its methods, the best last accuracy first: (name, rows over the seeds).

    Names say what a method has unlike others of its kind on the same backbone.
    """
    by_scenario: dict[str, list[tuple[str, list[Row]]]] = {}
    for place, members in _grouped(rows, ("scenario", "data")).items():
        groups = list(_grouped(members, ("method", "settings", "backbone", "parameters")).values())
        groups.sort(key=lambda group: -(mean_of(group, "last") or 0))
        named = [(_name(group[0], groups), group) for group in groups]
        by_scenario.setdefault(json.loads(place)[0], []).extend(named)
    return by_scenario


def tables(rows: Sequence[Row]) -> dict[str, list[tuple[str | None, list[str]]]]:
    """For each scenario, what its table holds: (role, cells), the best last accuracy first."""
    return {
        scenario: [(group[0]["role"], _cells(name, group)) for name, group in groups]
        for scenario, groups in ranked(rows).items()
    }


def markdown(rows: Sequence[Row]) -> str:
    """The tables in Markdown."""
    parts = []
    for scenario, body in tables(rows).items():
        lines = [f"## {scenario}", "", _line(HEADER), _line("---" for _ in HEADER)]
        lines += [_line(cell.replace("|", "\\|") for cell in cells) for _, cells in body]
        parts.append("\n".join(lines))
    return "\n\n".join([*parts, LEGEND]) + "\n"


def mean_of(rows: Sequence[Row], column: str) -> float | None:
    """The mean of a column over the rows that have it; None where none has."""
    return mean([row[column] for row in rows])


def _name(row: Row, groups: Sequence[Sequence[Row]]) -> str:
    remarks = ", ".join([*([row["role"]] if row["role"] else []), *_unlike(row, groups)])
    return f"{row['method']} ({remarks})" if remarks else str(row["method"])


def _cells(name: str, group: Sequence[Row]) -> list[str]:
    """A line of a table: one method over its seeds."""
    return [
        name,
        group[0]["backbone"],
        *(spread([row[name] for row in group]) for name in SHARES),
        spread([row["seconds"] for row in group], 1),
        size(mean_of(group, "peak_bytes")),
        size(mean_of(group, "bytes_kept")),
        str(len(group)),
    ]


def _unlike(row: Row, groups: Sequence[Sequence[Row]]) -> list[str]:
    """Settings in which a row differs from others of the same method and backbone, in words."""
    alike = [g[0] for g in groups if (g[0]["method"], g[0]["backbone"]) == _who(row)]
    mine = _flat(row)
    values = {key: {json.dumps(_flat(other).get(key)) for other in alike} for key in mine}
    return [f"{key}={mine[key]}" for key, alternatives in values.items() if len(alternatives) > 1]


def _who(row: Row) -> tuple[str, str]:
    return row["method"], row["backbone"]


def _flat(row: Row) -> dict[str, Any]:
    """Settings and parameters of a row in one dict; those of the backbone as `backbone.key`."""
    parameters = dict(row["parameters"])
    own = parameters.pop("backbone", {})
    return {**row["settings"], **parameters, **{f"backbone.{k}": v for k, v in own.items()}}


def _grouped(rows: Iterable[Row], names: Sequence[str]) -> dict[str, list[Row]]:
    """Rows that agree in these columns, in the order of the first of each."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(json.dumps([row[name] for name in names], sort_keys=True), []).append(row)
    return groups


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
