"""Methods side by side on a scenario, over several seeds: `evergrow bench`, and the same in Python.

A row is one run: one method with its settings, one backbone, one seed. A finished row is on disk at
once and is never run again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import SettingError
from ..model.options import How
from . import evaluation, execute, leaderboard, plan
from .benchmark_data import BenchmarkData
from .execute import Made
from .live_progress import SilentBoard
from .plan import Job, PlanRequest
from .results import Results
from .workload import Subject


@dataclass(frozen=True)
class Runs:
    """How often, how, and where to.

    seeds: runs of each method, with the seeds 0, 1, ...  tune: choose each row's learning rate, on
    training data held back.  jobs: rows made at once, each in a process of its own if more than
    one.  folder: where finished rows are kept; None: nowhere.
    """

    seeds: int = 3
    tune: bool = False
    jobs: int = 1
    folder: str | Path | None = None

    def __post_init__(self) -> None:
        for name in ("seeds", "jobs"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name}={getattr(self, name)}: expected 1 or more.")


def run(
    subject: Any,
    methods: Sequence[str] = ("auto",),
    how: How | None = None,
    runs: Runs = Runs(),
    board: SilentBoard | None = None,
) -> dict[str, Any]:
    """Make the rows that are not there yet.

    Returns rows, failed, already (rows that were there), skipped (bad files: path and reason), and
    folder.

    subject: a `Subject`, or the name of a scenario.  methods: names; finetune (the floor) and joint
    (the ceiling) are run beside them.  how: settings of the classifiers.  board: shows how far it
    is (`live_progress.Board`).

    A row that fails is listed in `failed` with its error, and stops no other; the next call tries
    it again.  Raises DataError, SettingError before anything is run.

    >>> answer = run("digits-5x2", ["ncm"], How({"epochs": 1}), Runs(seeds=1))
    >>> [(row["method"], row["backbone"], row["role"]) for row in answer["rows"]]
    [('ncm', 'patches', None), ('finetune', 'convnet', 'floor'), ('joint', 'convnet', 'ceiling')]
    """
    subject = subject if isinstance(subject, Subject) else Subject(subject)
    data, results = subject.load(), None if runs.folder is None else Results(runs.folder)
    keyed = _planned(subject, data, methods, how or How(), runs)
    rows: dict[str, Made] = {}
    if results is not None:
        results.prepare()
        rows = {key: row for key in keyed if (row := results.find(key)) is not None}
    missing = {key: pair for key, pair in keyed.items() if key not in rows}
    already, board = len(rows), SilentBoard() if board is None else board
    board.start(len(missing), already)
    new_rows: list[Made] = []
    try:
        for row in _made(list(missing.values()), subject, data, runs, board):
            board.step(row)
            new_rows.append(row)
    finally:
        board.close()
        if results is not None:
            results.write_tables()
            leaderboard.write_markdown(results)
    rows |= {row["key"]: row for row in new_rows if "error" not in row}
    return {
        "rows": [rows[key] for key in keyed if key in rows],
        "failed": [row for row in new_rows if "error" in row],
        "already": already,
        "skipped": [list(file) for file in data.train.skipped],
        "folder": None if runs.folder is None else str(runs.folder),
    }


def _planned(
    subject: Subject, data: BenchmarkData, methods: Sequence[str], how: How, runs: Runs
) -> dict[str, tuple[Job, int]]:
    """Jobs and seeds by key, all methods of a seed before the next seed."""
    cut = subject.cut()
    evaluation.stream(data, cut, 0)  # what cannot be cut like that is told now
    planned = plan.plan(PlanRequest(subject.name(data), data, cut, methods, how, runs.tune))
    return {job.key(seed): (job, seed) for seed in range(runs.seeds) for job in planned}


def _made(
    missing: execute.JobsAndSeeds,
    subject: Subject,
    data: BenchmarkData,
    runs: Runs,
    board: SilentBoard,
) -> Iterator[Made]:
    results = None if runs.folder is None else Results(runs.folder)
    workers = min(runs.jobs, len(missing))
    if workers > 1:
        return execute.by_processes(missing, subject, results, board, workers)
    return execute.in_turn(missing, data, results, board)
