"""Rows on disk: whole or not there."""

import json

import pandas as pd
import pytest

from evergrow.bench.results import COLUMNS, Results
from evergrow.errors import DataError
from evergrow.storage import durable_files


def row(key="a", **values):
    return dict.fromkeys(COLUMNS) | {"key": key, "time": "2026-01-01", "settings": {}} | values


@pytest.fixture
def results(tmp_path):
    made = Results(tmp_path / "out")
    made.prepare()
    return made


def test_a_row_that_is_kept_is_found_again(results):
    results.keep(row("a", last=0.5, matrix=[[0.5]]))
    assert results.find("a")["matrix"] == [[0.5]]
    assert results.find("b") is None
    results.keep(row("a", last=0.6))
    assert [found["last"] for found in results.rows()] == [0.6]


def test_rows_come_in_the_order_in_which_they_were_finished(results):
    results.keep(row("a", time="2026-02"))
    results.keep(row("b", time="2026-01"))
    assert [found["key"] for found in results.rows()] == ["b", "a"]


def test_a_row_cut_short_by_a_crash_is_not_there(results, monkeypatch):
    class Crash(Exception):
        pass

    def crash(action, path):
        if action == "rename":
            raise Crash

    monkeypatch.setattr(durable_files, "disk_step", crash)
    with pytest.raises(Crash):
        results.keep(row("a"))
    assert results.find("a") is None and results.rows() == []
    monkeypatch.undo()
    results.keep(row("a"))  # what was left of the first try is in nobody's way
    assert results.find("a")


def test_tables_hold_every_row_with_lists_as_json(results):
    results.keep(row("a", matrix=[[0.5, None]], method="er", settings={"memory": 2}, last=0.25))
    results.keep(row("b", method="lda", peak_bytes=7, time="2027"))
    results.write_tables()
    for table in (
        pd.read_parquet(results.folder / "rows.parquet"),
        pd.read_csv(results.folder / "rows.csv"),
    ):
        assert list(table.columns) == COLUMNS
        assert table["method"].tolist() == ["er", "lda"]
        assert json.loads(table["matrix"][0]) == [[0.5, None]]
        assert table["last"][0] == 0.25
    assert sorted(p.name for p in results.folder.iterdir()) == ["rows", "rows.csv", "rows.parquet"]


def test_a_table_of_nothing_is_written_too(results):
    results.write_tables()
    assert pd.read_parquet(results.folder / "rows.parquet").empty


@pytest.mark.parametrize("text", ["", "[]", '{"key": "a"}'])
def test_a_file_that_is_no_row_is_named(results, text):
    (results.folder / "rows" / "a.json").write_text(text)
    with pytest.raises(DataError, match="rows/a.json is not a row.*delete it"):
        results.rows()


def test_a_file_where_the_folder_should_be_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="a file is in its way"):
        Results(tmp_path / "file").prepare()
