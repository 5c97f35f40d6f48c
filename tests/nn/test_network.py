"""Networks: features ignore the batch, inputs are standardised once, the scale is fixed once."""

import pytest
import torch
from torch import nn

from evergrow.backbones import MLP, ConvNet, ResNet32
from evergrow.data.task import Tensors
from evergrow.nn.network import Body, Inputs, Network, evaluating

IMAGE = {"kind": "image", "channels": 1, "height": 12, "width": 12}


def convnet() -> Network:
    return Network(ConvNet(base=4).build(IMAGE, torch.Generator().manual_seed(0)), Inputs("image"))


@pytest.mark.parametrize("make", [MLP(hidden=(8, 4)), ConvNet(base=4), ResNet32()])
def test_steady_features_do_not_depend_on_the_batch(make):
    net = Network(make.build(IMAGE, torch.Generator().manual_seed(0)), Inputs("image"))
    x = torch.randint(0, 256, (70, 1, 12, 12), dtype=torch.uint8)
    whole = net.steady(x)
    order = torch.randperm(70)
    for part in order.split(9):
        assert torch.equal(net.steady(x[part]), whole[part])
    assert torch.equal(net.steady(x[5:6])[0], whole[5])


def test_steady_features_do_not_depend_on_the_autocast_around_them():
    net, x = convnet(), torch.randint(0, 256, (3, 1, 12, 12), dtype=torch.uint8)
    with torch.autocast("cpu", torch.bfloat16):
        within = net.steady(x)
    assert torch.equal(within, net.steady(x)) and within.dtype == torch.float32


def test_steady_blocks_are_taller_elsewhere_than_on_a_cpu_and_the_last_one_padded():
    net, tall = convnet(), []
    net.backbone.register_forward_pre_hook(lambda module, given: tall.append(len(given[0])))
    net.steady(torch.zeros(40, 1, 12, 12, dtype=torch.uint8))
    assert tall == [32, 32]
    net.to("meta").steady(torch.zeros(300, 1, 12, 12, dtype=torch.uint8))
    assert tall[2:] == [256, 256]


def test_steady_features_leave_the_mode_as_it_was():
    net = convnet().train()
    net.steady(torch.zeros(2, 1, 12, 12, dtype=torch.uint8))
    assert all(m.training for m in net.modules())
    with evaluating([net.backbone]):
        assert not net.backbone.training
    assert net.backbone.training


def test_one_row_can_be_trained_on_despite_batch_norm():
    net = Network(Norm(), Inputs("tensor"))
    net.head.grow(2, torch.Generator())
    net.train()(torch.ones(1, 3)).sum().backward()
    assert net.backbone.norm.training


class Norm(Body):
    width = 3

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(3)

    def forward(self, x):
        return self.norm(x)


def test_columns_are_standardised_by_the_first_task_alone():
    inputs = Inputs("table")
    x = torch.tensor([[1.0, 5.0, 0.0], [3.0, 5.0, 0.0]])
    inputs.fix(Tensors(x))
    assert inputs(x).tolist() == [[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    inputs.fix(Tensors(x * 100))
    assert inputs(x).tolist() == [[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    assert inputs(torch.tensor([[0.0, 10.0, 1.0]])).tolist() == [[-2.0, 1.0, 1.0]]


def test_the_input_stage_comes_back_from_json_bit_for_bit():
    import json

    inputs = Inputs("table")
    inputs.fix(Tensors(torch.rand(50, 7)))
    twin = Inputs(**json.loads(json.dumps(inputs.spec())))
    assert torch.equal(twin.mean, inputs.mean) and torch.equal(twin.std, inputs.std)


def test_float_tensors_pass_as_they_are():
    x = torch.tensor([[-3.0, 700.0]])
    assert torch.equal(Inputs("image", [0.5], [0.2])(x), x)


def test_the_integer_scale_is_fixed_once():
    net = Network(Norm().eval(), Inputs("tensor"))
    net.fix_scale(Tensors(torch.tensor([[4.0, -8.0, 0.0]])))
    scale = net.scale
    net.fix_scale(Tensors(torch.tensor([[400.0, 0.0, 0.0]])))
    assert net.scale == scale and 0 < scale * 8 <= 127


def test_resnet32_has_the_published_depth_and_size():
    body = ResNet32().build({**IMAGE, "channels": 3}, torch.Generator())
    convolutions = sum(isinstance(m, nn.Conv2d) for m in body.modules())
    assert convolutions == 31  # and the head: 32 layers
    assert body(torch.zeros(2, 3, 32, 32)).shape == (2, 64)
    assert body(torch.zeros(2, 3, 24, 40)).shape == (2, 64)


def test_the_rows_that_fix_the_scale_are_given_back_and_not_computed_again():
    net = Network(Norm().eval(), Inputs("tensor"))
    x = Tensors(torch.tensor([[4.0, -8.0, 0.0]]))
    first = net.fix_scale(x)
    assert torch.equal(first, net.steady(x.x)) and net.fix_scale(x) is None


@pytest.mark.parametrize(
    ("value", "finite"), [(3e38, True), (float("nan"), False), (float("inf"), False)]
)
def test_weights_are_finite_however_large(value, finite):
    net = convnet()
    assert net.is_finite()
    first = next(net.backbone.parameters())
    with torch.no_grad():
        first.view(-1)[:2] = value  # two of 3e38 add up to more than float32 holds
    assert net.is_finite() == finite
