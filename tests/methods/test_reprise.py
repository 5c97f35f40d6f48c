"""Reprise against numbers worked out by hand."""

import pytest
import torch

from evergrow.data.task import Batch
from evergrow.methods import Reprise
from tests.methods.learners import attached, task

PAST = torch.tensor([[1.0, 0.0]])


def cosine(**settings):
    """A head that is not adopted, its rows along the axes and the diagonal."""
    method = attached(Reprise(**{"replay": 1, "scale": 2.0, "sums": 0, **settings}))
    method.linear = False
    with torch.no_grad():
        method.net.head.weight.copy_(torch.tensor([[3.0, 0.0], [0.0, 0.5], [1.0, 1.0]]))
    return method


def test_terms_are_corrected_by_how_often_each_class_comes():
    method = cosine()
    method.past.add(Batch(PAST, torch.tensor([0]), PAST))
    terms = next(method.learn(task([[0.0, 5.0]], [2], old=2, total=3)))
    # one example of class 2 comes, one of class 0 is kept, none of class 1: it takes no part
    root = 0.5**0.5  # the cosine with the diagonal
    new = torch.tensor([0.0, 2 * root]).log_softmax(0)[1]  # of classes 0 and 2
    old = torch.tensor([2.0, 2 * root]).log_softmax(0)[0]
    torch.testing.assert_close(terms["new"].detach(), -new)
    torch.testing.assert_close(terms["replay"].detach(), -old)


def test_a_class_that_comes_more_often_must_be_surer():
    method = cosine()
    method.past.add(Batch(PAST, torch.tensor([0]), PAST))
    y = [2, 2, 2]
    terms = next(method.learn(task([[0.0, 5.0]] * 3, y, old=2, total=3)))  # batches of one
    prior = torch.tensor([1.0, 1.0]).log()
    scores = torch.tensor([0.0, 2 * 0.5**0.5]) + prior
    torch.testing.assert_close(terms["new"].detach(), -scores.log_softmax(0)[1])


def test_the_first_task_has_nothing_to_replay():
    terms = next(cosine().learn(task([[0.0, 5.0]], [2], old=0, total=3)))
    assert list(terms) == ["new"]


def test_examples_are_kept_once_in_equal_shares():
    method = cosine(memory=2)
    x = [[1.0, float(i)] for i in range(6)]
    list(method.learn(task(x, [0, 0, 0, 0, 0, 1], old=0, total=3)))
    assert sorted(method.past.y.tolist()) == [0, 1] and method.past.seen == 6


def test_scores_are_cosines_times_the_scale():
    scores = cosine().scores(torch.tensor([[0.0, 7.0]]))
    torch.testing.assert_close(scores.detach(), torch.tensor([[0.0, 2.0, 2 * 0.5**0.5]]))


def test_the_head_of_a_network_trained_elsewhere_stays_linear():
    method = attached(Reprise(sums=0))
    assert method.linear
    with torch.no_grad():
        method.net.head.weight.copy_(torch.tensor([[3.0, 0.0], [0.0, 0.5], [1.0, 1.0]]))
    assert method.scores(torch.tensor([[0.0, 2.0]])).tolist() == [[0.0, 1.0, 2.0]]


def test_the_rate_falls_to_zero_over_the_second_half():
    method, rates = cosine(), []
    for _ in method.learn(task([[0.0, 5.0]] * 4, [2] * 4, old=2, total=3)):
        rates.append(method.optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.1, 0.1, 0.1, 0.05])


@pytest.mark.parametrize("wrong", [{"scale": 0.0}, {"shift": -1}, {"sums": -1}, {"replay": 0}])
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValueError, match=str(next(iter(wrong.values())))):
        Reprise(**wrong)


def test_both_opinions_are_multiplied_once_every_class_has_given_samples():
    method = attached(Reprise(sums=8))
    x, y = [[5.0, 0.0], [4.0, 1.0], [0.0, 5.0], [1.0, 4.0]], [0, 0, 1, 1]
    list(method.learn(task(x, y, old=0, total=3)))
    seen = torch.tensor([[3.0, 1.0]])
    assert torch.equal(method.scores(seen), method.net(seen))  # of class 2 nothing is known
    list(method.learn(task([[-5.0, -5.0], [-4.0, -5.0]], [2, 2], old=2, total=3)))
    both = method.net(seen).log_softmax(1) + method.second.log_shares(seen)
    torch.testing.assert_close(method.scores(seen), both)


def test_each_sample_enters_the_sums_once():
    method = attached(Reprise(sums=8), epochs=3)
    list(method.learn(task([[1.0, 2.0]] * 5, [0, 0, 1, 1, 2], old=0, total=3)))
    assert method.second.sums.counts.tolist() == [2, 2, 1]


def test_an_undone_task_leaves_the_sums_as_they_were():
    method = attached(Reprise(sums=8))
    twin = method.fork(method.how, method.rng)
    twin.grow(0, 3)
    list(twin.learn(task([[1.0, 2.0]] * 3, [0, 1, 2], old=0, total=3)))
    assert twin.second.sums.counts.tolist() == [1, 1, 1] and len(twin.past) == 3
    assert not len(method.second.sums.counts) and method.second.layer is None
    assert len(method.past) == 0
