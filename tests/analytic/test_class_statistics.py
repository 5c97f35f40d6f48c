"""Moments of each class: exact in any order, and whole again after a save."""

import torch

from evergrow.analytic.class_statistics import ClassStatistics

ROWS = torch.randint(-127, 128, (90, 5), generator=torch.Generator().manual_seed(0)).to(torch.int8)
Y = torch.arange(90) % 3


def summed(order) -> ClassStatistics:
    moments = ClassStatistics(5)
    moments.grow(3)
    for rows in order.split(7):
        moments.add(ROWS[rows], Y[rows])
    return moments


def same(a: ClassStatistics, b: ClassStatistics) -> bool:
    pairs = zip([a.counts, a.sums, *a.grams], [b.counts, b.sums, *b.grams], strict=True)
    return all(torch.equal(p, q) for p, q in pairs)


def test_any_order_gives_the_same_moments_and_covariances_are_those_of_the_rows():
    moments = summed(torch.arange(90))
    assert same(moments, summed(torch.arange(90).flip(0)))
    for c in range(3):
        expected = torch.cov(ROWS[Y == c].double().T)
        torch.testing.assert_close(moments.covariance(c), expected)


def test_a_state_comes_back_and_what_was_kept_does_not_change():
    moments = summed(torch.arange(90))
    before, twin = moments.grams, ClassStatistics(5)
    gram = before[0].clone()
    twin.fill(moments.state())
    assert same(moments, twin)
    moments.add(ROWS, Y)
    assert torch.equal(before[0], gram)
