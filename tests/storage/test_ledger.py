"""The ledger: what was learnt, by content."""

import subprocess
import sys

import numpy as np
import torch

from evergrow.data import preprocess
from evergrow.data.task import Tensors
from evergrow.storage import ledger


def hashes(*values: float) -> np.ndarray:
    return preprocess.hashes(Tensors(torch.tensor([[value] for value in values])))


def test_what_was_learnt_is_passed_over_and_under_another_label_is_not():
    content, columns = hashes(1.0, 2.0, 3.0), np.array([0, 1, 1])
    past = ledger.add(ledger.empty(), content[:2], columns[:2], version=1)
    assert ledger.unlearnt(past, content, columns).tolist() == [2]
    assert ledger.unlearnt(past, content, np.array([1, 1, 0])).tolist() == [0, 2]
    assert ledger.unlearnt(past, content, np.array([-1, -1, -1])).tolist() == [0, 1, 2]


def test_the_ledger_says_which_version_learnt_what():
    content = hashes(1.0, 2.0)
    past = ledger.add(ledger.empty(), content[:1], np.array([0]), version=1)
    past = ledger.add(past, content[1:], np.array([5]), version=2)
    assert past["version"].to_pylist() == [1, 2] and past["column"].to_pylist() == [0, 5]
    assert past["hash"].to_pylist() == [row.tobytes() for row in content]


def test_the_fingerprint_does_not_depend_on_order_but_on_every_sample():
    content, columns = hashes(1.0, 2.0, 3.0), np.array([0, 1, 2])
    order = np.array([2, 0, 1])
    one = ledger.samples_fingerprint(content, columns)
    assert one == ledger.samples_fingerprint(content[order], columns[order])
    assert one != ledger.samples_fingerprint(content, columns[order])
    assert one != ledger.samples_fingerprint(content[:2], columns[:2])


def test_hashes_that_end_in_zeros_are_told_apart_and_columns_count():
    content = np.zeros((3, 16), np.uint8)
    content[1, 0], content[2, 15] = 1, 1
    past = ledger.add(ledger.empty(), content[1:2], np.array([0]), version=1)
    assert ledger.unlearnt(past, content, np.zeros(3, int)).tolist() == [0, 2]
    assert ledger.unlearnt(past, content, np.array([0, 256, 0])).tolist() == [0, 1, 2]


def test_a_part_of_a_ledger_knows_its_own_rows_alone():
    content, columns = hashes(1.0, 2.0, 3.0), np.array([0, 1, 2])
    past = ledger.add(ledger.empty(), content, columns, version=1).slice(1, 1)
    assert ledger.unlearnt(past, content, columns).tolist() == [0, 2]


def test_a_ledger_needs_no_pandas():
    code = """
import sys, numpy as np
from evergrow.storage import ledger
past = ledger.add(ledger.empty(), np.ones((1, 16), np.uint8), np.array([3]), 1)
assert not len(ledger.unlearnt(past, np.ones((1, 16), np.uint8), np.array([3])))
assert "pandas" not in sys.modules and "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
