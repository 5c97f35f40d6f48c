"""Numbers are read as they are meant, whatever marks they are written with, or it is said."""

import pytest

from evergrow import GrowingClassifier
from evergrow.data.read import read
from evergrow.data.readers.table_files import read_frame


def table(tmp_path, header, *rows, missing=()):
    path = tmp_path / "a.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return read_frame(path, lambda columns: ["label"], missing)


@pytest.mark.parametrize(
    ("header", "rows", "values", "said"),
    [
        ("t;label", ["36,6;a", "37;b", "-0,5;c"], [36.6, 37, -0.5], "decimal commas"),
        ("t;label", ["1.234,5;a", "2.000.000;b"], [1234.5, 2e6], "decimal commas"),
        ("t;label", ["1 234,5;a", "7\u00a0000,1;b"], [1234.5, 7000.1], "decimal commas"),
        ("t\tlabel", ["36,6\ta", "37,1\tb"], [36.6, 37.1], "decimal commas"),
        ("t,label", ['"36,6",a', '"37,1",b'], [36.6, 37.1], "decimal commas"),
        ("t,label", ['"1,234",a', '"1,234,567.5",b'], [1234, 1234567.5], "grouped digits"),
        ("t,label", ['"1,234",a', "17,b"], [1234, 17], "grouped digits"),
        ("t;label", ["1,234;a", "17;b"], [1.234, 17], "decimal commas"),
        ("t,label", ["1e3,a", ".5,b"], [1000, 0.5], None),
        ("t,label", ["\u22123,a", "5,b"], [-3, 5], None),
        ("t,label", ["3,a", "?,b", "5,c", "7,d"], [3, None, 5, 7], "'?'.* read as missing"),
        ("t,label", ["3,a", ",b", "5,c"], [3, None, 5], None),
    ],
)
def test_numbers_are_recognised(tmp_path, header, rows, values, said):
    sep = "\t" if "\t" in header else ""
    (tmp_path / "a.csv").write_text("")
    frame, notes = table(tmp_path, header, *rows)
    assert frame["t"].dtype.kind in "fi", (sep, frame)
    found = [None if value != value else value for value in frame["t"].tolist()]
    assert found == values
    assert bool(notes) == bool(said) and all(said.split(".*")[0] in note for note in notes)


def test_a_point_groups_digits_beside_decimal_commas(tmp_path):
    frame, notes = table(tmp_path, "price;temp;label", "1.234;36,6;a", "980;37,1;b")
    assert frame["price"].tolist() == [1234, 980] and frame["temp"].tolist() == [36.6, 37.1]
    frame, notes = table(tmp_path, "age;temp;label", "30;36,6;a", "?;37,1;b", "40;38;c")
    assert notes[0] == "numbers with decimal commas (36,6 is 36.6): columns temp"
    frame, notes = table(tmp_path, "price;temp;label", "1.25;36,6;a", "980;37,1;b")
    assert frame["price"].tolist() == [1.25, 980], "it is no group of three digits"
    frame, notes = table(tmp_path, "price;temp;label", "1.234;36.6;a", "980;37.1;b")
    assert frame["price"].tolist() == [1.234, 980] and notes == []


@pytest.mark.parametrize(
    "cells", [["red", "blue"], ["A1", "12"], ["1.2.3", "1.2.4"], ["2024-01-05", "2024-02-01"]]
)
def test_what_is_no_number_stays(tmp_path, cells):
    frame, notes = table(tmp_path, "t,label", *(f"{cell},a" for cell in cells))
    assert frame["t"].tolist() == cells and notes == []


def test_labels_stay_as_they_are_written(tmp_path):
    frame, notes = table(tmp_path, "t;label", "1;36,6", "2;7,5")
    assert frame["label"].tolist() == ["36,6", "7,5"] and notes == []


def test_a_few_other_cells_are_said_with_the_option_that_reads_them(tmp_path):
    rows = [*(f"{i},a" for i in range(9)), "unknown,b"]
    frame, (note,) = table(tmp_path, "age,label", *rows)
    assert frame["age"].dtype.kind not in "fi"
    assert note == (
        "column 'age' holds numbers but for 1 of 10 cells ('unknown'): read as categories; "
        "--missing 'unknown' reads a cell as missing, and numbers as numbers"
    )
    frame, notes = table(tmp_path, "age,label", *rows, missing=["unknown"])
    assert frame["age"].tolist()[:9] == list(range(9)) and frame["age"].isna().sum() == 1
    frame, (note,) = table(tmp_path, "t;label", "36,6;a", "36.6;b", "37,1;c")
    assert "writes numbers in several ways" in note


def test_a_model_is_told_and_a_later_file_is_read_alike(tmp_path):
    rows = [f"{36 + i % 4},{i % 10};{'ill' if i % 4 > 1 else 'well'}" for i in range(80)]
    (tmp_path / "a.csv").write_text("temp;label\n" + "\n".join(rows) + "\n")
    (tmp_path / "b.csv").write_text("temp\n36,4\n39,3\n")
    model = GrowingClassifier().partial_fit(tmp_path / "a.csv")
    assert model.update_["warnings"] == ["numbers with decimal commas (36,6 is 36.6): columns temp"]
    assert model.predict(tmp_path / "b.csv").tolist() == ["well", "ill"]
    (tmp_path / "c.csv").write_text("temp;label\nnone;ill\n36,4;well\n37,2;well\n")
    chunk = read(tmp_path / "c.csv", missing=["none"])
    assert chunk.seen.mixed and model.predict(tmp_path / "b.csv").shape == (2,)
