"""The nearest other sample answers."""

import pytest
import torch

from evergrow.model.nearest_neighbour import VALUES, recall

X = torch.tensor([[0.0], [1.0], [10.0], [11.0], [1.5]])
Y = torch.tensor([0, 0, 1, 1, 1])  # 0 -> 1, right; 1 -> 1.5, wrong; 10 <-> 11, right; 1.5 -> 1


@pytest.mark.parametrize("classes, expected", [([0], 1 / 2), ([1], 2 / 3), ([0, 1], 7 / 12)])
def test_a_sample_is_answered_by_the_nearest_other_one(classes, expected):
    assert recall(X, Y, torch.tensor(classes)) == pytest.approx(expected)


def test_nothing_is_said_of_classes_without_samples():
    assert recall(X, Y, torch.tensor([7])) is None


def test_a_class_of_one_sample_cannot_be_recalled():
    assert recall(X, torch.tensor([0, 0, 1, 1, 2]), torch.tensor([2])) == 0


def test_large_samples_are_compared_in_some_of_their_values():
    x = torch.zeros(4, 3, VALUES)
    x[2:] = 1
    assert recall(x, torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1])) == 1.0
