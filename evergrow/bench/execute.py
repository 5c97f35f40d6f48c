"""Rows of a benchmark made, one after the other or by several processes; each on disk at once."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, datetime
from typing import Any

import torch

from ..errors import EvergrowError
from ..storage import environment
from ..training import progress
from . import evaluation, lr_search
from .benchmark_data import BenchmarkData
from .live_progress import SilentBoard
from .plan import Job
from .results import COLUMNS, Results, Row
from .workload import Subject

Made = dict[str, Any]  # a row; or what failed, with the key "error"
JobsAndSeeds = Sequence[tuple[Job, int]]  # jobs and seeds

_data: list[BenchmarkData] = []  # of a process that makes rows


def make_row(
    job: Job, seed: int, data: BenchmarkData, share: evaluation.Share = lambda _: None
) -> Row:
    """One row, from the beginning to its last number."""
    stream = evaluation.stream(data, job.cut, seed)
    evaluation.decode_ahead(stream, job.form)
    lr, rates = None, None
    if job.tune:
        lr, rates = lr_search.tuned(lambda rate: job.classifier(seed, rate), stream, seed)
    model = job.classifier(seed, lr)
    measured = evaluation.learn_stream(model, stream, share)
    commit, dirty = environment.git_commit()
    row = {
        **job.row,
        **measured,
        "seed": seed,
        "lr": model.lr if job.trains else None,
        "tuning": None if rates is None else {str(rate): a for rate, a in rates.items()},
        "version": environment.version("evergrow"),
        "commit": commit,
        "dirty": dirty,
        "machine": environment.machine(),
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "key": job.key(seed),
    }
    return {name: row[name] for name in COLUMNS}


def in_turn(
    missing: JobsAndSeeds, data: BenchmarkData, results: Results | None, board: SilentBoard
) -> Iterator[Made]:
    """Rows one after the other, in this process."""
    for job, seed in missing:
        board.begins(f"{job.name}, seed {seed}")
        yield _attempt(job, seed, data, results, board.share)


def by_processes(
    missing: JobsAndSeeds,
    subject: Subject,
    results: Results | None,
    board: SilentBoard,
    workers: int,
) -> Iterator[Made]:
    """Rows as they are finished.  Whatever stops this process ends the others at once."""
    context = multiprocessing.get_context("spawn")  # a copy of a process that has used torch hangs
    threads = max((os.cpu_count() or 1) // workers, 1)
    others = set(multiprocessing.active_children())
    board.begins(f"{workers} at a time")
    with ProcessPoolExecutor(workers, context, _begin, (subject, threads)) as pool:
        try:
            waiting = {
                pool.submit(_there, job, seed, results): (job, seed) for job, seed in missing
            }
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


def _there(job: Job, seed: int, results: Results | None) -> Made:
    return _attempt(job, seed, _data[-1], results, lambda _: None)


def _attempt(
    job: Job,
    seed: int,
    data: BenchmarkData,
    results: Results | None,
    share: Callable[[float], None],
) -> Made:
    """A row, on disk already; or, where it failed, what and why."""
    try:
        with progress.silenced():
            row = make_row(job, seed, data, share)
    except Exception as error:  # whatever a method raises, the other rows go on
        kind = "" if isinstance(error, EvergrowError) else f"{type(error).__name__}: "
        return _failed(job, seed, f"{kind}{error}")
    if results is not None:
        results.keep(row)
    return row


def _failed(job: Job, seed: int, why: str) -> Made:
    named = {name: job.row[name] for name in ("scenario", "method", "backbone")}
    return {**named, "seed": seed, "error": why}
