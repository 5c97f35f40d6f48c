"""BiC against numbers worked out by hand."""

import pytest
import torch

from evergrow.methods import BiC
from evergrow.training import loop
from tests.methods.learners import attached, task

LOG3 = torch.tensor(3.0).log()


def test_stage_2_evens_out_old_and_new_on_what_was_held_out():
    method = attached(BiC(memory=40), lr=1e-9)
    method.apart.remember(torch.tensor([[0.0, 0.0]]), torch.tensor([0]))
    loop.train(method, task([[1.0, 0.0]] * 2, [2, 2], old=2, total=3, number=1))
    # one of class 2 is held out too: half of what is held out is new, and every logit is 0.
    # e^beta / (2 + e^beta) = 1/2: beta = log 2
    assert method.apart.y.tolist() == [0, 2]
    log2 = torch.tensor(2.0).log()
    torch.testing.assert_close(
        method.correction[1], torch.tensor([0.0, 0.0, log2]), atol=1e-2, rtol=0
    )
    assert method.correction[0, :2].tolist() == [1.0, 1.0]
    scores = method.scores(torch.tensor([[0.0, 0.0]]))
    torch.testing.assert_close(scores[0], method.correction[1], atol=1e-6, rtol=0)


def test_the_old_network_answers_with_its_correction_and_m_weighs_it():
    method = attached(BiC(temperature=2.0))
    method.net.head.bias.data[1] = 2 * LOG3
    method.correction = torch.tensor([[1.0, 1.0], [0.0, -2 * LOG3]])  # it answers (0, 0)
    terms = next(method.learn(task([[0.0, 1.0]], [2], old=2, total=3, number=1)))
    half = torch.tensor([0.25, 0.75]).log().mean()  # this network at temperature 2: 1/4, 3/4
    torch.testing.assert_close(terms["keep"].detach(), -half * 2 / 3)
    torch.testing.assert_close(terms["new"].detach(), torch.tensor(11.0).log() / 3)


def test_as_many_of_each_class_are_held_out_and_never_trained_on():
    method = attached(BiC(memory=40, held_out=0.1), classes=2)
    x = [[float(i), 1.0] for i in range(12)]
    trained = []
    method.net.register_forward_hook(lambda _, x, y: trained.extend(x[0][:, 0].tolist()))
    steps = list(method.learn(task(x, [0] * 4 + [1] * 8, old=0, total=2)))
    assert [list(terms) for terms in steps] == [["new"]] * 8  # no teacher, no stage 2
    assert method.apart.y.tolist() == [0, 0, 1, 1] and len(method.exemplars) == 8
    assert not set(trained) & set(method.apart.x[:, 0].tolist())
    assert method.correction.tolist() == [[1.0, 1.0], [0.0, 0.0]]


def test_a_class_of_one_sample_is_trained_on():
    method = attached(BiC(), classes=1)
    assert len(list(method.learn(task([[1.0, 1.0]], [0], old=0, total=1)))) == 1
    assert len(method.apart) == 0


def test_what_is_given_to_remember_is_held_out_in_part():
    method = attached(BiC(memory=40), classes=2)
    method.remember(task([[1.0, 1.0]] * 9, [0] * 5 + [1] * 4, old=2, total=2))
    assert method.apart.y.tolist() == [0, 0, 1, 1]
    assert method.exemplars.y.tolist() == [0, 0, 0, 1, 1]


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="held_out=1"):
        BiC(held_out=1)
