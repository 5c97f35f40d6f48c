"""Fully connected layers: what they compute, and the variance of their first weights."""

import pytest
import torch
from torch import nn

from evergrow import backbones
from evergrow.backbones.mlp import Layers, initialise
from evergrow.errors import SettingError


def test_each_layer_is_linear_and_then_relu():
    body = Layers(2, [2, 1], torch.Generator())
    first, second = (m for m in body.modules() if isinstance(m, nn.Linear))
    with torch.no_grad():
        first.weight[:], first.bias[:] = torch.tensor([[1.0, 0.0], [0.0, -1.0]]), 1.0
        second.weight[:], second.bias[:] = torch.tensor([[2.0, 5.0]]), -1.0
    # (3, 4) -> (4, -3) -> (4, 0) -> 7; an image of two pixels is the same
    assert body(torch.tensor([[3.0, 4.0]])).tolist() == [[7.0]]
    assert body(torch.tensor([[[[3.0, 4.0]]]])).tolist() == [[7.0]]


def test_weights_have_the_variances_of_the_papers():
    linear, convolution = nn.Linear(400, 500), nn.Conv2d(40, 60, 3)
    initialise(nn.Sequential(linear, convolution), torch.Generator().manual_seed(0))
    assert float(linear.weight.detach().var()) == pytest.approx(1 / 400, rel=0.05)
    assert float(convolution.weight.detach().var()) == pytest.approx(2 / (40 * 9), rel=0.05)
    assert not linear.bias.any()


@pytest.mark.parametrize("hidden", [(), (8, 0)])
def test_layers_that_are_none_are_refused(hidden):
    with pytest.raises(SettingError, match="hidden="):
        backbones.get("mlp", hidden=hidden)
