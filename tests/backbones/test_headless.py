"""Networks without their head, and the layers that may be one."""

import copy

import pytest
import torch
from torch import nn

from evergrow.backbones.headless import Headless, candidates, heads, sharing, with_leaves
from evergrow.errors import SettingError


def test_heads_that_fit_come_last_first():
    network = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 4), nn.Linear(4, 2))
    assert candidates(network, 2) == ["2", "0"] and candidates(network, 2, "0") == ["0"]
    assert Headless(network, "2")(torch.zeros(1, 3)).shape == (1, 4)
    assert isinstance(network[2], nn.Linear), "the user's network was changed"


def test_a_layer_that_is_no_head_is_explained():
    class Unused(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.spare = nn.Linear(3, 2), nn.Linear(3, 2)

        def forward(self, x):
            return self.fc(x)

    with pytest.raises(SettingError, match="not called"):
        Headless(Unused(), "spare")(torch.zeros(1, 3))


def test_convolutions_of_single_pixels_may_be_heads_and_others_not():
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 1, groups=2), nn.Conv2d(8, 5, 1), nn.Linear(5, 5)
    )
    assert list(heads(network)) == ["2", "3"]


@pytest.mark.parametrize(
    ("pooled", "expected"), [("last", [4.0, 5.0]), ("first", [0.0, 1.0]), ("mean", [2.0, 3.0])]
)
def test_features_of_several_positions_become_those_of_one(pooled, expected):
    network = nn.Sequential(nn.Identity(), nn.Linear(2, 3))
    x = torch.arange(6.0).view(1, 3, 2)
    assert Headless(network, "1", pooled=pooled)(x).tolist() == [expected]


def test_a_head_that_passes_features_on_does_not_learn():
    network = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    body = Headless(network, "1", taken="output")
    x = torch.rand(5, 3)
    assert torch.equal(body(x), network[0](x))
    assert [tuple(p.shape) for p in body.fixed()] == [(4, 4), (4,)]
    assert network[1].weight.shape == (2, 4), "the user's network was changed"


def test_a_copy_shares_its_weights_with_the_network():
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    twin = sharing(network)
    assert twin[0] is not network[0] and twin[0].weight is network[0].weight
    assert twin[1].running_mean is network[1].running_mean


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:FutureWarning")
def test_weights_of_a_copied_script_can_learn():
    script = torch.jit.script(nn.Sequential(nn.Linear(3, 4)))
    twin = with_leaves(copy.deepcopy(script))
    assert all(p.is_leaf for p in twin.parameters())
    with pytest.raises(SettingError, match="TorchScript"):
        Headless(script, "0")
