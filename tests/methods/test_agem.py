"""A-GEM against gradients worked out by hand."""

import torch

from evergrow.data.task import Batch
from evergrow.methods import AGEM
from evergrow.training import loop
from tests.methods.learners import attached, task


def moved(x, y):
    """How far weights (2, 2) and biases go in a step of 0.1; remembered: (1, 0) of class 0."""
    method = attached(AGEM(replay=1), classes=2, momentum=0.0)
    past = torch.tensor([[1.0, 0.0]])
    method.kept.add(Batch(past, torch.tensor([0]), past))
    loop.train(method, task([x], [y], old=1, total=2, number=1))
    head = method.net.head
    return head.weight.detach() / -0.1, head.bias.detach() / -0.1


# Gradients of logits at (1/2, 1/2): (-1/2, 1/2) for class 0, (1/2, -1/2) for class 1.


def test_an_opposite_gradient_is_cancelled():
    weight, bias = moved([1.0, 0.0], 1)
    assert weight.tolist() == [[0.0, 0.0]] * 2 and bias.tolist() == [0.0, 0.0]


def test_the_component_against_the_memory_is_taken_off():
    # orthogonal but for the biases: g.r = -1/2, r.r = 1, so g + r/2
    weight, bias = moved([0.0, 1.0], 1)
    torch.testing.assert_close(weight, torch.tensor([[-0.25, 0.5], [0.25, -0.5]]))
    torch.testing.assert_close(bias, torch.tensor([0.25, -0.25]))


def test_a_gradient_that_does_no_harm_stays():
    weight, bias = moved([0.0, 1.0], 0)
    torch.testing.assert_close(weight, torch.tensor([[0.0, -0.5], [0.0, 0.5]]))
    torch.testing.assert_close(bias, torch.tensor([-0.5, 0.5]))


def test_examples_are_kept_at_the_end_of_a_task():
    method = attached(AGEM(memory=2), epochs=2)
    sizes = [len(method.kept) for _ in method.learn(task([[0.0, 0.0]] * 3, [0, 0, 1], 0, 3))]
    assert sizes == [0] * 6 and sorted(method.kept.y.tolist()) == [0, 1]
