"""Imprinting: rows are means of unit features; a network trained elsewhere keeps its answers."""

import numpy as np
import pytest
import torch
from torch import nn

from evergrow import GrowingClassifier
from evergrow.checks import blobs
from evergrow.errors import SettingError
from evergrow.methods import Imprint
from evergrow.training import loop
from tests.methods.learners import attached, task


def imprinted(**settings) -> Imprint:
    """Class 0 learnt from (3, 4) and (0, 2): its row points along (0.6, 0.8) + (0, 1)."""
    method = attached(Imprint(**settings), classes=0)
    method.grow(0, 1)
    loop.train(method, task([[3.0, 4.0], [0.0, 2.0]], [0, 0], 0, 1))
    return method


def test_a_row_is_the_mean_of_unit_features_and_a_score_the_scaled_cosine():
    method = imprinted(scale=10.0)
    row = torch.tensor([0.6, 1.8]) / torch.tensor([0.6, 1.8]).norm()
    torch.testing.assert_close(method.net.head.weight[0].detach(), row)
    score = method.scores(torch.tensor([[0.0, 5.0]]))
    torch.testing.assert_close(score.detach(), 10 * row[1:][None])


def test_a_class_that_returns_is_averaged_over_all_its_samples():
    method = imprinted()
    loop.train(method, task([[9.0, 0.0]], [0], 1, 1))
    row = torch.tensor([1.6, 1.8])
    torch.testing.assert_close(method.net.head.weight[0].detach(), row / row.norm())
    assert method.counts.tolist() == [3.0]


def test_first_classes_are_trained_by_gradient_on_cosines_and_later_ones_are_not():
    method = attached(Imprint(scale=2.0), classes=0)
    method.grow(0, 2)
    nn.init.eye_(method.net.head.weight)
    steps = method.learn(task([[3.0, 0.0], [7.0, 0.0]], [0, 1], 0, 2))
    losses = [terms["new"].item() for terms in steps]  # cosines 1 and 0, times 2
    both = torch.tensor([[2.0, 0.0]]).log_softmax(1)
    assert sorted(losses) == pytest.approx([-both[0, 0].item(), -both[0, 1].item()])
    assert method.counts.tolist() == [1.0, 1.0]


def test_a_network_trained_elsewhere_keeps_its_answers():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 3))
    X, y = blobs()
    model = GrowingClassifier.adopt(network, list("xyz"), method="imprint")
    before = model.decision_function(X)
    model.partial_fit(X, y)
    after = model.decision_function(X)
    assert np.array_equal(before, after[:, :3])
    head = model.net_.head
    norms = head.weight.norm(dim=1).detach()
    torch.testing.assert_close(norms[3:], norms[:3].mean().expand(5))
    torch.testing.assert_close(head.bias[3:].detach(), head.bias[:3].mean().expand(5).detach())


def test_fine_tuning_moves_the_network():
    X, y = blobs()
    model = GrowingClassifier(lambda: nn.Linear(2, 8), Imprint(finetune=True), epochs=1)
    model.partial_fit(X[:4], y[:4])
    weight = next(model.net_.backbone.parameters()).detach().clone()
    model.partial_fit(X[4:5], y[4:5])
    assert not torch.equal(weight, next(model.net_.backbone.parameters()))


def test_the_scale_is_positive():
    with pytest.raises(SettingError, match="scale=0"):
        Imprint(scale=0)
