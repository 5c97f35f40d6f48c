"""The ledger: what was learnt, by content."""

import numpy as np
import torch

from evergrow.data.task import Tensors
from evergrow.storage import ledger


def records(*values: float) -> Tensors:
    return Tensors(torch.tensor([[value] for value in values]))


def test_the_hash_is_of_the_content_alone():
    found = ledger.hashes(records(1.0, 2.0, 1.0))
    assert found.shape == (3, 16) and found.dtype == np.uint8
    assert (found[0] == found[2]).all() and (found[0] != found[1]).any()


def test_what_was_learnt_is_passed_over_and_under_another_label_is_not():
    found, columns = ledger.hashes(records(1.0, 2.0, 3.0)), np.array([0, 1, 1])
    past = ledger.add(ledger.empty(), found[:2], columns[:2], version=1)
    assert ledger.unlearnt(past, found, columns).tolist() == [2]
    assert ledger.unlearnt(past, found, np.array([1, 1, 0])).tolist() == [0, 2]
    assert ledger.unlearnt(past, found, np.array([-1, -1, -1])).tolist() == [0, 1, 2]


def test_the_ledger_says_which_version_learnt_what():
    found = ledger.hashes(records(1.0, 2.0))
    past = ledger.add(ledger.empty(), found[:1], np.array([0]), version=1)
    past = ledger.add(past, found[1:], np.array([5]), version=2)
    assert past["version"].to_pylist() == [1, 2] and past["column"].to_pylist() == [0, 5]
    assert past["hash"].to_pylist() == [row.tobytes() for row in found]


def test_the_fingerprint_does_not_depend_on_order_but_on_every_sample():
    found, columns = ledger.hashes(records(1.0, 2.0, 3.0)), np.array([0, 1, 2])
    order = np.array([2, 0, 1])
    one = ledger.fingerprint(found, columns)
    assert one == ledger.fingerprint(found[order], columns[order])
    assert one != ledger.fingerprint(found, columns[order])
    assert one != ledger.fingerprint(found[:2], columns[:2])
