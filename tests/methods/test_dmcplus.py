"""DMC+: what is learnt from whom, which unlabelled inputs count as new."""

from dataclasses import replace

import pytest
import torch
from learners import attached, task

from evergrow.data import Batch, Tensors
from evergrow.errors import SettingError
from evergrow.methods import DMCPlus
from evergrow.network import frozen


def with_unlabelled(x, labelled=((1.0, 0.0), (0.0, 1.0))):
    whole = task([list(row) for row in labelled], [2] * len(labelled), old=2, total=3)
    return replace(whole, auxiliary=Tensors(torch.tensor(x)))


def test_both_terms_by_hand():
    method, whole = attached(DMCPlus(replay=2)), with_unlabelled([[1.0, 0.0], [5.0, 5.0]])
    method.share = 0.5
    raw = torch.tensor([[1.0, 0.0], [5.0, 5.0]])
    batch, is_new = Batch(raw, torch.arange(2), raw), torch.tensor([False, True])
    terms = method._terms(whole, torch.arange(2), frozen(method.net, 2), batch, is_new)
    # shares of the batch: 2 labelled of class 2; half of 2 unlabelled ones on two old classes: 1/2
    torch.testing.assert_close(terms["new"].exp().item(), 3 / 2)
    # the one that is left: the teacher says 1/2, 1/2; the student 1/6 each; a mean over two rows
    torch.testing.assert_close((2 * terms["old"]).exp().item(), 6.0)


def test_inputs_of_highest_score_count_as_new_as_many_as_are_estimated():
    method = attached(DMCPlus())
    with torch.no_grad():
        method.net.head.weight.copy_(torch.tensor([[0.0, 0.0], [0.0, 0.0], [9.0, 0.0]]))
    x = [[1.0, 0.0]] * 30 + [[-1.0, 0.0]] * 70
    whole = with_unlabelled(x, labelled=[(1.0, 0.0)] * 50)
    found = method._new(whole, whole.auxiliary, torch.arange(50))
    assert found[:30].all() and not found[30:].any()
    assert method.share == pytest.approx(0.3)


def test_a_tenth_of_many_labelled_is_held_and_of_few_none():
    many = with_unlabelled([[0.0, 0.0]], labelled=[(1.0, 0.0)] * 200)
    shown, apart = attached(DMCPlus())._apart(many)
    assert len(shown) == 180 and len(apart) == 20 and not torch.isin(shown, apart).any()
    shown, apart = attached(DMCPlus())._apart(with_unlabelled([[0.0, 0.0]]))
    assert shown.tolist() == apart.tolist() == [0, 1]


def test_steps_are_whole_passes_over_the_unlabelled_inputs_and_slow_down():
    method, rates = attached(DMCPlus(steps=3, lr=0.4, replay=1)), []
    for terms in method.learn(with_unlabelled([[1.0, 0.0], [0.0, 1.0]])):
        rates.append(method.optimizer.param_groups[0]["lr"])
        assert set(terms) == {"new", "old"}
    torch.testing.assert_close(rates, [0.4, 0.3, 0.2, 0.1])


def test_the_first_task_is_plain_training_and_nothing_is_stored():
    method = attached(DMCPlus(), classes=2)
    first = task([[1.0, 0.0], [0.0, 1.0]], [0, 1], old=0, total=2)
    assert [list(terms) for terms in method.learn(first)] == [["new"], ["new"]]
    assert set(method.state()) == {"share", "moments"}


def test_without_unlabelled_inputs_it_distils_on_the_tasks_own():
    method = attached(DMCPlus())
    terms = next(method.learn(task([[1.0, 0.0]], [2], old=2, total=3)))
    assert list(terms) == ["new", "keep"] and method.warnings() == []  # advice.py says it before


def test_unlabelled_inputs_without_a_new_class_are_passed_over_with_a_warning():
    method = attached(DMCPlus())
    known = replace(task([[1.0, 0.0]], [1], old=2, total=2), auxiliary=Tensors(torch.ones(3, 2)))
    terms = next(method.learn(known))
    assert list(terms) == ["new", "keep"] and "no class is new" in method.warnings()[0]


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"lr": 0}, {"replay": 0}, {"held": 1.0}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingError, match=f"{next(iter(wrong))}={next(iter(wrong.values()))}"):
        DMCPlus(**wrong)
