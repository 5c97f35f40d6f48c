"""Networks of the user's own, and the search for a network's head."""

import numpy as np
import pytest
import torch
from torch import nn

from evergrow import GrowingClassifier
from evergrow.backbones.custom import Headless, Own, find_head
from evergrow.errors import SettingError


def test_a_callable_draws_its_weights_from_our_generator():
    before = torch.random.get_rng_state()
    form = {"kind": "tensor", "shape": [4], "dtype": "float32"}
    a, b = (
        Own(lambda: nn.Linear(4, 5)).build(form, torch.Generator().manual_seed(0)) for _ in range(2)
    )
    assert torch.equal(a.module.weight, b.module.weight) and a.width == 5
    assert torch.equal(before, torch.random.get_rng_state())


def test_what_is_not_a_network_is_explained():
    form = {"kind": "tensor", "shape": [4], "dtype": "float32"}
    with pytest.raises(SettingError, match="gave a int"):
        Own(lambda: 3).build(form, torch.Generator())
    with pytest.raises(SettingError, match=r"shape \(1, 4\)"):
        Own(nn.Linear(3, 5)).build(form, torch.Generator())
    with pytest.raises(SettingError, match="backbone="):
        GrowingClassifier(backbone=7, method="er").partial_fit(np.eye(2), [0, 1])


def test_the_head_is_the_last_layer_of_that_size():
    network = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 4), nn.Linear(4, 2))
    assert find_head(network, 2) == "2" and find_head(network, 2, "0") == "0"
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
