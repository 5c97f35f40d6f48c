"""Experience replay against numbers worked out by hand."""

import torch

from evergrow.data.task import Batch
from evergrow.methods import ER
from tests.methods.learners import attached, task


def test_old_and_new_weigh_the_same():
    method = attached(ER(replay=1))
    past = torch.tensor([[1.0, 0.0]])
    method.past.add(Batch(past, torch.tensor([0]), past))
    terms = next(method.learn(task([[0.0, 1.0]], [2], old=2, total=3)))
    log3 = torch.tensor(3.0).log()
    torch.testing.assert_close(terms["new"].detach(), log3)
    torch.testing.assert_close(terms["replay"].detach(), log3)


def test_first_step_has_nothing_to_remember():
    terms = next(attached(ER()).learn(task([[0.0, 0.0]], [0], old=0, total=3)))
    assert list(terms) == ["new"]


def test_an_example_is_offered_after_its_step_and_in_the_first_epoch_alone():
    method = attached(ER(memory=10), epochs=3)
    sizes = [len(method.past) for _ in method.learn(task([[0.0, 0.0]] * 2, [0, 1], 0, 3))]
    assert sizes == [0, 1, 2, 2, 2, 2]
    assert method.past.seen == 2
