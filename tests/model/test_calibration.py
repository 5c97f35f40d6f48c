"""Calibration, worked out by hand."""

import math

import pytest

from evergrow.model import calibration


def test_calibration_is_the_mean_gap_weighted_by_samples():
    p = [0.55, 0.65, 0.95, 0.85, 0.95]
    error, bins = calibration.calibration(p, [False, True, True, True, False])
    assert [(round(c, 6), a, n) for c, a, n in bins] == [
        (0.55, 0.0, 1),
        (0.65, 1.0, 1),
        (0.85, 1.0, 1),
        (0.95, 0.5, 2),
    ]
    assert error == pytest.approx((0.55 + 0.35 + 0.15 + 2 * 0.45) / 5)


def test_bins_are_closed_above():
    _, bins = calibration.calibration([0.0, 0.1, 0.7, 1.0], [True] * 4)
    assert [n for _, _, n in bins] == [2, 1, 1]  # (.., 0.1], (0.6, 0.7], (0.9, 1]
    _, halves = calibration.calibration([0.5, 0.51], [True, True], bins=2)
    assert [n for _, _, n in halves] == [1, 1]


def test_no_answers_have_no_calibration():
    error, bins = calibration.calibration([], [])
    assert math.isnan(error) and bins == []


def test_a_model_that_diverged_counts_as_sure_of_nothing():
    error, bins = calibration.calibration([math.nan, math.nan], [False, False])
    assert (error, bins) == (0.0, [(0.0, 0.0, 2)])
