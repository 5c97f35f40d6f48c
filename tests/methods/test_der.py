"""DER against numbers worked out by hand."""

import pytest
import torch

from evergrow.data.task import Batch
from evergrow.methods import DER
from tests.methods.learners import attached, task

PAST = torch.tensor([[1.0, 0.0]])


def first_terms(method):
    return next(method.learn(task([[0.0, 1.0]], [2], old=2, total=3)))


def test_a_class_born_since_counts_as_the_lowest_answer_given():
    method = attached(DER(alpha=0.5, replay=1))
    method.past.add(Batch(PAST, torch.tensor([0]), PAST), logits=torch.tensor([[3.0, -1.0]]))
    terms = first_terms(method)
    assert list(terms) == ["new", "dark"]  # no labels are replayed
    torch.testing.assert_close(terms["new"].detach(), torch.tensor(3.0).log())
    # all logits are 0 now: (3^2 + 1^2 + 1^2) / 3, the last for the class that is new
    torch.testing.assert_close(terms["dark"].detach(), torch.tensor(0.5 * 11 / 3))


def test_an_example_without_an_answer_has_no_say():
    method = attached(DER(alpha=0.5, replay=2))
    method.past.add(Batch(PAST, torch.tensor([0]), PAST))
    assert list(first_terms(method)) == ["new"]  # nothing recorded at all
    method.past.add(Batch(PAST, torch.tensor([0]), PAST), logits=torch.tensor([[2.0, 2.0, 2.0]]))
    torch.testing.assert_close(first_terms(method)["dark"].detach(), torch.tensor(0.5 * 4))


def test_first_step_has_nothing_to_remember():
    terms = next(attached(DER()).learn(task([[0.0, 0.0]], [0], old=0, total=3)))
    assert list(terms) == ["new"]


def test_an_example_is_remembered_in_every_epoch_with_the_answer_given_before_the_step():
    method = attached(DER(), epochs=2)
    for _ in method.learn(task([[0.0, 0.0]], [0], old=0, total=3)):
        with torch.no_grad():
            method.net.head.bias += 1  # the optimizer moves the weights
    assert method.past.logits.tolist() == [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]


def test_a_negative_weight_is_refused():
    with pytest.raises(ValueError, match="alpha=-1"):
        DER(alpha=-1)
