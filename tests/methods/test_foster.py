"""FOSTER: the losses of both stages by hand; what is stored is one network and exemplars."""

import pytest
import torch

from evergrow.errors import SettingError
from evergrow.methods import FOSTER
from evergrow.training.losses import distill_balanced, effective
from tests.methods.learners import task
from tests.methods.scaled_plane import attached

E2 = torch.tensor(2.0).exp()


def test_the_boost_starts_from_the_old_answers_and_keeps_them():
    method = attached(FOSTER(align=0.0, strength=3.0, temperature=1.0))
    terms = next(method.learn(task([[2.0, 0.0]], [2], 2, 3)))
    torch.testing.assert_close(terms["boost"].detach(), (E2 + 2).log())  # logits (2, 0, 0)
    p = E2 / (E2 + 1)  # of both networks, on the old classes alone
    entropy = -(p * p.log() + (1 - p) * (1 - p).log())
    torch.testing.assert_close(terms["keep"].detach(), 3 * entropy)


def test_the_new_features_are_trained_for_all_classes_by_themselves():
    terms = next(attached(FOSTER()).learn(task([[0.0, 0.0]], [2], 2, 3)))
    torch.testing.assert_close(terms["own"].detach(), torch.tensor(3.0).log())


def test_logits_are_divided_by_the_weights_of_the_classes():
    method = attached(FOSTER(align=0.5))
    method.past.remember(torch.zeros(2, 2), torch.tensor([0, 1]))
    weights = effective(torch.tensor([1, 1, 2]), 0.5)  # 1, 1 and 1 / 1.5 over their mean 8 / 9
    torch.testing.assert_close(weights, torch.tensor([9 / 8, 9 / 8, 3 / 4]))
    steps = method.learn(task([[2.0, 0.0], [2.0, 0.0]], [2, 2], 2, 3))
    found = [next(steps)["boost"].detach() for _ in range(4)]  # without an optimizer's step
    expected = ((torch.tensor([2.0, 0.0, 0.0]) / weights).exp().sum()).log()
    assert sum(torch.isclose(f, expected).item() for f in found) == 2


def test_balanced_distillation_weighs_the_teachers_answer():
    logits, teacher = torch.zeros(1, 2), torch.tensor([[torch.tensor(3.0).log(), 0.0]])
    weights = torch.tensor([1.0, 3.0])  # (3/4, 1/4) becomes (1/2, 1/2)
    shifted = torch.tensor([[1.0, 0.0]])
    even = -0.5 * shifted.log_softmax(1).sum()
    torch.testing.assert_close(distill_balanced(shifted, teacher, weights, 1.0), even)
    assert distill_balanced(logits, teacher, weights).exp().item() == pytest.approx(2.0)


def test_the_student_begins_as_the_old_network_and_learns_the_boosted_answers():
    method = attached(FOSTER(balance=0.0, temperature=1.0))
    steps = method.learn(task([[2.0, 0.0]], [2], 2, 3))
    next(steps)
    with torch.no_grad():  # the optimizer moves the new module
        method.net.backbone.by.fill_(5.0)
        method.net.head.weight[2, 0] = 0.3
    terms = next(steps)
    assert list(terms) == ["student"]
    assert method.net.backbone.by == 1 and method.net.head.weight[0].tolist() == [1.0, 0.0]
    answer = torch.tensor([[2.0, 0.0, 0.3 * 2 * 5]]).softmax(1)
    now = torch.tensor([[2.0, 0.0, 0.0]]).log_softmax(1)
    torch.testing.assert_close(terms["student"].detach(), -(answer * now).sum())


def test_the_first_task_is_plain_and_only_exemplars_are_stored():
    method = attached(FOSTER(memory=3))
    terms = list(method.learn(task([[1.0, 0.0], [0.0, 1.0]], [0, 2], 0, 3)))
    assert [list(t) for t in terms] == [["all"], ["all"]]
    assert set(method.state()) == {"moments", "past"} and method.past.y.tolist() == [0, 2]


@pytest.mark.parametrize("wrong", [{"align": 1.0}, {"balance": -0.1}, {"memory": 0}])
def test_settings_out_of_range_are_refused(wrong):
    name, value = next(iter(wrong.items()))
    with pytest.raises(SettingError, match=f"'{name}': {value}"):
        FOSTER(**wrong)
