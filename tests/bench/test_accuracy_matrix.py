"""Accuracy matrices of three tasks, worked out by hand."""

import math

import pytest

from evergrow.bench import accuracy_matrix
from evergrow.errors import DataError

R = [[1.0, 0.2, 0.0], [0.6, 0.9, 0.1], [0.7, 0.5, 0.8]]
N = [10, 10, 20]


def test_last_and_average_are_over_all_test_samples_so_far():
    assert accuracy_matrix.accuracies(R, N).tolist() == pytest.approx(
        [1.0, 0.75, (7 + 5 + 16) / 40]
    )
    found = accuracy_matrix.summary(R, N)
    assert found.last == pytest.approx(0.7)
    assert found.average == pytest.approx((1.0 + 0.75 + 0.7) / 3)


def test_old_and_new_are_parts_of_the_last_accuracy():
    found = accuracy_matrix.summary(R, N)
    assert (found.old, found.new) == pytest.approx((0.6, 0.8))
    assert found.last == pytest.approx((20 * found.old + 20 * found.new) / 40)


def test_forgetting_is_the_loss_since_the_best_time():
    assert accuracy_matrix.forgetting(R) == pytest.approx(((1.0 - 0.7) + (0.9 - 0.5)) / 2)


def test_what_was_known_before_a_task_was_learnt_is_not_forgotten():
    early = [[0.5, 0.9], [0.5, 0.4]]
    assert accuracy_matrix.forgetting(early) == 0.0


def test_backward_transfer_is_measured_from_when_a_task_was_learnt():
    assert accuracy_matrix.backward(R) == pytest.approx(((0.7 - 1.0) + (0.5 - 0.9)) / 2)
    better = [[0.5, 0.0, 0.0], [0.9, 0.5, 0.0], [0.7, 0.6, 0.5]]
    assert accuracy_matrix.backward(better) == pytest.approx((0.2 + 0.1) / 2)
    mean = ((0.9 - 0.7) + (0.5 - 0.6)) / 2
    assert accuracy_matrix.forgetting(better) == pytest.approx(mean)


def test_forward_transfer_is_what_is_known_before_over_what_nothing_taught():
    assert accuracy_matrix.forward(R) == pytest.approx((0.2 + 0.1) / 2)
    assert accuracy_matrix.forward(R, 0.1) == pytest.approx((0.1 + 0.0) / 2)
    assert accuracy_matrix.forward(R, [0.0, 0.2, 0.1]) == pytest.approx(0.0)


def test_a_single_task_has_nothing_old():
    found = accuracy_matrix.summary([[0.75]], [4])
    assert (found.last, found.average, found.new) == (0.75, 0.75, 0.75)
    assert all(math.isnan(v) for v in (found.forgetting, found.backward, found.forward, found.old))


def test_a_task_without_test_samples_counts_nowhere():
    nan = math.nan
    holed = [[1.0, nan, 0.0], [0.5, nan, 0.0], [0.5, nan, 1.0]]
    found = accuracy_matrix.summary(holed, [10, 0, 10])
    assert found.last == pytest.approx(0.75) and found.old == 0.5
    assert found.average == pytest.approx((1.0 + 0.5 + 0.75) / 3)
    assert found.forgetting == pytest.approx(0.5)


@pytest.mark.parametrize(
    "matrix, sizes", [([[1.0, 0.5]], [1]), ([[1.0]], [1, 2]), ([], []), ([1.0], [1])]
)
def test_a_matrix_that_is_none_is_refused(matrix, sizes):
    with pytest.raises(DataError, match="accuracy matrix is"):
        accuracy_matrix.summary(matrix, sizes)
