"""SI: the path integral of the new loss alone, and its quotient, worked out by hand."""

from dataclasses import replace

import pytest
import torch

from evergrow.methods import SI
from evergrow.training import loop
from tests.methods.learners import attached, task


def test_importance_is_gradient_times_step_over_the_squared_change_and_damping():
    method = attached(SI(damping=0.5), classes=2, momentum=0.0, lr=0.1, batch_size=2)
    loop.train(method, task([[2.0, 0.0], [0.0, 0.0]], [0, 1], 0, 2))
    # d loss / d w[0, 0] = -1/2 * 2 / 2 samples = -1/2, so the step is 0.05, w = 0.025
    omega = method.springs.importance["head.weight"]
    assert omega[0, 0].item() == pytest.approx(0.025 / (0.05**2 + 0.5))
    assert method.springs.anchor["head.weight"][0, 0].item() == pytest.approx(0.05)
    assert method.path == {}


def test_the_springs_own_work_does_not_count():
    method = attached(SI(strength=1.0), classes=2, momentum=0.0, lr=0.1)
    bias = {"head.bias": method.net.head.bias}
    method.springs.hold(bias, {"head.bias": torch.tensor([2.0, 0.0])})
    with torch.no_grad():
        method.net.head.bias += 1.0
    within = replace(task([[0.0, 0.0]], [0], 2, 2, 1), boundary=False)
    loop.train(method, within)  # one class among itself has no gradient: the springs alone move it
    torch.testing.assert_close(method.net.head.bias.data, torch.tensor([1 - 0.1 * 2 * 2.0, 1.0]))
    torch.testing.assert_close(method.path["head.bias"], torch.zeros(2), atol=1e-7, rtol=0)


def test_a_path_that_raised_the_loss_has_no_importance():
    method = attached(SI(), classes=2)
    method.path = {"head.bias": torch.tensor([-1.0, 0.2])}
    method.start = {"head.bias": -torch.ones(2)}
    loop.train(method, task([[0.0, 0.0]], [0], 2, 2, 1))  # one class among itself moves nothing
    omega = method.springs.importance["head.bias"]
    torch.testing.assert_close(omega, torch.tensor([0.0, 0.2 / (1 + 0.1)]))


def test_between_boundaries_a_stream_goes_on_adding_up_one_path():
    method = attached(SI(), classes=2, momentum=0.0)
    chunk = replace(task([[2.0, 0.0]] * 2, [0, 1], 2, 2), boundary=False)
    loop.train(method, chunk)
    first = method.path["head.weight"].clone()
    loop.train(method, chunk)
    assert not method.springs and (method.path["head.weight"] != first).any()
    assert (method.start["head.weight"] == 0).all()


def test_the_first_task_has_no_springs():
    assert list(next(attached(SI()).learn(task([[1.0, 2.0]], [2], 0, 3)))) == ["new"]
