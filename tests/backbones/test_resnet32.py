"""The residual network for CIFAR."""

import torch

from evergrow.backbones.resnet32 import Residual, Residuals


def test_a_shortcut_takes_every_second_pixel_and_adds_empty_channels():
    block = Residual(1, 2, stride=2).eval()
    with torch.no_grad():
        block.conv2.weight.zero_()  # the shortcut alone is left
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert block(x)[0].tolist() == [[[0.0, 2.0], [8.0, 10.0]], [[0.0, 0.0], [0.0, 0.0]]]


def test_it_has_32_layers_and_halves_the_image_twice():
    body = Residuals(3, torch.Generator().manual_seed(0)).eval()
    convolutions = [m for m in body.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(convolutions) == 31  # and the head
    sizes = []
    body.layer3.register_forward_hook(lambda *given: sizes.append(tuple(given[2].shape)))
    body(torch.rand(1, 3, 32, 32))
    assert sizes == [(1, 64, 8, 8)]
