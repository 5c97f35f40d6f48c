"""DMC+: what is learnt from whom, which unlabelled inputs count as new."""

from dataclasses import replace
from math import exp, log

import pytest
import torch

from evergrow.data.task import Tensors
from evergrow.errors import SettingError
from evergrow.methods import DMCPlus
from tests.methods.learners import attached, task


def with_unlabelled(x, labelled=((1.0, 0.0), (0.0, 1.0))):
    whole = task([list(row) for row in labelled], [2] * len(labelled), old=2, total=3)
    return replace(whole, auxiliary=Tensors(torch.tensor(x)))


def test_both_terms_by_hand_before_and_after_it_is_asked_which_inputs_are_new():
    method = attached(DMCPlus(replay=100, steps=2))
    with torch.no_grad():
        method.net.head.weight.copy_(torch.tensor([[0.0, 0.0], [0.0, 0.0], [9.0, 0.0]]))
    x = [[1.0, 0.0]] * 30 + [[-1.0, 0.0]] * 70  # 30 look like the labelled ones
    whole = with_unlabelled(x, labelled=[(1.0, 0.0)] * 50)
    before, after = ({k: v.item() for k, v in t.items()} for t in method.learn(whole))
    # shares of the batch: 100 labelled of class 2; 100 unlabelled ones on two old classes: 50 each.
    # The old network says 1/2, 1/2
    top, low = 100 * exp(9), 100 * exp(-9)
    assert before["new"] == pytest.approx(log((100 + top) / top), rel=1e-3)
    old = 0.3 * log((100 + top) / 50) + 0.7 * log((100 + low) / 50)
    assert before["old"] == pytest.approx(old, rel=1e-4)
    # 0.3 are estimated to be new: these are left out, and 70 are left on two old classes
    assert method.share == pytest.approx(0.3)
    assert after["new"] == pytest.approx(log((70 + top) / top), rel=1e-3)
    assert after["old"] == pytest.approx(0.7 * log((70 + low) / 35), rel=1e-4)


class Noted:
    """Records that note which rows are taken."""

    def __init__(self, records):
        self.records, self.taken = records, []

    def __len__(self):
        return len(self.records)

    def take(self, rows):
        self.taken.append(rows)
        return self.records.take(rows)


@pytest.mark.parametrize(("labelled", "held"), [(200, 20), (60, 60)])
def test_a_tenth_of_many_labelled_is_held_and_of_few_none(labelled, held):
    given = with_unlabelled([[0.0, 0.0]], labelled=[(1.0, 0.0)] * labelled)
    given = replace(given, records=Noted(given.records))
    list(attached(DMCPlus(steps=2, replay=500)).learn(given))
    shown, scored, again = given.records.taken
    assert len(scored.unique()) == len(scored) == held
    assert torch.isin(shown, scored).all() == (held == labelled) == torch.isin(again, scored).all()
    assert held == labelled or not torch.isin(shown, scored).any()


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
