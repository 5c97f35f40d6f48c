"""Branches keep what layers were, and their features stand beside the network's."""

import torch
from torch import nn

from evergrow.nn.expansion import Branches
from evergrow.nn.network import Body, Inputs, Network


class Two(Body):
    """x * first * second, and a buffer that counts training passes."""

    width = 1

    def __init__(self):
        super().__init__()
        self.first, self.second = (nn.Parameter(torch.ones(())) for _ in range(2))
        self.register_buffer("passes", torch.zeros(()))

    def forward(self, x):
        if self.training:
            self.passes += 1
        return x * self.first * self.second


def network():
    net = Network(Two(), Inputs("tensor"))
    net.head.extend(torch.tensor([[3.0]]), torch.tensor([0.5]))
    return net


def test_a_branch_stays_as_it_was_and_layers_it_does_not_hold_are_the_networks():
    net, branches = network(), Branches()
    branches.add(net, ["second"], 1)
    with torch.no_grad():
        net.backbone.first.fill_(2.0)
        net.backbone.second.fill_(7.0)
    assert [f.item() for f in branches.features(net, torch.ones(1, 1))] == [2.0]  # 1 * 2 * 1


def test_logits_are_linear_in_all_features_side_by_side():
    net, branches = network(), Branches()
    branches.add(net, net.backbone.state_dict(), 1)
    with torch.no_grad():
        net.backbone.second.fill_(10.0)
    x = torch.ones(1, 1)
    assert branches.logits(net, x, net.features(x)).item() == 3 * 1 + 3 * 10 + 0.5


def test_rows_that_grow_are_zero_and_heads_learn_while_layers_do_not():
    net, branches = network(), Branches()
    branches.add(net, net.backbone.state_dict(), 1)
    branches.grow(2)
    net.head.extend(torch.tensor([[0.0]]), torch.tensor([0.0]))
    assert branches.heads[0].tolist() == [[3.0], [0.0]]
    x = torch.ones(1, 1)
    branches.logits(net, x, net.features(x)).sum().backward()
    assert branches.heads[0].grad is not None
    assert not any(t.requires_grad for t in branches.layers[0].values())


def test_a_branch_is_at_rest_while_the_network_trains():
    net, branches = network().train(), Branches()
    branches.add(net, net.backbone.state_dict(), 1)
    branches.features(net, torch.ones(1, 1))
    assert branches.layers[0]["passes"] == 0 and net.backbone.passes == 0 and net.training


def test_branches_come_back_from_their_state_and_from_a_flat_dict():
    net, branches, x = network(), Branches(), torch.ones(2, 1)
    for by in (2.0, 5.0):
        branches.add(net, net.backbone.state_dict(), 1)
        with torch.no_grad():
            net.backbone.first.fill_(by)
    expected = branches.logits(net, x, net.features(x))
    for back in ("fill", "unflatten"):
        twin = Branches()
        getattr(twin, back)(branches.state() if back == "fill" else branches.flat())
        assert len(twin) == 2
        assert torch.equal(twin.logits(net, x, net.features(x)), expected)
