"""The report of a folder of results: methods side by side, a part for each scenario."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...bench import leaderboard
from ...bench.accuracy_matrix import accuracies
from ...bench.leaderboard import mean_of
from ...bench.results import Row
from ...errors import DataError
from ...formatting import listed, spread
from ...model.recall import mean
from . import charts
from .html import Page, Section, Table

Seeds = dict[str, list[Row]]  # rows by name, one a seed


def page(name: str, rows: Sequence[Row]) -> Page:
    """Benchmark rows side by side.  Raises DataError without any."""
    if not rows:
        raise DataError(f"{name} has no finished rows; run evergrow bench first.")
    scenarios = leaderboard.ranked(rows)
    tiles = [
        ("scenarios", str(len(scenarios))),
        ("methods", str(len({row["method"] for row in rows}))),
        ("runs", str(len(rows))),
    ]
    sections: list[Section] = []
    for scenario, groups in scenarios.items():
        sections += _scenario(scenario, groups)
    last = rows[-1]
    commit = f", commit {last['commit'][:10]}" if last["commit"] else ""
    machine = ", ".join(f"{key} {value}" for key, value in last["machine"].items())
    subtitle = f"{name}: evergrow {last['version']}{commit}; {machine}."
    return Page(f"Benchmark: {listed(list(scenarios))}", subtitle, tiles, sections)


def tables_page(rows: Sequence[Row]) -> Page:
    """The tables alone, with nothing that needs an extra: `table.html` in a folder of results."""
    sections = [
        Section(scenario, table=_marked(body))
        for scenario, body in leaderboard.tables(rows).items()
    ]
    return Page("evergrow bench", leaderboard.LEGEND, [], sections)


def _marked(body: Sequence[tuple[str | None, list[str]]]) -> Table:
    header = leaderboard.HEADER
    marks = [role or "" for role, _ in body]
    return Table(header, [cells for _, cells in body], range(2, len(header)), marks)


def _scenario(scenario: str, groups: Sequence[tuple[str, list[Row]]]) -> list[Section]:
    names = [name for name, _ in groups]
    by_name = {
        name if names.count(name) == 1 else f"{name} on {seeds[0]['backbone']}": seeds
        for name, seeds in groups
    }
    seen = {name: _over_tasks(seeds) for name, seeds in by_name.items()}
    tasks = [str(k + 1) for k in range(max(map(len, seen.values())))]
    line = charts.lines("Accuracy on all classes so far", ("task", ""), tasks, seen)
    cost = {n: (mean_of(s, "seconds"), mean_of(s, "last")) for n, s in by_name.items()}
    spent = charts.scatter("Last accuracy and cost", ("seconds (logarithmic)", ""), cost)
    return [
        Section(
            scenario,
            "Percent, mean ± standard deviation over seeds.",
            [line, spent],
            _table(by_name),
        ),
        Section(f"{scenario}: accuracy matrices", _MATRIX, _matrices(by_name)),
        Section(f"{scenario}: classes and calibration", "", _classes(by_name)),
    ]


_MATRIX = "Rows: after learning a task; columns: accuracy on the test samples of each task."


def _table(by_name: Seeds) -> Table:
    shares = ("last", "average", "forgetting", "old", "new", "calibration_error")
    header = ["method", "seeds", *(key.replace("_", " ") for key in shares), "seconds", "lr"]
    rows = [
        [
            name,
            len(seeds),
            *(spread([row[key] for row in seeds]) for key in shares),
            f"{mean_of(seeds, 'seconds'):.1f}",
            ", ".join(dict.fromkeys(f"{s['lr']:g}" for s in seeds if s["lr"] is not None)) or "-",
        ]
        for name, seeds in by_name.items()
    ]
    return Table(header, rows, range(1, len(header)))


def _matrix(seeds: Sequence[Row]) -> np.ndarray:
    """(tasks, tasks) mean accuracy over seeds, NaN where it was not measured."""
    return np.mean([np.array(row["matrix"], dtype=float) for row in seeds], axis=0)  # type: ignore[no-any-return]


def _over_tasks(seeds: Sequence[Row]) -> list[float | None]:
    """Accuracy on all tasks so far, after each, the mean over seeds."""
    values = np.mean([accuracies(row["matrix"], row["sizes"]) for row in seeds], axis=0)
    return [None if np.isnan(value) else float(value) for value in values]


def _matrices(by_name: Seeds) -> list[Any]:
    maps = []
    for name, seeds in by_name.items():
        cells = [[None if np.isnan(v) else float(v) for v in row] for row in _matrix(seeds)]
        tasks = [f"task {k + 1}" for k in range(len(cells))]
        maps.append(charts.heat(name, ("", "after"), tasks, tasks, cells))
    return maps


def _classes(by_name: Seeds) -> list[Any]:
    labels = sorted(
        {label for seeds in by_name.values() for row in seeds for label in row["per_class"]}
    )
    cells = [[_recall(seeds, label) for label in labels] for seeds in by_name.values()]
    curves = {
        name: seeds[0]["calibration"] for name, seeds in by_name.items() if seeds[0]["calibration"]
    }
    return [
        charts.heat(
            "Recall of each class, after the last task", ("", ""), labels, list(by_name), cells
        ),
        charts.calibration_curves(curves),
    ]


def _recall(seeds: Sequence[Row], label: str) -> float | None:
    return mean([row["per_class"].get(label) for row in seeds])
