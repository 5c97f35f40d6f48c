"""MIR: what is replayed is what a step on the new batch would harm most."""

import pytest
import torch

from evergrow.data.task import Batch
from evergrow.methods import MIR
from tests.methods.learners import attached, task

# Along the first axis (a new example of class 1 there), beside it, and on the other side.
PAST = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])


def first_step(replay, y=(0, 0, 0), **how):
    method = attached(MIR(replay=replay, candidates=3), classes=2, **how)
    method.past.add(Batch(PAST, torch.tensor(y), PAST))
    with torch.no_grad():
        method.net.head.bias += torch.tensor([1.0, 0.0])
    seen = []
    method.net.register_forward_hook(lambda _, x, out: seen.append(x[0]))
    terms = next(method.learn(task([[1.0, 0.0]], [1], old=1, total=2, number=1)))
    return terms, seen[-1]


def test_the_example_nearest_to_the_new_one_is_harmed_most():
    _, replayed = first_step(1)
    assert replayed.tolist() == [[1.0, 0.0]]
    _, replayed = first_step(2)
    assert sorted(replayed.tolist()) == [[0.0, 1.0], [1.0, 0.0]]  # by the bias; the third gains


def test_an_example_of_the_same_class_is_helped():
    _, replayed = first_step(1, y=(1, 0, 0))
    assert replayed.tolist() == [[0.0, 1.0]]


def test_the_virtual_step_moves_no_weight():
    method = attached(MIR(replay=1, candidates=3), classes=2)
    method.past.add(Batch(PAST, torch.tensor([0, 0, 0]), PAST))
    terms = next(method.learn(task([[1.0, 0.0]], [1], old=1, total=2, number=1)))
    assert method.net.head.weight.tolist() == [[0.0, 0.0]] * 2
    torch.testing.assert_close(terms["replay"].detach(), torch.tensor(2.0).log())
    torch.testing.assert_close(terms["new"].detach(), torch.tensor(2.0).log())


def test_this_tasks_and_the_last_tasks_examples_are_replayed_too():
    method = attached(MIR(memory=10), epochs=2)
    steps = [list(terms) for terms in method.learn(task([[1.0, 0.0]] * 2, [0, 1], 0, 3))]
    assert steps == [["new"], ["new", "replay"], ["new", "replay"], ["new", "replay"]]
    assert sorted(method.past.y.tolist()) == [0, 1]


def test_no_candidates_are_refused():
    with pytest.raises(ValueError, match="candidates=0"):
        MIR(candidates=0)
