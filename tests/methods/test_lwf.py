"""LwF: the teacher is the network before the task; new classes compete among themselves."""

import torch

from evergrow.methods import LwF
from evergrow.training.losses import distill
from tests.methods.learners import attached, task


def test_the_teacher_does_not_move_with_the_network():
    method = attached(LwF(strength=1.0, temperature=2.0), epochs=2)
    x = torch.tensor([[1.0, 2.0]])
    with torch.no_grad():
        method.net.head.weight += torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    old = method.net(x).detach()[:, :2]
    steps = method.learn(task(x.tolist(), [2], old=2, total=3))
    next(steps)
    with torch.no_grad():
        method.net.head.weight[0] *= -1  # the optimizer moves the weights
    terms = next(steps)
    expected = distill(method.net(x).detach()[:, :2], old, 2.0)
    torch.testing.assert_close(terms["keep"].detach(), expected)


def test_the_new_loss_sees_the_tasks_classes_alone():
    terms = next(attached(LwF()).learn(task([[1.0, 2.0]], [2], old=2, total=3)))
    assert terms["new"].item() == 0.0  # one class among itself


def test_the_first_task_has_no_teacher():
    terms = next(attached(LwF()).learn(task([[1.0, 2.0]], [2], old=0, total=3)))
    assert list(terms) == ["new"]
