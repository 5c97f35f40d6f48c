"""Probe: the backbone never moves, batch norm included; the head takes plain gradient steps."""

import torch
from torch import nn

from evergrow import GrowingClassifier
from evergrow.checks import blobs
from evergrow.methods import Probe
from evergrow.training import loop
from tests.methods.learners import attached, task


def test_one_step_moves_the_head_by_the_gradient_worked_out_by_hand():
    method = attached(Probe(), classes=2, momentum=0.0, lr=0.1)
    loop.train(method, task([[2.0, 0.0]], [0], 0, 2))
    # softmax is (1/2, 1/2), so d loss / d logits is (-1/2, 1/2); times x = (2, 0), times lr
    expected = torch.tensor([[0.1, 0.0], [-0.1, 0.0]])
    torch.testing.assert_close(method.net.head.weight.data, expected)
    torch.testing.assert_close(method.net.head.bias.data, torch.tensor([0.05, -0.05]))


def test_the_backbone_stays_without_freeze():
    X, y = blobs()

    def normed() -> nn.Module:
        return nn.Sequential(nn.Linear(2, 16), nn.BatchNorm1d(16), nn.ReLU())

    model = GrowingClassifier(normed, "probe", epochs=1, random_state=0)
    model.partial_fit(X[:10], y[:10])
    before = {k: v.clone() for k, v in model.net_.backbone.state_dict().items()}
    head = model.net_.head.weight.detach().clone()
    model.partial_fit(X, y)
    after = model.net_.backbone.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before)
    assert not torch.equal(head, model.net_.head.weight)
