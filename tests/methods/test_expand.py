"""Expand: what is frozen, what is added when, and both losses worked out by hand."""

import pytest
import torch

from evergrow.errors import SettingError
from evergrow.methods import Expand
from tests.methods.learners import task
from tests.methods.scaled_plane import attached


def test_old_answers_come_from_the_frozen_branch_and_the_new_class_starts_at_zero():
    method = attached(Expand())
    method.net.head.weight.data[2, 1] = 7.0  # drawn for the new features, which are (2, 0)
    terms = next(method.learn(task([[2.0, 0.0]], [2], old=2, total=3)))
    e2 = torch.tensor(2.0).exp()
    torch.testing.assert_close(terms["all"].detach(), (e2 + 2).log())  # logits (2, 0, 0)
    assert method.branches.heads[0].tolist() == [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    assert method.net.head.weight.tolist() == [[0.0, 0.0], [0.0, 0.0], [0.0, 7.0]]


def test_the_auxiliary_head_tells_new_classes_apart_from_all_old_ones_as_one():
    method = attached(Expand(strength=3.0))
    terms = next(method.learn(task([[0.0, 0.0]], [2], old=2, total=3)))
    torch.testing.assert_close(terms["apart"].detach(), 3 * torch.tensor(2.0).log())


def test_the_first_task_and_one_without_new_classes_add_nothing():
    for old, total in ((0, 3), (3, 3)):
        method = attached(Expand(balance=0))
        terms = list(method.learn(task([[2.0, 0.0]], [2], old=old, total=total)))
        assert [list(t) for t in terms] == [["all"]] and len(method.branches) == 0


def test_a_frozen_backbone_adds_nothing():
    method = attached(Expand(balance=0), freeze=True)
    list(method.learn(task([[2.0, 0.0]], [2], old=2, total=3)))
    assert len(method.branches) == 0


def test_at_last_the_heads_learn_on_equal_numbers_of_exemplars():
    method = attached(Expand(memory=3, balance=2))
    method.past.remember(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 1]))
    steps = method.learn(task([[1.0, 1.0], [2.0, 2.0]], [2, 2], old=2, total=3))
    assert [list(next(steps)) for _ in range(4)] == [["all", "apart"]] * 4  # 2 + 2 remembered
    last = [list(terms) for terms in steps]
    assert last == [["balance"]] * 6  # two epochs of three exemplars
    assert method.past.y.tolist() == [0, 1, 2]


def test_what_learns_is_the_newest_backbone_and_every_head():
    method = attached(Expand())
    next(method.learn(task([[2.0, 0.0]], [2], old=2, total=3)))
    groups = method.optimizer.param_groups
    learns = {id(p) for group in groups for p in group["params"]}
    assert id(method.net.backbone.by) in learns and id(method.branches.heads[0]) in learns
    assert id(method.branches.layers[0]["by"]) not in learns


@pytest.mark.parametrize("wrong", [{"strength": -1.0}, {"memory": 0}, {"balance": -2}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingError, match=str(next(iter(wrong.values())))):
        Expand(**wrong)
