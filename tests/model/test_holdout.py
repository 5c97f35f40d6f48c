"""Held-out samples: which are chosen, and that order does not matter."""

import numpy as np
import pytest
import torch

from evergrow.model import holdout

rng = np.random.default_rng(0)


def chunk(n: int, column: int = 0):
    return rng.integers(0, 256, (n, 16), dtype=np.uint8), torch.full((n,), column)


def hashes_of(*samples):
    return {bytes(h) for part in samples for h in part}


def test_a_tenth_of_what_a_class_brings_is_held_out_and_no_more_than_asked():
    few, many = chunk(39, 0), chunk(500, 1)
    hashes, y = np.concatenate([few[0], many[0]]), torch.cat([few[1], many[1]])
    held, rest = holdout.no_samples().choose(hashes, y, each=20)
    assert np.bincount(y[held]).tolist() == [3, 20]
    assert sorted([*held, *rest]) == list(range(539))


def test_the_lowest_hashes_are_chosen_whatever_the_order():
    hashes, y = chunk(60)
    order = rng.permutation(60)
    one, _ = holdout.no_samples().choose(hashes, y, 20)
    other, _ = holdout.no_samples().choose(hashes[order], y, 20)
    lowest = {bytes(h) for h in sorted(map(bytes, hashes))[:6]}
    assert hashes_of(hashes[one]) == hashes_of(hashes[order][other]) == lowest


def test_a_sample_held_out_before_is_neither_learnt_nor_held_out_twice():
    hashes, y = chunk(20)
    held, _ = holdout.no_samples().choose(hashes, y, 20)
    there = holdout.no_samples().add(torch.zeros(2, 1), y[held], hashes[held])
    again, rest = there.choose(hashes, y, 2)
    assert len(again) == 0 and not set(held) & set(rest) and len(rest) == 18


def test_few_are_kept_evenly_over_classes():
    parts = [chunk(10, c) for c in range(3)]
    hashes, y = np.concatenate([p[0] for p in parts]), torch.cat([p[1] for p in parts])
    kept = holdout.no_samples().add(torch.arange(30), y, hashes).keep(7)
    assert sorted(np.bincount(kept.y).tolist()) == [2, 2, 3]
    for c, (own, _) in enumerate(parts):
        mine = hashes_of(kept.hashes[kept.y == c])
        assert mine == {bytes(h) for h in sorted(map(bytes, own))[: len(mine)]}
    assert torch.equal(torch.from_numpy(hashes[kept.x]), torch.from_numpy(kept.hashes))


@pytest.mark.parametrize("most", [0, 2])
def test_fewer_may_be_kept_than_there_are_classes(most):
    hashes, y = chunk(3)[0], torch.arange(3)
    assert len(holdout.no_samples().add(torch.zeros(3, 1), y, hashes).keep(most)) == most
