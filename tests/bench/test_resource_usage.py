"""Bytes of a model, and the most memory that a process had."""

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


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a peak is since the beginning")
def test_peak_memory_sees_what_was_given_back():
    resource_usage.begin_peak()
    before = resource_usage.peak_memory()
    block = np.ones(200_000_000, np.uint8)  # so large that it is the system that gives it
    del block
    after = resource_usage.peak_memory()
    assert before is not None and after is not None
    assert 150_000_000 < after - before < 300_000_000
    resource_usage.begin_peak()
    assert resource_usage.peak_memory() < after - 100_000_000
