"""Folders and files: what a path means, and what cannot be read is named."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from evergrow.data.read import read
from evergrow.data.readers.files_and_folders import FILE_READERS, from_path
from evergrow.data.readers.read_options import ReadOptions
from evergrow.errors import DataError


def test_a_path_is_told_by_what_lies_there(tmp_path):
    (tmp_path / "classes" / "a").mkdir(parents=True)
    Image.new("L", (4, 4)).save(tmp_path / "classes" / "a" / "1.png")
    np.save(tmp_path / "x.npy", np.ones((2, 3)))
    (tmp_path / "t.csv").write_text("a,label\n1,x\n2,y\n")
    loose = ReadOptions(need_labels=False)
    assert from_path(tmp_path / "classes", loose).labels.tolist() == ["a"]
    assert from_path(str(tmp_path / "x.npy"), loose).name(1) == "row 1 of x.npy"
    assert from_path(tmp_path / "t.csv", ReadOptions()).labels.tolist() == ["x", "y"]
    assert from_path(tmp_path / "classes" / "a" / "1.png", loose).kind == "image"
    with pytest.raises(DataError, match="no such file or folder"):
        from_path(tmp_path / "nowhere", loose)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "a,b\n1,2\n", "a.csv has no label column .*its columns are: a, b"),
        ("a.csv", "a,label\n1,x\n2,\n", r"column 'label' of .*a.csv contains NaN.*first: row 1"),
        ("a.csv", "a,label\n1,0.5\n2,1\n", "continuous"),
        ("a.csv", "a,label\ninf,x\n1,y\n", "infinity"),
        ("a.csv", "file,label\nnone.png,x\n", "may be image files .'none.png'.*--text COLUMN"),
        ("a.jsonl", '{"a": 1, "label": 1}\n{"a": 2, "label": "x"}\n', "mix of str and int"),
        ("a.zip", "PK", "is of no kind that is read.*Unpack archives first"),
        ("a.xlsx", "PK", "save spreadsheets as CSV"),
        ("a.rtf", "words", "is of no kind that is read"),
        ("a.png", "words", "is text, not an image"),
        ("a.npz", "words", "cannot be read"),
    ],
)
def test_files_that_cannot_be_used_are_named(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message):
        read(tmp_path / name, ["x"] if name == "a.png" else None)


def test_a_label_column_that_is_not_there_lists_the_columns(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(
        DataError, match=r"no label column \(expected 'kind'\); its columns are: a, b"
    ):
        read(tmp_path / "a.csv", label="kind")
    assert read(tmp_path / "a.csv", label="b").labels.tolist() == [2]


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.jsonl"])
def test_texts_stand_in_a_column_of_a_file(tmp_path, name):
    frame = pd.DataFrame({"topic": ["a", "b"], "body": ["one, two", "three"], "other": ["x", "y"]})
    path = tmp_path / name
    if name.endswith("csv"):
        frame.to_csv(path, index=False)
    elif name.endswith("parquet"):
        frame.to_parquet(path)
    else:
        frame.to_json(path, orient="records", lines=True)
    chunk = read(path, text="body", label="topic")
    assert chunk.take([0, 1]) == ["one, two", "three"] and chunk.labels.tolist() == ["a", "b"]
    assert chunk.notes == ["columns not used: other"]
    with pytest.raises(DataError, match="no text column 'boddy'; its columns are: body, other"):
        read(path, text="boddy", label="topic")
    with pytest.raises(DataError, match="no label column .*'subject'.*topic, body, other"):
        read(path, text="body", label="subject")


def test_a_file_of_no_known_kind_is_told_all_endings_that_are_read(tmp_path):
    (tmp_path / "week.xlsx").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"\.csv.*\.npz.*\.png.*\.txt") as told:
        from_path(tmp_path / "week.xlsx", ReadOptions(y=[1]))
    assert "save spreadsheets as CSV" in str(told.value)


def test_only_tables_may_be_gzipped(tmp_path):
    for name in ("a.npz.gz", "a.png.gz"):
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(DataError, match="of no kind that is read"):
            from_path(tmp_path / name, ReadOptions(y=[1]))


def test_every_ending_has_one_reader():
    endings = [ending for reader in FILE_READERS for ending in reader.endings]
    assert len(endings) == len(set(endings))
