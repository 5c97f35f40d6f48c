"""ER-ACE against numbers worked out by hand."""

import torch

from evergrow.data.task import Batch
from evergrow.methods import ERACE
from tests.methods.learners import attached, task


def test_new_data_compete_among_the_batchs_classes_and_old_among_all():
    method = attached(ERACE(replay=1), classes=4, batch_size=2)
    past = torch.tensor([[1.0, 0.0]])
    method.past.add(Batch(past, torch.tensor([0]), past))
    terms = next(method.learn(task([[0.0, 1.0], [1.0, 1.0]], [1, 2], old=1, total=4)))
    torch.testing.assert_close(terms["new"].detach(), torch.tensor(2.0).log())
    torch.testing.assert_close(terms["replay"].detach(), torch.tensor(4.0).log())


def test_a_step_does_not_push_absent_classes_down():
    method = attached(ERACE(), classes=4, batch_size=2)
    terms = next(method.learn(task([[0.0, 1.0], [1.0, 1.0]], [1, 2], old=1, total=4)))
    (gradient,) = torch.autograd.grad(terms["new"], [method.net.head.bias])
    assert gradient[[0, 3]].tolist() == [0.0, 0.0]


def test_first_step_has_nothing_to_remember():
    terms = next(attached(ERACE()).learn(task([[0.0, 0.0]], [0], old=0, total=3)))
    assert list(terms) == ["new"]
    assert terms["new"].item() == 0.0  # one class among itself


def test_an_example_is_offered_after_its_step_and_in_the_first_epoch_alone():
    method = attached(ERACE(memory=10), epochs=3)
    sizes = [len(method.past) for _ in method.learn(task([[0.0, 0.0]] * 2, [0, 1], 0, 3))]
    assert sizes == [0, 1, 2, 2, 2, 2]
    assert method.past.seen == 2
