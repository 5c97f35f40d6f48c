"""Metrics worked out by hand."""

import math
import sys

import numpy as np
import pytest

from evergrow import metrics
from evergrow.errors import DataError

# Three tasks of 10, 10 and 20 test samples.
R = [[1.0, 0.2, 0.0], [0.6, 0.9, 0.1], [0.7, 0.5, 0.8]]
N = [10, 10, 20]


def test_last_and_average_are_over_all_test_samples_so_far():
    assert metrics.accuracies(R, N).tolist() == pytest.approx([1.0, 0.75, (7 + 5 + 16) / 40])
    found = metrics.summary(R, N)
    assert found.last == pytest.approx(0.7)
    assert found.average == pytest.approx((1.0 + 0.75 + 0.7) / 3)


def test_old_and_new_are_parts_of_the_last_accuracy():
    found = metrics.summary(R, N)
    assert (found.old, found.new) == pytest.approx((0.6, 0.8))
    assert found.last == pytest.approx((20 * found.old + 20 * found.new) / 40)


def test_forgetting_is_the_loss_since_the_best_time():
    assert metrics.forgetting(R) == pytest.approx(((1.0 - 0.7) + (0.9 - 0.5)) / 2)


def test_what_was_known_before_a_task_was_learnt_is_not_forgotten():
    early = [[0.5, 0.9], [0.5, 0.4]]
    assert metrics.forgetting(early) == 0.0


def test_backward_transfer_is_measured_from_when_a_task_was_learnt():
    assert metrics.backward(R) == pytest.approx(((0.7 - 1.0) + (0.5 - 0.9)) / 2)
    better = [[0.5, 0.0, 0.0], [0.9, 0.5, 0.0], [0.7, 0.6, 0.5]]
    assert metrics.backward(better) == pytest.approx((0.2 + 0.1) / 2)
    assert metrics.forgetting(better) == pytest.approx((0.2 - 0.1) / 2)  # 0.9 - 0.7, 0.5 - 0.6


def test_forward_transfer_is_what_is_known_before_over_what_nothing_taught():
    assert metrics.forward(R) == pytest.approx((0.2 + 0.1) / 2)
    assert metrics.forward(R, 0.1) == pytest.approx((0.1 + 0.0) / 2)
    assert metrics.forward(R, [0.0, 0.2, 0.1]) == pytest.approx(0.0)


def test_a_single_task_has_nothing_old():
    found = metrics.summary([[0.75]], [4])
    assert (found.last, found.average, found.new) == (0.75, 0.75, 0.75)
    assert all(math.isnan(v) for v in (found.forgetting, found.backward, found.forward, found.old))


def test_a_task_without_test_samples_counts_nowhere():
    nan = math.nan
    holed = [[1.0, nan, 0.0], [0.5, nan, 0.0], [0.5, nan, 1.0]]
    found = metrics.summary(holed, [10, 0, 10])
    assert found.last == pytest.approx(0.75) and found.old == 0.5
    assert found.average == pytest.approx((1.0 + 0.5 + 0.75) / 3)
    assert found.forgetting == pytest.approx(0.5)


@pytest.mark.parametrize(
    "matrix, sizes", [([[1.0, 0.5]], [1]), ([[1.0]], [1, 2]), ([], []), ([1.0], [1])]
)
def test_a_matrix_that_is_none_is_refused(matrix, sizes):
    with pytest.raises(DataError, match="accuracy matrix is"):
        metrics.summary(matrix, sizes)


def test_every_class_counts_the_same_in_the_mean_recall():
    recalls = metrics.per_class([7, 7, 7, 7, 3], [7, 7, 7, 3, 7])
    assert recalls == {"3": 0.0, "7": 0.75}
    assert metrics.mean_recall(recalls) == 0.375


def test_confusion_counts_every_pair_that_occurs():
    found = metrics.confusion([1, 1, 2, 2, 2], [1, 2, 2, 2, 1])
    assert found == [("1", "1", 1), ("1", "2", 1), ("2", "1", 1), ("2", "2", 2)]


def test_calibration_is_the_mean_gap_weighted_by_samples():
    p = [0.55, 0.65, 0.95, 0.85, 0.95]
    error, bins = metrics.calibration(p, [False, True, True, True, False])
    assert [(round(c, 6), a, n) for c, a, n in bins] == [
        (0.55, 0.0, 1),
        (0.65, 1.0, 1),
        (0.85, 1.0, 1),
        (0.95, 0.5, 2),
    ]
    assert error == pytest.approx((0.55 + 0.35 + 0.15 + 2 * 0.45) / 5)


def test_bins_are_closed_above():
    _, bins = metrics.calibration([0.0, 0.1, 0.7, 1.0], [True] * 4)
    assert [n for _, _, n in bins] == [2, 1, 1]  # (.., 0.1], (0.6, 0.7], (0.9, 1]
    _, halves = metrics.calibration([0.5, 0.51], [True, True], bins=2)
    assert [n for _, _, n in halves] == [1, 1]


def test_no_answers_have_no_calibration():
    error, bins = metrics.calibration([], [])
    assert math.isnan(error) and bins == []


def test_a_model_that_diverged_counts_as_sure_of_nothing():
    error, bins = metrics.calibration([math.nan, math.nan], [False, False])
    assert (error, bins) == (0.0, [(0.0, 0.0, 2)])


def test_bytes_kept_are_those_of_tensors_wherever_they_lie():
    parts = {
        "manifest": {"classes": ["a"]},
        "serving": {"head": np.zeros(4, np.float32)},
        "blobs": {"backbone": {"layer": np.zeros(2, np.int64)}},
        "memory": np.zeros(5, np.uint8),
        "ledger": np.zeros(100, np.uint8),
    }
    assert metrics.bytes_kept(parts) == 16 + 16 + 5


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a peak is since the beginning")
def test_peak_memory_sees_what_was_given_back():
    metrics.begin_peak()
    before = metrics.peak_memory()
    block = np.ones(200_000_000, np.uint8)  # so large that it is the system that gives it
    del block
    after = metrics.peak_memory()
    assert before is not None and after is not None
    assert 150_000_000 < after - before < 300_000_000
    metrics.begin_peak()
    assert metrics.peak_memory() < after - 100_000_000
