"""DMC against numbers worked out by hand: what the student is taught, and when it warns."""

import pytest
import torch

from evergrow.data.task import Tensors
from evergrow.errors import SettingError
from evergrow.methods import DMC
from evergrow.training.losses import double_target
from tests.methods.learners import attached, task

OLD, NEW = torch.tensor([[4.0, 2.0]]), torch.tensor([[7.0, 1.0]])


def with_auxiliary(x, **parts):
    whole = task([[1.0, 0.0], [0.0, 1.0]], [2, 3], old=2, total=4)
    return whole if x is None else type(whole)(**{**vars(whole), "auxiliary": Tensors(x), **parts})


def test_each_teacher_is_centred_on_its_own_classes():
    target = double_target(OLD, NEW, torch.tensor([2, 3]), total=4)
    assert target.tolist() == [[1.0, -1.0, 3.0, -3.0]]


def test_an_offset_of_a_teacher_changes_nothing_and_a_scale_does():
    columns = torch.tensor([2, 3])
    target = double_target(OLD, NEW, columns, 4)
    assert torch.equal(double_target(OLD + 5, NEW - 3, columns, 4), target)
    assert not torch.equal(double_target(OLD, 2 * NEW, columns, 4), target)


def test_one_new_class_is_taught_to_be_zero_and_a_common_one_gets_the_mean():
    assert double_target(OLD, NEW[:, :1], torch.tensor([2]), 3)[0, 2] == 0
    target = double_target(OLD, NEW, torch.tensor([1, 3]), 4)
    assert target[0, :2].tolist() == [1.0, 1.0]  # (-1 + 3) / 2
    assert target[0, 2].isnan() and target[0, 3] == -3


def test_the_student_is_fresh_and_learns_from_the_auxiliary_inputs_alone():
    method = attached(DMC(epochs=1), classes=4, batch_size=2, lr=0.5)
    with torch.no_grad():
        method.net.head.weight += torch.tensor([[3.0, 0.0], [1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    auxiliary = torch.tensor([[1.0, 0.0]])
    steps = method.learn(with_auxiliary(auxiliary))
    assert list(next(steps)) == ["new"]
    with torch.no_grad():  # the new teacher ends up here
        method.net.head.weight.zero_()[2, 0] = 8.0
    terms = next(steps)
    assert list(terms) == ["both"]
    # targets: old (3, 1) -> (1, -1), new (8, 0) -> (4, -4)
    logits = method.net(auxiliary).detach()[0]
    assert 0 < logits.abs().max() <= 2**-0.5, "the student keeps weights of a teacher"
    expected = (logits - torch.tensor([1.0, -1.0, 4.0, -4.0])).square().sum() / 4
    torch.testing.assert_close(terms["both"].detach(), expected)
    assert list(steps) == []


def test_the_first_task_is_plain_training_and_a_teacher_is_never_stored():
    method = attached(DMC(), classes=2)
    first = task([[1.0, 0.0], [0.0, 1.0]], [0, 1], old=0, total=2)
    assert [list(terms) for terms in method.learn(first)] == [["new"], ["new"]]
    assert set(method.state()) == {"birth", "moments"}


def test_without_auxiliary_inputs_the_tasks_own_are_taken():
    method = attached(DMC(epochs=2), classes=4)
    assert [list(terms)[0] for terms in method.learn(with_auxiliary(None))] == ["new"] * 2 + [
        "both"
    ] * 4
    assert method.warnings() == []  # advice.py says it before


def test_inputs_far_from_the_task_are_a_warning_and_near_ones_are_none():
    method = attached(DMC(), classes=4)
    x = torch.tensor([[0.9, 0.0], [0.1, 1.1]])
    for _ in method.learn(with_auxiliary(x)):
        pass
    assert method.warnings() == []
    for _ in method.learn(with_auxiliary(x + 5)):
        pass
    assert "far from the task" in method.warnings()[0]


@pytest.mark.parametrize("wrong", [{"epochs": -1}, {"lr": 0}, {"far": 0.0}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingError, match=str(next(iter(wrong.values())))):
        DMC(**wrong)
