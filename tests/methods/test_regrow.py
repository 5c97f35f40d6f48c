"""Regrow: class shares in the cross-entropy, the teacher of old classes, its own pace."""

from math import log

import pytest
import torch

from evergrow.errors import SettingError
from evergrow.methods import Regrow
from evergrow.training.losses import distill
from tests.methods.learners import attached, task

NEW = [[1.0, 2.0], [3.0, 4.0]]


def remembering(**settings):
    """Three rows of zeros; the memory was given two examples of class 0 and one of class 1."""
    method = attached(Regrow(**settings))
    method.past.remember(
        torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 0, 1])
    )
    return method


def test_the_cross_entropy_sees_the_shares_of_the_batch():
    method = remembering(replay=4, steps=1)
    terms = next(method.learn(task(NEW, [2, 2], old=2, total=3)))
    # all logits are 0; 2 rows of class 2, 4 replayed of 2 classes alike: shares 2, 2, 2
    torch.testing.assert_close(terms["classes"].exp().item(), 3.0)
    method = remembering(replay=12, steps=1)
    terms = next(method.learn(task(NEW, [2, 2], old=2, total=3)))
    # 14 rows now, shares 6, 6, 2: the mean of 12 old ones and of 2 new ones
    torch.testing.assert_close(terms["classes"].item(), (12 * log(14 / 6) + 2 * log(7)) / 14)


def test_a_class_with_no_example_anywhere_takes_no_part():
    terms = next(attached(Regrow(steps=1)).learn(task(NEW, [2, 2], old=2, total=3)))
    assert terms["classes"].item() == 0.0  # one class among itself


def test_the_teacher_speaks_of_old_classes_alone_and_is_never_stored():
    method = remembering(steps=1, replay=1)
    with torch.no_grad():
        method.net.head.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [9.0, 9.0]]))
    steps, taken = method.learn(task(NEW, [2, 2], old=2, total=3)), []
    method.net.backbone.register_forward_pre_hook(lambda _, given: taken.append(given[0]))
    terms = next(steps)
    assert method.teacher.n_classes == 2
    seen = taken[0]  # old rows are the identity: what goes in is the old answer
    torch.testing.assert_close(terms["keep"].detach(), 8 * distill(seen, seen, 2.0))
    list(steps)
    assert method.teacher is None and set(method.state()) == {"past", "teacher", "moments"}


def test_the_first_task_is_plain_training_and_fills_the_memory():
    method = attached(Regrow())
    steps = [list(terms) for terms in method.learn(task(NEW, [0, 1], old=0, total=3))]
    assert steps == [["classes"], ["classes"]] and len(method.past) == 2


def test_a_later_task_takes_whole_epochs_until_the_steps_are_done_and_slows_down():
    method, rates = remembering(steps=3, lr=0.3), []
    with torch.no_grad():
        method.net.head.weight.fill_(2.0)  # the unit of the rate
    for _ in method.learn(task(NEW, [2, 2], old=2, total=3)):
        rates.append(method.optimizer.param_groups[0]["lr"])
    torch.testing.assert_close(rates, [0.6, 0.4, 0.2])


@pytest.mark.parametrize(
    "wrong", [{"strength": -1.0}, {"temperature": 0}, {"steps": 0}, {"shift": -1}, {"replay": 0}]
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingError, match=f"{next(iter(wrong))}={next(iter(wrong.values()))}"):
        Regrow(**wrong)
