"""Bytes of a model, and the most memory that a process had."""

import subprocess
import sys

import numpy as np
import pytest

from evergrow.bench import resource_usage


def test_bytes_kept_are_those_of_tensors_wherever_they_lie():
    parts = {
        "manifest": {"classes": ["a"]},
        "serving": {"head": np.zeros(4, np.float32)},
        "blobs": {"backbone": {"layer": np.zeros(2, np.int64)}},
        "memory": np.zeros(5, np.uint8),
        "ledger": np.zeros(100, np.uint8),
    }
    assert resource_usage.bytes_kept(parts) == 16 + 16 + 5


MEASURE = """
import numpy as np
from evergrow.bench import resource_usage

resource_usage.begin_peak()
before = resource_usage.peak_memory()
block = np.ones(200_000_000, np.uint8)  # so large that it is the system that gives it
del block
after = resource_usage.peak_memory()
resource_usage.begin_peak()
print(before, after, resource_usage.peak_memory())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a peak is since the beginning")
def test_peak_memory_sees_what_was_given_back():
    """In a process of its own: nothing that ran before gives memory back meanwhile."""
    command = [sys.executable, "-c", MEASURE]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    before, after, since = map(int, told.split())
    assert 150_000_000 < after - before < 300_000_000
    assert since < after - 100_000_000
