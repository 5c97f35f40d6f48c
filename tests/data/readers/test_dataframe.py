from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from evergrow.data.readers.dataframe import WantedColumns, from_frame, take_apart
from evergrow.data.readers.read_options import ReadOptions
from evergrow.errors import DataError


def apart(data, **wanted):
    return take_apart(pd.DataFrame(data), WantedColumns(**wanted))


@pytest.mark.parametrize("name", ["label", "Labels", "class", "target", "y"])
def test_the_label_column_is_found_by_its_usual_names(name):
    found = apart({"a": [1, 2], name: ["x", "y"], "b": [3, 4]})
    assert found.labels.tolist() == ["x", "y"]
    assert found.names == ("a", "b")
    assert found.table.tolist() == [[1, 3], [2, 4]] and found.table.dtype == np.float32


def test_the_label_column_is_named_or_the_most_telling_one():
    data = {"y": [1, 2], "class": [3, 4], "a": [5, 6]}
    assert apart(data).labels.tolist() == [3, 4]
    assert apart(data, label="a").labels.tolist() == [5, 6]
    assert apart({7: [1, 2], "a": [3, 4]}, label="7").labels.tolist() == [1, 2]


def test_columns_known_as_features_are_not_taken_for_labels():
    found = apart({"x": [1, 2], "y": [3, 4]}, need=False, features=["x", "y"])
    assert found.labels is None and found.names == ("x", "y")
    found = apart({"x": [1, 2], "y": [3, 4]}, look=False)
    assert found.labels is None and found.names == ("x", "y")


@pytest.mark.parametrize("label", [None, "kind"])
def test_a_missing_label_column_lists_the_columns(label):
    with pytest.raises(DataError, match="a.csv has no label column.*its columns are: a, b. Name"):
        apart({"a": [1], "b": [2]}, label=label, where="a.csv")
    with pytest.raises(DataError, match=r"18, \.\.\. 784 \(785 in all\)"):
        apart({str(i): [1] for i in range(785)})


def test_labels_are_checked_by_name():
    with pytest.raises(DataError, match="column 'label' of a.csv contains NaN"):
        apart({"a": [1, 2], "label": ["x", None]}, where="a.csv")
    with pytest.raises(DataError, match="mix of str and int"):
        apart({"a": [1, 2], "label": ["x", 1]})
    with pytest.raises(DataError, match="several columns named 'label'"):
        take_apart(pd.DataFrame([[1, 2, 3]], columns=["label", "label", "a"]), WantedColumns())
    assert apart({"a": [1, 2], "label": ["3", "4"]}, from_text=True).labels.tolist() == [3, 4]
    assert apart({"a": [1, 2], "label": ["3", "4"]}).labels.tolist() == ["3", "4"]


@pytest.mark.parametrize(
    "dtype", ["float64", "Float64", "int8", "Int64", "bool", "boolean", "object"]
)
def test_numbers_of_all_types_are_features(dtype):
    frame = pd.DataFrame({"a": pd.Series([0, 1], dtype=dtype), "b": [0.5, 1.5]})
    found = take_apart(frame, WantedColumns(need=False))
    assert found.table.tolist() == [[0, 0.5], [1, 1.5]]


@pytest.mark.parametrize("dtype", ["float64", "Float64", "Int64", "object"])
def test_a_table_with_a_cell_missing_is_mixed(dtype):
    frame = pd.DataFrame({"a": [1, 2], "age": pd.Series([3, None], dtype=dtype)})
    found = take_apart(frame.assign(label=[1, 2]), WantedColumns())
    assert found.table is None and found.names == ("a", "age")
    pd.testing.assert_frame_equal(found.mixed, frame)


def test_infinite_features_are_named():
    with pytest.raises(DataError, match="infinity.*row 0, column 'a'"):
        apart({"a": [np.inf]}, need=False)


@pytest.mark.parametrize(
    "column",
    [
        ["red", "blue"],
        pd.Categorical([1, 2]),
        pd.to_datetime(["2020-01-01", "2021-01-01"]),
        pd.Series([date(2020, 1, 1), date(2021, 1, 1)], dtype=object),
    ],
)
def test_a_table_with_a_column_that_is_no_number_is_mixed(column):
    found = apart({"a": [1, 2], "colour": column}, need=False)
    assert found.table is None and found.names == tuple(found.mixed.columns) == ("a", "colour")


@pytest.mark.parametrize("column", [[1j, 2j], pd.period_range("2020", periods=2)])
def test_columns_that_are_of_no_use_are_named(column):
    with pytest.raises(DataError, match="the columns colour hold no numbers.*convert them"):
        apart({"a": [1, 2], "colour": column}, need=False)


def test_no_features_are_refused():
    with pytest.raises(DataError, match=r"0 feature\(s\): X has no column beside 'label'"):
        apart({"label": [1, 2]})


def test_one_column_of_texts_is_texts():
    found = apart({"note": ["one", "two"], "label": [1, 2]})
    assert found.texts == ["one", "two"] and found.labels.tolist() == [1, 2]
    found = apart({"note": ["one", "two"], "n": [1, 2]}, text="note", need=False)
    assert found.texts == ["one", "two"] and found.notes == ["columns not used: n"]
    with pytest.raises(DataError, match="no text column 'story'; its columns are: note"):
        apart({"note": ["one"]}, text="story", need=False)
    with pytest.raises(DataError, match=r"1 of 2 texts are missing \(first: row 1\)"):
        apart({"note": ["one", None]}, text="note", need=False)


def test_a_column_of_image_paths_starts_from_the_tables_folder(tmp_path):
    for name in ("a.png", "b", "c"):
        (tmp_path / name).touch()
    for pair in (["a.png", "none.png"], ["b", "c"]):  # by their endings, or because all are files
        found = apart({"path": pair, "width": [8, 8]}, base=tmp_path, need=False)
        assert found.cells == [tmp_path / name for name in pair]
        assert found.notes == ["columns not used: width"]
    asked = apart({"path": ["x", "y"]}, base=tmp_path, need=False, paths="path")
    assert asked.cells == [tmp_path / "x", tmp_path / "y"]
    assert apart({"path": ["a.png", "words"]}, base=tmp_path, need=False).texts is not None
    with pytest.raises(DataError, match="no paths column 'file'; its columns are: path"):
        apart({"path": ["x"]}, need=False, paths="file")
    absolute = apart({"path": [str(tmp_path / "a.png")]}, base=Path("elsewhere"), need=False)
    assert absolute.cells == [tmp_path / "a.png"]
    with pytest.raises(DataError, match=r"1 of 2 images in column 'path' are missing"):
        apart({"path": ["a.png", None]}, base=tmp_path, need=False)


def test_one_column_of_images_or_vectors_is_cells():
    image = Image.new("L", (2, 2))
    assert apart({"image": [image, image], "id": [1, 2]}, need=False).cells == [image, image]
    vectors = [np.ones(3), np.zeros(3)]
    assert apart({"v": vectors, "label": [1, 2]}).cells[1] is vectors[1]


def test_row_numbers_that_a_csv_was_saved_with_are_not_used():
    data = {"Unnamed: 0": [7, 3], "a": [1, 2], "label": ["x", "y"]}
    found = apart(data, from_text=True)
    assert found.names == ("a",) and "the first column has no name" in found.notes[0]
    assert apart(data).names == ("Unnamed: 0", "a")


def test_labels_given_apart_go_before_those_found():
    frame = pd.DataFrame({"a": [1, 2], "label": [3, 4]})
    chunk = from_frame(frame, ReadOptions(y=[5, 6]))
    assert chunk.labels.tolist() == [5, 6] and chunk.seen.names == ("a", "label")


@pytest.mark.parametrize(
    ("column", "kind", "mixed"),
    [
        ([1.5, 2.5], "table", False),
        ([1.5, None], "table", True),
        (["a long text of words"] * 2, "text", False),
        ([np.zeros((4, 4), np.uint8)] * 2, "image", False),
    ],
)
def test_a_frame_is_what_its_columns_are(column, kind, mixed):
    options = ReadOptions(text="x" if kind == "text" else None)
    chunk = from_frame(pd.DataFrame({"x": column, "label": ["u", "v"]}), options)
    assert (chunk.kind, chunk.seen.mixed, chunk.labels.tolist()) == (kind, mixed, ["u", "v"])


def test_a_frame_without_rows_is_refused():
    with pytest.raises(DataError, match="X is empty"):
        from_frame(pd.DataFrame({"a": [], "label": []}), ReadOptions())
