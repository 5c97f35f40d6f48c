"""GDumb: the memory alone, from the initial weights, at a rate that falls along a cosine."""

import pytest
import torch

from evergrow.methods import GDumb
from evergrow.training import loop
from tests.methods.learners import attached, task

NEW = task([[5.0, 5.0]] * 40, [2] * 40, old=2, total=3, number=1)


def learnt(**settings):
    method = attached(GDumb(**settings), classes=0, batch_size=4)
    method.grow(0, 2)
    loop.train(method, task([[1.0, 0.0], [0.0, 1.0]] * 20, [0, 1] * 20, 0, 2))
    method.grow(2, 3)
    return method


def test_it_trains_on_a_balanced_memory_alone():
    method = learnt(memory=6, passes=3)
    assert method.kept.y.sort().values.tolist() == [0, 0, 0, 1, 1, 1]
    steps = list(method.learn(NEW))
    assert method.kept.y.sort().values.tolist() == [0, 0, 1, 1, 2, 2]
    assert len(steps) == 3 * 2  # three passes over 6 examples, batch 4


def test_a_task_starts_from_the_initial_weights():
    method = learnt(memory=6, passes=40)
    assert float(method.net.head.weight.detach().norm()) > 1.5
    next(method.learn(NEW))
    assert float(method.net.head.weight.detach().norm()) < 1.5  # fresh rows
    assert method.net.head.bias.tolist() == [0.0, 0.0, 0.0]


def test_the_backbone_is_put_back_too():
    method = attached(GDumb(), classes=0)
    method.net.backbone.shift = torch.nn.Parameter(torch.zeros(2))
    method.setup()
    method.net.backbone.shift.data += 1
    next(method.learn(task([[5.0, 5.0]], [0], old=0, total=1)))
    assert method.net.backbone.shift.tolist() == [0.0, 0.0]


def test_the_rate_falls_while_it_trains():
    method, rates = learnt(memory=4, passes=4), []
    for _ in method.learn(NEW):
        rates.append(method.optimizer.param_groups[0]["lr"])
    assert rates[0] == 0.1 and rates == sorted(rates, reverse=True) and len(set(rates)) == 4


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="passes=0"):
        GDumb(passes=0)
    with pytest.raises(ValueError, match="memory=0"):
        GDumb(memory=0)
