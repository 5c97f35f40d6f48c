"""Metrics, terms, units and shares, each worked out by hand."""

import pytest
import torch

from evergrow.analytic.novelty import Metric, left_out, share_of_known, standards, terms


def test_terms_are_logarithms_of_the_nearest_and_the_energy():
    found = terms(torch.tensor([[4.0, 1.0]]), torch.tensor([[2.0, 8.0]]), torch.zeros(1, 2))
    torch.testing.assert_close(found, torch.tensor([[1.0, 2.0, 2.0]]).log())


def test_a_row_left_out_is_farther_from_its_own_class_alone():
    # n = 4, freedom 3: (1 - 1/3) * 4/3 * 1 / (1 - 4/3 * 1/3) = 1.6
    squares = left_out(torch.tensor([[1.0, 5.0]]), torch.tensor([0]), torch.tensor([4]), 3)
    torch.testing.assert_close(squares, torch.tensor([[1.6, 5.0]]))


def test_units_without_rows_are_a_guess_from_the_widths():
    assert standards(torch.zeros(0, 3), [1, 1]).tolist() == [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]


def test_without_spread_the_metric_takes_the_size_of_the_means():
    metric = Metric.of(torch.tensor([[6.0, 8.0]]).double(), torch.zeros(2, 2).double(), 1.0)
    torch.testing.assert_close(metric.factor, torch.eye(2) / 10)  # (36 + 64) / 2 * (1 + 1)


def test_no_known_row_among_mixed_ones_is_a_share_of_none():
    assert share_of_known(torch.ones(50), torch.zeros(50)) == 0.0


def test_the_share_is_the_ratio_above_the_best_threshold():
    known, mixed = (
        torch.arange(400) / 400 + 1,
        torch.cat([torch.rand(300), torch.arange(100) / 100 + 1]),
    )
    assert share_of_known(known, mixed) == pytest.approx(0.25, abs=0.02)
