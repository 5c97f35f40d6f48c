"""Joint training: everything is kept, and every task starts from the initial weights."""

import torch

from evergrow.methods import Joint
from evergrow.training import loop
from tests.methods.learners import attached, task


def test_everything_is_kept_once_and_trained_on():
    method = attached(Joint(), classes=0, epochs=2, batch_size=4)
    method.grow(0, 2)
    loop.train(method, task([[1.0, 0.0], [0.0, 1.0]], [0, 1], 0, 2))
    assert method.everything.y.tolist() == [0, 1]
    method.grow(2, 3)
    batches = []
    steps = method.learn(task([[5.0, 5.0]], [2], 2, 3, number=1))
    for terms in steps:
        loop.step(method, terms)
        batches.append(terms["all"].item())
    assert len(batches) == 2  # 3 examples, batch 4: one step an epoch
    assert method.everything.x.tolist() == [[1.0, 0.0], [0.0, 1.0], [5.0, 5.0]]


def test_a_task_starts_from_the_initial_weights():
    method = attached(Joint(), classes=0)
    method.grow(0, 2)
    loop.train(method, task([[1.0, 0.0], [0.0, 1.0]] * 20, [0, 1] * 20, 0, 2))
    next(method.learn(task([[5.0, 5.0]], [1], 2, 2, number=1)))
    assert float(method.net.head.weight.detach().norm()) < 1.5  # fresh rows, not the trained ones
    assert torch.equal(method.net.head.bias.detach(), torch.zeros(2))
