"""Cumulative: all data at each task, and the weights go on from where they are."""

import math

import pytest
import torch

from evergrow.methods import Cumulative
from tests.methods.learners import attached, task


def learn(method, chunk):
    """Runs the generator without an optimizer; gives the terms of each step."""
    return [{k: v.item() for k, v in terms.items()} for terms in method.learn(chunk)]


def test_a_task_is_kept_whole_once_it_is_learnt():
    method = attached(Cumulative(), epochs=3)
    steps = method.learn(task([[0.0, 1.0], [1.0, 0.0]], [0, 1], 0, 3))
    next(steps)
    assert len(method.everything) == 0
    list(steps)
    assert method.everything.y.tolist() == [0, 1]


def test_the_loss_is_the_mean_over_old_and_new_samples():
    method = attached(Cumulative(), batch_size=4)
    learn(method, task([[1.0, 0.0], [0.0, 1.0]], [0, 1], 0, 3))
    with torch.no_grad():
        method.net.head.bias[2] = math.log(2)  # shares 1/4, 1/4, 1/2
    (terms,) = learn(method, task([[1.0, 1.0]], [2], 2, 3))
    assert terms["all"] == pytest.approx(-(2 * math.log(1 / 4) + math.log(1 / 2)) / 3)


def test_the_weights_go_on_from_where_they_are():
    method = attached(Cumulative())
    with torch.no_grad():
        method.net.head.weight += 7.0
    next(method.learn(task([[1.0, 0.0]], [2], 2, 3)))
    assert (method.net.head.weight == 7.0).all()
