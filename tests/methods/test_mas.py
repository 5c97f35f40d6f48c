"""MAS: importance is the mean size of the gradient of the squared norm of the outputs."""

import torch

from evergrow.methods import MAS
from evergrow.training import loop
from tests.methods.learners import attached, task


def test_importance_is_the_mean_over_samples_of_the_size_of_each_ones_gradient():
    method = attached(MAS(), classes=1, lr=1e-12, batch_size=2)
    with torch.no_grad():
        method.net.head.weight[0] = torch.tensor([3.0, 0.0])
    # outputs 3 and -6: d f^2 / d w = 2 f x = (6, 0) and (24, 0), d f^2 / d b = 6 and -12
    loop.train(method, task([[1.0, 0.0], [-2.0, 0.0]], [0, 0], 0, 1))
    omega = method.springs.importance
    torch.testing.assert_close(omega["head.weight"], torch.tensor([[(6 + 24) / 2, 0.0]]))
    torch.testing.assert_close(omega["head.bias"], torch.tensor([(6 + 12) / 2]))


def test_a_moved_weight_is_pulled_and_importances_add_up():
    method = attached(MAS(strength=0.1), classes=1, lr=0.01)
    w = {"head.bias": method.net.head.bias}
    for more in (1.0, 2.0):
        method.springs.hold(w, {"head.bias": torch.tensor([more])})
    with torch.no_grad():
        method.net.head.bias += 2
    terms = next(method.learn(task([[0.0, 0.0]], [0], 1, 1, 1)))
    torch.testing.assert_close(terms["keep"].detach(), torch.tensor(0.1 * 3 * 4))


def test_the_first_task_has_no_springs():
    assert list(next(attached(MAS()).learn(task([[1.0, 2.0]], [2], 0, 3)))) == ["new"]
