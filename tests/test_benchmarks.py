"""benchmarks/: every script starts, results have one form, the docs hold what is made of them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))
import common  # noqa: E402

sys.path.pop(0)

SCRIPTS = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py"))
RESULTS = sorted((ROOT / "benchmarks" / "results").glob("*.jsonl"))
FAULTS = ROOT / "benchmarks" / "results" / "faults.json"  # of `make faults`


def test_every_script_can_be_started():
    _python("-c", f"import {', '.join(SCRIPTS)}")


def test_readme_and_docs_hold_what_is_made_of_the_results():
    _python("tables.py", "--check")


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.name)
def test_results_are_rows_and_each_stands_once(path):
    lines = path.read_text().splitlines()
    assert path.suffix == ".jsonl" and common.read_rows(path.stem) and len(set(lines)) == len(lines)


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.name)
def test_results_say_on_which_machine(path):
    lines = common.read_lines(path)
    assert "machine" in lines[0].get("about", {}) or all("machine" in row for row in lines)


def test_no_attack_came_through():
    about, *attacks = json.loads(FAULTS.read_text()).items()
    assert "machine" in about[1] and about[0] == "about"
    for name, figures in attacks:
        assert figures["tried"] == figures["survived"] > 0, name
        assert figures["lost"] == figures["foreign"] == figures["code_run"] == 0, name
    tried = {name: figures["tried"] for name, figures in attacks}
    assert min(tried["mutated manifests"], tried["mutated inputs"]) >= 9_999
    assert tried.keys() >= {"kills at random", "kills at every step", "failing calls", "threads"}


def test_the_tool_was_run_on_three_seeds_and_committed_code():
    rows = common.read_rows("bench_digits")
    assert {row["seed"] for row in rows} == {0, 1, 2} and not any(row["dirty"] for row in rows)


def test_rows_come_back_and_what_they_are_about_stands_before_them(tmp_path):
    path = tmp_path / "rows.jsonl"
    assert common.read_rows(path) == []
    common.append_row(path, {"a": 1}, peer="x 1")
    common.append_row(path, {"a": 2}, peer="x 1")
    common.append_row(path, {"a": 3}, peer="x 2")
    assert common.read_rows(path) == [{"a": 1}, {"a": 2}, {"a": 3}]
    peers = [
        line["about"]["peer"] if "about" in line else line["a"] for line in common.read_lines(path)
    ]
    assert peers == ["x 1", 1, 2, "x 2", 3]


def test_rows_are_removed_alone_and_replaced_all_together(tmp_path):
    path = tmp_path / "rows.jsonl"
    common.write_rows(path, [{"a": 1}, {"a": 2}], samples=7)
    common.remove_rows(path, lambda row: row["a"] == 1)
    assert (
        common.read_rows(path) == [{"a": 2}] and common.read_lines(path)[0]["about"]["samples"] == 7
    )
    common.write_rows(path, [{"a": 3}])
    assert len(common.read_lines(path)) == 2


def test_a_table_replaces_what_stood_between_its_marks():
    text = common.between("a\n<!-- x -->\nold\n<!-- /x -->\nb\n", "x", ["one", "two"])
    assert text == "a\n<!-- x -->\none\ntwo\n<!-- /x -->\nb\n"


def _python(*words: str) -> None:
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT / "benchmarks", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
