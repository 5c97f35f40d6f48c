"""Data frames: tables, mixed columns, texts, cells that are images."""

import numpy as np
import pandas as pd
import pytest

from evergrow.data.readers.dataframe_reader import from_frame
from evergrow.data.readers.read_options import ReadOptions
from evergrow.errors import DataError


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
