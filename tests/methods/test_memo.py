"""MEMO: which layers are shared, what is added when, and how new rows are aligned."""

import pytest
import torch
from torch import nn

from evergrow.errors import SettingError
from evergrow.methods import MEMO
from evergrow.nn.expansion import last_block
from evergrow.nn.head import align
from evergrow.nn.network import Body, Inputs, Network
from evergrow.training.random_generators import Generators
from evergrow.training.settings import Training
from tests.methods.learners import task


class Stages(Body):
    """Two linear layers on the plane, both the identity, with a norm between."""

    width, block_rows = 2, 0

    def __init__(self):
        super().__init__()
        self.shared, self.norm, self.special = nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Linear(2, 2)
        for layer in (self.shared, self.special):
            nn.init.eye_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.norm.eps = 1e-12

    def forward(self, x):
        return self.special(self.norm(self.shared(x)))


def attached(method, **how):
    """Two old classes, a third just grown with zero weights; logits of x were x."""
    net = Network(Stages(), Inputs("tensor"))
    net.head.extend(torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]), torch.zeros(3))
    how = Training(**{"epochs": 1, "batch_size": 2, "lr": 0.1, **how})
    method.attach(net.eval(), how, Generators(0))
    return method


def train(method, *given):
    for terms in method.learn(task(*given)):
        method.optimizer.zero_grad()
        sum(terms.values()).backward()
        method.optimizer.step()


PAIR = [[2.0, 0.0], [1.0, 1.0]], [2, 2]


def test_old_answers_come_from_the_old_block_and_the_new_class_starts_at_zero():
    method = attached(MEMO(), batch_size=1)
    terms = next(method.learn(task([[2.0, 0.0]], [2], 2, 3)))
    e2 = torch.tensor(2.0).exp()
    torch.testing.assert_close(terms["all"].detach(), (e2 + 2).log())  # logits (2, 0, 0)
    assert list(method.branches.layers[0]) == ["special.weight", "special.bias"]


def test_shared_layers_and_their_norms_stay_after_the_first_task():
    method = attached(MEMO())
    before = {k: v.clone() for k, v in method.net.backbone.state_dict().items()}
    train(method, *PAIR, 2, 3)
    after = method.net.backbone.state_dict()
    moved = {k for k in before if not torch.equal(before[k], after[k])}
    assert moved == {"special.weight", "special.bias"}


def test_shared_layers_may_learn_on():
    method = attached(MEMO(shared_learns=True))
    before = method.net.backbone.shared.weight.clone()
    train(method, *PAIR, 2, 3)
    assert not torch.equal(before, method.net.backbone.shared.weight)


def test_the_first_task_trains_everything_and_adds_nothing():
    method = attached(MEMO(), batch_size=3)
    before = method.net.backbone.shared.weight.clone()
    train(method, [[2.0, 0.0], [1.0, 1.0], [0.0, 3.0]], [0, 1, 2], 0, 3)
    assert len(method.branches) == 0
    assert not torch.equal(before, method.net.backbone.shared.weight)


def test_a_frozen_backbone_adds_nothing():
    method = attached(MEMO(balance=0), freeze=True)
    train(method, *PAIR, 2, 3)
    assert len(method.branches) == 0


def test_new_rows_are_scaled_to_the_mean_norm_of_old_ones():
    ours, theirs = torch.tensor([[3.0], [0.0], [1.0]]), torch.tensor([[4.0], [1.0], [0.0]])
    align([ours, theirs], old=2)  # norms 5 and 1, mean 3; the new one 1
    assert ours.tolist() == [[3.0], [0.0], [3.0]] and theirs.tolist() == [[4.0], [1.0], [0.0]]


def test_the_new_class_is_aligned_once_it_is_learnt():
    method = attached(MEMO(balance=0), lr=1e-9)
    method.net.head.weight.data[2, 0] = 10.0
    train(method, *PAIR, 2, 3)
    torch.testing.assert_close(method.net.head.weight[2].detach(), torch.tensor([1.0, 0.0]))


def test_the_last_block_is_the_last_part_with_weights_and_what_follows():
    assert last_block(Stages())[1] == "norm"
    deep = nn.Sequential(nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1), nn.LayerNorm(1)))
    names, before = last_block(deep)
    assert names == ["0.1.weight", "0.1.bias", "0.2.weight", "0.2.bias"] and before == "0.0"
    assert last_block(nn.Sequential(nn.Linear(1, 1)))[1] is None


@pytest.mark.parametrize("wrong", [{"strength": -1.0}, {"memory": 0}, {"balance": -2}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingError, match=str(next(iter(wrong.values())))):
        MEMO(**wrong)
