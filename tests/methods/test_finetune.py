"""Fine-tuning against a step worked out by hand."""

import torch

from evergrow.methods import FineTune
from evergrow.training import loop
from tests.methods.learners import attached, task


def test_one_step_is_gradient_descent_on_cross_entropy():
    method = attached(FineTune(), classes=2, momentum=0.0)
    loop.train(method, task([[1.0, 2.0]], [0], old=0, total=2))
    # softmax(0, 0) = 1/2: the gradient of the logits is (-1/2, 1/2), lr 0.1
    expected = torch.tensor([[0.05, 0.10], [-0.05, -0.10]])
    torch.testing.assert_close(method.net.head.weight.detach(), expected)


def test_nothing_is_kept():
    method = attached(FineTune())
    loop.train(method, task([[1.0, 2.0]], [0], old=0, total=3))
    assert method.state() == {"moments": {}}
