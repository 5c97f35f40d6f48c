"""Rows are made once, kept at once, and one that fails stops no other."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import pandas as pd
import pytest

import evergrow
from evergrow.bench import corruptions, execute, lr_search, runner, scenario_catalogue
from evergrow.bench.results import COLUMNS, Results
from evergrow.bench.runner import Runs
from evergrow.bench.task_streams import Cut
from evergrow.bench.workload import Subject
from evergrow.errors import SettingError
from tests.benching import MINE, QUICK, data

BROKEN = """
from evergrow.methods.finetune import FineTune


class Broken(FineTune):
    def learn(self, task):
        if task.number:
            raise RuntimeError("no luck")
        return super().learn(task)


class Deadly(FineTune):
    def learn(self, task):
        import os

        os._exit(9)
"""


@pytest.fixture
def broken(tmp_path, monkeypatch):
    (tmp_path / "broken_of_bench.py").write_text(BROKEN)
    monkeypatch.syspath_prepend(tmp_path)
    yield "broken_of_bench:Broken"
    sys.modules.pop("broken_of_bench", None)


def test_a_row_has_every_column_and_says_what_it_measured():
    answer = runner.run(MINE, ["ncm", "er"], QUICK, Runs(seeds=1))
    ncm, er, floor, ceiling = answer["rows"]
    assert list(ncm) == COLUMNS
    assert (ncm["method"], ncm["lr"], ncm["role"]) == ("ncm", None, None)
    assert (er["settings"], er["lr"]) == ({"memory": 200, "replay": 32}, 0.05)
    assert (floor["role"], ceiling["role"]) == ("floor", "ceiling")
    assert ncm["sizes"] == [8, 8] and sum(n for _, _, n in ncm["confusion"]) == 16
    assert ncm["scenario"] == "data-2x2" and ncm["tuning"] is None
    assert answer["failed"] == [] and answer["folder"] is None


def test_seeds_differ_and_the_same_seed_gives_the_same_numbers():
    one, two = (runner.run(MINE, ["er"], QUICK, Runs(seeds=2))["rows"] for _ in range(2))
    timing = {"seconds", "peak_bytes", "time", "machine"}
    for a, b in zip(one, two, strict=True):
        assert {k: v for k, v in a.items() if k not in timing} == {
            k: v for k, v in b.items() if k not in timing
        }
    assert len({row["key"] for row in one}) == 6
    assert one[0]["seed"] != one[3]["seed"] and one[0]["matrix"] != one[3]["matrix"]


def test_a_finished_row_is_never_run_again(tmp_path, monkeypatch):
    first = runner.run(MINE, ["ncm"], QUICK, Runs(seeds=1, folder=tmp_path))
    assert first["already"] == 0
    monkeypatch.setattr(execute, "make_row", None)  # whoever calls it fails
    again = runner.run(MINE, ["ncm"], QUICK, Runs(seeds=1, folder=tmp_path))
    assert again["already"] == 3 and again["failed"] == []
    assert again["rows"] == first["rows"]
    monkeypatch.undo()
    more = runner.run(MINE, ["ncm"], QUICK, Runs(seeds=2, folder=tmp_path))
    assert more["already"] == 3 and len(more["rows"]) == 6
    assert len(pd.read_csv(tmp_path / "rows.csv")) == 6
    assert "| ncm | mlp |" in (tmp_path / "table.md").read_text()


def test_a_row_that_fails_is_named_stops_no_other_and_is_tried_again(broken, tmp_path):
    runs = Runs(seeds=1, folder=tmp_path)
    answer = runner.run(MINE, [broken, "ncm"], QUICK, runs)
    (failed,) = answer["failed"]
    assert failed["error"] == "RuntimeError: no luck" and failed["method"] == broken
    assert [row["method"] for row in answer["rows"]] == ["ncm", "finetune", "joint"]
    again = runner.run(MINE, [broken, "ncm"], QUICK, runs)
    assert again["already"] == 3 and len(again["failed"]) == 1


@pytest.mark.slow
def test_a_process_that_is_killed_fails_its_rows_and_keeps_the_others(broken, tmp_path):
    runs = Runs(seeds=1, jobs=2, folder=tmp_path)
    runner.run(MINE, ["ncm"], QUICK, runs)
    answer = runner.run(MINE, ["broken_of_bench:Deadly", "er"], QUICK, runs)
    assert "its process was ended" in answer["failed"][0]["error"]
    assert {row["method"] for row in answer["rows"]} >= {"finetune", "joint"}


def test_data_that_cannot_be_cut_is_refused_before_anything_is_run(tmp_path):
    with pytest.raises(Exception, match="more than one task"):
        runner.run(Subject(data(), {"classes_per_task": 4}), ["ncm"], QUICK, Runs(folder=tmp_path))
    assert not list(tmp_path.iterdir())


def test_the_test_samples_do_not_choose_the_learning_rate(tmp_path):
    x, y = data()
    rows = []
    for labels in (y, y[::-1]):  # every test label wrong
        test = (x[::2], labels[::2])
        what = Subject((x, y), {"classes_per_task": 2}, test=test)
        rows.append(runner.run(what, ["er"], QUICK, Runs(seeds=1, tune=True))["rows"][0])
    assert rows[0]["tuning"] == rows[1]["tuning"] and len(rows[0]["tuning"]) == 6
    assert rows[0]["lr"] == rows[1]["lr"] and rows[0]["last"] != rows[1]["last"]


@pytest.mark.parametrize("changes", [{"seeds": 0}, {"jobs": 0}])
def test_nothing_is_run_no_times(changes):
    with pytest.raises(SettingError, match="1 or more"):
        Runs(**changes)


def test_kill_9_loses_only_what_was_running(tmp_path):
    words = "bench digits-5x2 --method ncm --backbone none --seeds 2 --epochs 200 -o results"
    command = [sys.executable, "-m", "evergrow", *words.split()]
    running = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL, env=_environment())
    rows = tmp_path / "results" / "rows"
    deadline = time.monotonic() + 60
    while not list(rows.glob("*.json")):
        assert running.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.wait()
    kept = Results(tmp_path / "results").rows()
    assert kept and kept[0]["method"] == "ncm" and kept[0]["last"] > 0.5


def test_the_documentation_names_every_scenario_column_and_cut():
    text = (Path(__file__).parents[2] / "docs" / "bench.md").read_text()
    for entry in scenario_catalogue.ENTRIES:
        assert f"| `{entry.name}` | {entry.line} |" in text
    for name in [*COLUMNS, *(f.name for f in fields(Cut)), *corruptions.CHANGES]:
        assert f"`{name}" in text or f",{name}" in text, name
    for rate in lr_search.RATES:
        assert f"{rate}" in text


def _environment() -> dict[str, str]:
    return os.environ | {
        "PYTHONPATH": str(Path(evergrow.__file__).parents[1]),
        "OMP_NUM_THREADS": "1",
    }
