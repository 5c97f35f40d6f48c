"""What reading costs: copies, passes, memory."""

import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from evergrow.data import read as sources
from evergrow.data.read import read
from evergrow.errors import DataError


def test_reading_one_clean_sample_costs_microseconds():
    x, y = np.zeros((1, 1280), np.float32), np.array([3])
    word, times = np.array(["cat"], object), []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(200):
            read(x, y)
            read(x, word)
        times.append((time.perf_counter() - start) / 400)
    assert min(times) < 300e-6  # about 20 here; a busy machine is allowed for


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
