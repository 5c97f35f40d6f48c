"""What reading costs: copies, passes, memory."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from evergrow.data import read as sources
from evergrow.data.read import read
from evergrow.errors import DataError


def test_reading_one_clean_sample_takes_few_steps():
    x, y, word = np.zeros((1, 1280), np.float32), np.array([3]), np.array(["cat"], object)
    read(x, y)
    calls = []
    sys.setprofile(lambda frame, event, arg: calls.append(event) if event == "call" else None)
    try:
        read(x, y)
        read(x, word)
    finally:
        sys.setprofile(None)
    assert len(calls) < 150  # functions entered; about 20 microseconds a sample


def test_importing_sources_needs_neither_torch_nor_pandas():
    heavy = "torch", "pandas", "pyarrow", "sklearn"
    code = f"import sys, evergrow.sources; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_public_names_are_where_others_look_for_them():
    assert {"read", "Chunk", "Seen", "clean_labels"} <= set(vars(sources))


def test_a_csv_saved_with_row_numbers_gives_the_same_table(tmp_path):
    frame = pd.DataFrame({"a": [1.0, 2.0], "label": ["x", "y"]}, index=[8, 3])
    frame.to_csv(tmp_path / "a.csv")
    chunk = read(tmp_path / "a.csv")
    assert chunk.seen.names == ("a",) and "no name" in chunk.notes[0]


def test_masked_arrays_are_not_taken_for_whole_ones():
    with pytest.raises(DataError, match="masked in 1 places"):
        read(np.ma.array([[1.0, 2.0]], mask=[[True, False]]), [1])
