"""Where data is and how to read it, said before it is read."""

import numpy as np
import pandas as pd
import pytest

from evergrow.data.source import Source
from evergrow.errors import DataError


@pytest.fixture
def table(tmp_path):
    frame = pd.DataFrame({"u": [1.0, 2.0], "v": [3.0, 4.0], "kind": ["up", "down"]})
    frame.to_csv(tmp_path / "table.csv", index=False)
    return tmp_path / "table.csv"


def test_a_source_is_taken_as_it_is_and_all_else_as_where_data_is(table):
    source = Source(table, label="kind")
    assert Source.of(source) is source
    assert Source.of(table) == Source(table)


def test_it_is_read_as_it_says(table):
    chunk = Source(table, label="kind").read()
    assert chunk.labels.tolist() == ["up", "down"] and chunk.seen.names == ("u", "v")
    text = Source(table, label="v", text="kind").read()
    assert text.kind == "text"


def test_labels_are_needed_unless_it_is_said_that_they_are_not(table):
    with pytest.raises(DataError, match="label"):
        Source(np.zeros((2, 3))).read()
    assert Source(np.zeros((2, 3))).read(need_labels=False).labels is None


def test_bad_files_are_passed_over_where_it_is_said(tmp_path):
    from PIL import Image

    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        Image.new("L", (8, 8)).save(tmp_path / label / "good.png")
    (tmp_path / "a" / "bad.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"bad\.png"):
        Source(tmp_path).read()
    chunk = Source(tmp_path, skip_bad=True).read()
    assert len(chunk) == 2 and len(chunk.skipped) == 1
