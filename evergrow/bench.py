"""Methods side by side on a scenario, over several seeds: `evergrow bench`, and the same in Python.

A row is one run: one method with its settings, one backbone, one seed. A finished row is on disk at
once and is never run again.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from . import course, jobs, machine, progress, scoreboard, tuning
from .board import Silent
from .catalogue import Data
from .errors import EvergrowError, SettingError
from .jobs import Asked, Job
from .options import How
from .results import COLUMNS, Results, Row
from .subject import Subject

Made = dict[str, Any]  # a row; or what failed, with the key "error"
Wanted = Sequence[tuple[Job, int]]  # jobs and seeds

_data: list[Data] = []  # of a process that makes rows


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
    board: Any = None,
) -> dict[str, Any]:
    """Make the rows that are not there yet.

    Returns rows, failed, already (rows that were there), skipped (bad files: path and reason), and
    folder.

    subject: a `Subject`, or the name of a scenario.  methods: names; finetune (the floor) and joint
    (the ceiling) are run beside them.  how: settings of the classifiers.  board: shows how far it
    is (`board.Board`).

    A row that fails is listed in `failed` with its error, and stops no other; the next call tries
    it again.  Raises DataError, SettingError before anything is run.

    >>> answer = run("digits-5x2", ["ncm"], How({"epochs": 1}), Runs(seeds=1))
    >>> [(row["method"], row["backbone"], row["role"]) for row in answer["rows"]]
    [('ncm', 'patches', None), ('finetune', 'convnet', 'floor'), ('joint', 'convnet', 'ceiling')]
    """
    subject = subject if isinstance(subject, Subject) else Subject(subject)
    results = None if runs.folder is None else Results(runs.folder)
    cut, data = subject.cut(), subject.load()
    course.stream(data, cut, 0)  # what cannot be cut like that is told now
    planned = jobs.plan(Asked(subject.name(data), data, cut, methods, how or How(), runs.tune))
    keyed = {job.key(seed): (job, seed) for seed in range(runs.seeds) for job in planned}
    found: dict[str, Row] = {}
    if results is not None:
        results.prepare()
        found = {key: row for key in keyed if (row := results.find(key)) is not None}
    wanted = [pair for key, pair in keyed.items() if key not in found]
    already, failed = len(found), []
    board = Silent() if board is None else board
    board.start(len(wanted), already)
    try:
        for made in _made(wanted, subject, data, runs, board):
            board.step(made)
            if "error" in made:
                failed.append(made)
            else:
                found[made["key"]] = made
    finally:
        board.close()
        if results is not None:
            results.write_tables()
            scoreboard.write(results)
    return {
        "rows": [found[key] for key in keyed if key in found],
        "failed": failed,
        "already": already,
        "skipped": [list(file) for file in data.train.skipped],
        "folder": None if runs.folder is None else str(runs.folder),
    }


def make(job: Job, seed: int, data: Data, share: course.Share = lambda _: None) -> Row:
    """One row, from the beginning to its last number."""
    given = course.stream(data, job.cut, seed)
    course.decode(given, job.form)
    lr, rates = None, None
    if job.tune:
        lr, rates = tuning.tuned(lambda rate: job.classifier(seed, rate), given, seed)
    model = job.classifier(seed, lr)
    measured = course.run(model, given, share)
    commit, dirty = machine.commit()
    row = {
        **job.row,
        **measured,
        "seed": seed,
        "lr": model.lr if job.trains else None,
        "tuning": None if rates is None else {str(rate): a for rate, a in rates.items()},
        "version": machine.version("evergrow"),
        "commit": commit,
        "dirty": dirty,
        "machine": machine.machine(),
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "key": job.key(seed),
    }
    return {name: row[name] for name in COLUMNS}


def _attempt(job: Job, seed: int, data: Data, runs: Runs, share: Callable[[float], None]) -> Made:
    """A row, on disk already; or, where it failed, what and why."""
    try:
        with progress.silenced():
            row = make(job, seed, data, share)
    except Exception as error:  # whatever a method raises, the other rows go on
        kind = "" if isinstance(error, EvergrowError) else f"{type(error).__name__}: "
        return _failed(job, seed, f"{kind}{error}")
    if runs.folder is not None:
        Results(runs.folder).keep(row)
    return row


def _failed(job: Job, seed: int, why: str) -> Made:
    named = {name: job.row[name] for name in ("scenario", "method", "backbone")}
    return {**named, "seed": seed, "error": why}


def _made(wanted: Wanted, subject: Subject, data: Data, runs: Runs, board: Any) -> Iterator[Made]:
    if runs.jobs > 1 and len(wanted) > 1:
        yield from _by_processes(wanted, subject, runs, board)
        return
    for job, seed in wanted:
        board.begins(f"{job.name}, seed {seed}")
        yield _attempt(job, seed, data, runs, board.share)


# -- several processes -----------------------------------------------------------------------------


def _by_processes(wanted: Wanted, subject: Subject, runs: Runs, board: Any) -> Iterator[Made]:
    """Rows as they are finished.  Whatever stops this process ends the others at once."""
    workers = min(runs.jobs, len(wanted))
    context = multiprocessing.get_context("spawn")  # a copy of a process that has used torch hangs
    threads = max((os.cpu_count() or 1) // workers, 1)
    others = set(multiprocessing.active_children())
    board.begins(f"{workers} at a time")
    with ProcessPoolExecutor(workers, context, _begin, (subject, threads)) as pool:
        try:
            waiting = {pool.submit(_there, job, seed, runs): (job, seed) for job, seed in wanted}
            for future in as_completed(waiting):
                try:
                    yield future.result()
                except BrokenProcessPool:
                    yield _failed(*waiting[future], "its process was ended; out of memory?")
        except BaseException:
            for child in set(multiprocessing.active_children()) - others:
                child.terminate()
            pool.shutdown(cancel_futures=True)
            raise


def _begin(subject: Subject, threads: int) -> None:
    """Make this process ready for rows: it reads the data once, and ends with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    _data.append(subject.load())


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _there(job: Job, seed: int, runs: Runs) -> Made:
    return _attempt(job, seed, _data[-1], runs, lambda _: None)
