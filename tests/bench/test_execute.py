"""Rows made here and by processes, each on disk at once."""

import pytest

from evergrow.bench import execute, plan, runner
from evergrow.bench.live_progress import SilentBoard
from evergrow.bench.results import COLUMNS, Results
from evergrow.bench.runner import Runs
from evergrow.bench.task_streams import Cut
from tests.benching import MINE, QUICK


@pytest.fixture
def job():
    asked = plan.PlanRequest("mine", MINE.load(), Cut(2), ["ncm"], QUICK)
    return next(j for j in plan.plan(asked) if j.row["method"] == "ncm")


def test_a_row_says_how_it_was_made(job):
    row = execute.make_row(job, 3, MINE.load())
    assert list(row) == COLUMNS and (row["seed"], row["key"]) == (3, job.key(3))
    assert row["lr"] is None and len(row["matrix"]) == 2


def test_rows_are_kept_one_by_one_and_what_fails_is_named(job, tmp_path, monkeypatch):
    results, make = Results(tmp_path), execute.make_row
    results.prepare()

    def unlucky(job, seed, data, share):
        if seed == 1:
            raise MemoryError("no luck")
        return make(job, seed, data, share)

    monkeypatch.setattr(execute, "make_row", unlucky)
    made = execute.in_turn([(job, s) for s in range(3)], MINE.load(), results, SilentBoard())
    assert next(made)["seed"] == 0 and len(results.rows()) == 1
    failed = next(made)
    assert (failed["seed"], failed["method"]) == (1, "ncm")
    assert failed["error"] == "MemoryError: no luck"
    assert next(made)["seed"] == 2 and [row["seed"] for row in results.rows()] == [0, 2]


def test_rows_made_in_processes_are_those_made_here(tmp_path):
    here = runner.run(MINE, ["ncm"], QUICK, Runs(seeds=1))["rows"]
    there = runner.run(MINE, ["ncm"], QUICK, Runs(seeds=1, jobs=2, folder=tmp_path))["rows"]
    assert [(r["key"], r["confusion"]) for r in here] == [(r["key"], r["confusion"]) for r in there]
    assert len(list((tmp_path / "rows").glob("*.json"))) == 3
