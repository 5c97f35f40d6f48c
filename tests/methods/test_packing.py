"""What a method remembers goes into a state and comes back out of it."""

import pytest
import torch

from evergrow.errors import SettingError
from evergrow.methods import ER, FineTune, LwF
from evergrow.methods.packing import copy_remembered, remembered_attributes
from evergrow.nn.freezing import frozen
from evergrow.nn.network import Network
from tests.methods.learners import attached


def test_what_attach_hands_over_is_not_remembered_but_the_optimizers_moments_are():
    assert set(remembered_attributes(attached(FineTune()))) == {"moments"}


def test_what_cannot_be_stored_is_named():
    method = attached(FineTune())
    method.odd = {1, 2}
    with pytest.raises(SettingError, match="'odd' is a set, which a model cannot store"):
        method.state()


def test_a_network_comes_back_frozen_with_a_head_of_its_own_length():
    method, twin = attached(LwF(), classes=3), attached(LwF(), classes=5)
    method.net.head.weight.data.fill_(2.0)
    method.teacher = frozen(method.net, 2)
    twin.fill(method.state())
    assert isinstance(twin.teacher, Network) and twin.teacher.n_classes == 2
    assert twin.teacher.head.weight.tolist() == [[2.0, 2.0], [2.0, 2.0]]
    assert not any(p.requires_grad for p in twin.teacher.parameters())


def test_a_copy_shares_no_memory_and_no_tensor_with_the_original():
    method, twin = attached(ER(memory=2)), attached(ER(memory=2))
    method.parts = {"a": [torch.zeros(2)]}
    method.past.remember(torch.zeros(1, 2), torch.tensor([0]))
    copy_remembered(method, twin)
    method.parts["a"][0] += 1
    method.past.remember(torch.ones(1, 2), torch.tensor([1]))
    assert twin.parts["a"][0].tolist() == [0.0, 0.0] and twin.past.y.tolist() == [0]
