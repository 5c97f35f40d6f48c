"""The report of a folder of results, from rows that are kept in benchmarks/results."""

import json
from pathlib import Path

import numpy as np
import pytest

from evergrow.bench.results import Results
from evergrow.commands.report import benchmark_page, write
from evergrow.errors import DataError
from tests.benchmark_rows import row

KEPT = Path(__file__).parents[3] / "benchmarks" / "results" / "bench_digits.jsonl"


@pytest.fixture(scope="module")
def rows():
    lines = map(json.loads, KEPT.read_text().splitlines())
    return [line for line in lines if "about" not in line]


def test_methods_stand_side_by_side_the_best_first(rows):
    page = benchmark_page.page("digits", rows)
    names = [line[0] for line in page.sections[0].table.rows]
    last = {
        name: np.mean([r["last"] for r in rows if r["method"] == name.split(" ")[0]])
        for name in names
    }
    assert names == sorted(names, key=lambda name: -last[name])
    assert {"finetune (floor)", "joint (ceiling)"} <= set(names)
    assert len(names) == len({r["method"] for r in rows})


def test_the_lines_are_the_accuracies_on_all_classes_so_far(rows):
    page = benchmark_page.page("digits", rows)
    drawn = {line.name: line.y for line in page.sections[0].charts[0].data}
    mine = [r for r in rows if r["method"] == "lda"]
    assert drawn["lda"][-1] == pytest.approx(np.mean([r["last"] for r in mine]))
    assert np.mean(drawn["lda"]) == pytest.approx(np.mean([r["average"] for r in mine]))
    first = np.mean([r["matrix"][0][0] for r in mine])
    assert page.sections[1].charts[0].data[0].z[0][0] == pytest.approx(first, abs=0.02)


def test_one_method_on_two_backbones_is_two_lines(rows):
    mine = [r for r in rows if r["method"] == "lda"]
    page = benchmark_page.page("digits", [*mine, *(r | {"backbone": "none"} for r in mine)])
    names = [line[0] for line in page.sections[0].table.rows]
    assert sorted(names) == ["lda on none", f"lda on {mine[0]['backbone']}"]


def test_a_folder_of_results_becomes_a_page_and_one_without_rows_is_refused(rows, tmp_path):
    results = Results(tmp_path / "digits")
    results.prepare()
    for one in rows:
        results.keep(one)
    answer = write.write(results.folder, tmp_path / "report.html")
    assert answer["bytes"] > 1e6 and "digits-5x2" in (tmp_path / "report.html").read_text()
    (tmp_path / "rows").mkdir()
    with pytest.raises(DataError, match="evergrow bench first"):
        write.write(tmp_path, tmp_path / "none.html")


def test_the_tables_alone_load_nothing_escape_names_and_mark_floor_and_ceiling(tmp_path):
    results = Results(tmp_path)
    write.write_tables(tmp_path)
    assert not (tmp_path / "table.html").exists()
    results.prepare()
    for method, role in (("<b>&", None), ("finetune", "floor"), ("joint", "ceiling")):
        results.keep(row(method, role=role) | {"key": str(role)})
    write.write_tables(tmp_path)
    text = (tmp_path / "table.html").read_text()
    assert "http" not in text and "src=" not in text and "<script" not in text
    assert "&lt;b&gt;&amp;" in text and "<b>&" not in text
    assert '<tr class="floor">' in text and '<tr class="ceiling">' in text
    assert '<td class="number">50.0</td>' in text
