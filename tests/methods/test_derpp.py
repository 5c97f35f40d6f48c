"""DER++ against numbers worked out by hand."""

import torch

from evergrow.data.task import Batch
from evergrow.methods import DERpp
from tests.methods.learners import attached, task


def test_terms_are_the_papers():
    method = attached(DERpp(alpha=0.5, beta=2.0, replay=1))
    past = torch.tensor([[1.0, 0.0]])
    answers = torch.tensor([[3.0, 1.0]])  # there were two classes then
    method.past.add(Batch(past, torch.tensor([0]), past), logits=answers)
    terms = next(method.learn(task([[0.0, 1.0]], [2], old=2, total=3)))
    log3 = torch.tensor(3.0).log()
    torch.testing.assert_close(terms["new"].detach(), log3)
    torch.testing.assert_close(terms["dark"].detach(), torch.tensor(0.5 * (9 + 1) / 2))
    torch.testing.assert_close(terms["replay"].detach(), 2.0 * log3)


def test_answers_and_labels_are_replayed_from_draws_of_their_own():
    method = attached(DERpp(alpha=1.0, beta=1.0, replay=1))
    past, answers = torch.zeros(2, 2), torch.tensor([[1.0, 1.0], [3.0, 3.0]])
    method.past.add(Batch(past, torch.tensor([0, 1]), past), logits=answers)
    with torch.no_grad():
        method.net.head.bias[1] = -5.0
    # dark: (1 + 36) / 2 from the first sample, (9 + 64) / 2 from the second; replay: 0.7 and 5.7
    given = task([[0.0, 1.0]], [2], old=2, total=3, number=1)
    drawn = set()
    for _ in range(40):
        terms = next(method.learn(given))
        drawn.add((terms["dark"].item() > 25, terms["replay"].item() > 3))
    assert len(drawn) == 4, "one draw for both gives only two of the pairs"


def test_first_step_has_nothing_to_remember():
    terms = next(attached(DERpp()).learn(task([[0.0, 0.0]], [0], old=0, total=3)))
    assert list(terms) == ["new"]


def test_a_memory_without_answers_is_replayed_by_its_labels():
    method = attached(DERpp(replay=1))
    past = torch.tensor([[1.0, 0.0]])
    method.past.add(Batch(past, torch.tensor([0]), past))  # as another method left it
    terms = next(method.learn(task([[0.0, 1.0]], [2], old=2, total=3, number=1)))
    assert list(terms) == ["new", "replay"]


def test_an_example_is_remembered_with_the_answer_given_before_the_step():
    method = attached(DERpp(), epochs=2)
    steps = method.learn(task([[0.0, 0.0]], [0], old=0, total=3))
    next(steps)
    with torch.no_grad():
        method.net.head.bias += 1  # the optimizer moves the weights
    next(steps)
    assert method.past.logits.tolist() == [[0.0, 0.0, 0.0]]
