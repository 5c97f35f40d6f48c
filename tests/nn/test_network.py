"""Networks: heads grow without moving a row; features ignore the batch; frozen means frozen."""

import pytest
import torch
from torch import nn

from evergrow.backbones import MLP, ConvNet, ResNet32
from evergrow.backbones.custom import Own
from evergrow.data.task import Tensors
from evergrow.nn.network import (
    Body,
    Inputs,
    LinearHead,
    Network,
    begin_anew,
    evaluating,
    freeze,
    frozen,
    stages,
)

IMAGE = {"kind": "image", "channels": 1, "height": 12, "width": 12}
TABLE = {"kind": "table", "columns": 5, "names": []}


def convnet() -> Network:
    return Network(ConvNet(base=4).build(IMAGE, torch.Generator().manual_seed(0)), Inputs("image"))


def test_growing_never_moves_a_row():
    head = LinearHead(3)
    head.grow(2, torch.Generator().manual_seed(0))
    before = head.weight.detach().clone(), head.bias.detach().clone()
    head.grow(5, torch.Generator().manual_seed(1))
    assert torch.equal(head.weight[:2], before[0]) and torch.equal(head.bias[:2], before[1])
    assert head(torch.zeros(4, 3)).shape == (4, 5)


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


def test_freezing_up_to_a_layer_stops_it_and_what_comes_before():
    net = convnet()
    freeze(net, "block2")
    learns = {name.split(".")[1] for name, p in net.named_parameters() if p.requires_grad}
    assert learns == {"block3", "weight", "bias"}
    assert not net.backbone.block2[1].training and net.backbone.block3[1].training
    freeze(net, None)
    assert all(p.requires_grad for p in net.parameters())


def test_freezing_inside_a_block_leaves_the_rest_of_it():
    net = Network(ResNet32().build(IMAGE, torch.Generator()), Inputs("image"))
    freeze(net, "layer1.0")
    assert not net.backbone.stem[0].weight.requires_grad
    assert not net.backbone.layer1[0].conv1.weight.requires_grad
    assert net.backbone.layer1[1].conv1.weight.requires_grad


def timm(name: str) -> Network:
    pytest.importorskip("timm")
    from evergrow.backbones import Timm
    from evergrow.data.read import Seen

    settings = Timm(name, pretrained=False)
    form = settings.prepare(Seen("image", channels=3, sizes=((64, 64),)), image_size=64)
    return Network(settings.build(form, torch.Generator()), settings.inputs(form))


def learning(net: Network) -> set[str]:
    """Direct parts of the network inside that have a parameter that learns."""
    named = net.backbone.inner().named_parameters()
    return {name.split(".")[0] for name, p in named if p.requires_grad}


def test_layers_have_the_names_of_the_network_itself():
    net = timm("test_resnet")
    freeze(net, "layer3")
    body = net.backbone.inner()
    assert learning(net) == {"layer4"}
    resting = [name for name, m in body.named_children() if not m.training]
    assert resting == ["conv1", "bn1", "act1", "maxpool", "layer1", "layer2", "layer3"]
    assert not any(m.training for m in body.layer3.modules())
    assert body.training and all(m.training for m in body.layer4.modules())
    now = [p.requires_grad for p in net.parameters()]
    freeze(net, None)
    freeze(net, "module.layer3")  # from the backbone down, as it was asked for before
    assert [p.requires_grad for p in net.parameters()] == now


def test_parameters_beside_the_layers_of_a_transformer_freeze_with_the_first():
    net = timm("test_vit")
    freeze(net, "blocks.1")
    body = net.backbone.inner()
    assert learning(net) == {"blocks", "norm"}
    assert not body.pos_embed.requires_grad and not body.patch_embed.proj.weight.requires_grad
    assert not body.blocks[1].training and body.blocks[2].training
    assert all(p.requires_grad for p in body.blocks[2].parameters())


def test_layers_of_an_adopted_network_have_its_own_names():
    network = nn.Sequential()
    for name, layer in (
        ("one", nn.Linear(2, 3)),
        ("two", nn.Linear(3, 3)),
        ("out", nn.Linear(3, 2)),
    ):
        network.add_module(name, layer)
    own = Own(network, "out")
    net = Network(own.headless(network), own.inputs(None))
    freeze(net, "one")
    assert learning(net) == {"two"}
    with pytest.raises(ValueError, match="does not learn: one, two"):
        freeze(net, "three")


def test_an_unknown_layer_is_refused_by_stages_and_not_by_hundreds_of_names():
    with pytest.raises(ValueError) as refused:
        freeze(timm("resnet18"), "layer9")
    assert "learn: conv1, layer1, layer2, layer3, layer4, or" in str(refused.value)
    assert str(refused.value).count("layer") < 10


def test_stages_learn_from_the_top_down_and_never_what_is_frozen_for_good():
    net = convnet()
    wanted = [set(), {"block3"}, {"block2", "block3"}, {"block1", "block2", "block3"}]
    for k, names in enumerate([*wanted, wanted[-1]]):
        freeze(net, None, k)
        assert learning(net) == names
        assert {n for n, m in net.backbone.named_children() if m.training} == names
        assert net.head.weight.requires_grad and net.backbone.training is (k > 0)
        freeze(net, "block2", k)
        assert learning(net) == names & {"block3"}
        freeze(net, True, k)
        assert learning(net) == set()


def test_what_freezes_has_no_gradient_left():
    net = convnet()
    net.features(torch.rand(2, 1, 8, 8)).sum().backward()
    freeze(net, "block1")
    assert net.backbone.block1[0].weight.grad is None
    assert net.backbone.block2[0].weight.grad is not None


def test_a_norm_beside_the_stages_belongs_to_the_one_before_it():
    for name, first, last in (("test_resnet", "conv1", "layer4"), ("test_vit", "", "blocks.5")):
        found = stages(timm(name).backbone.inner())
        assert (next(iter(found)), list(found)[-1]) == (first, last)
        whole = sum(1 for _ in timm(name).backbone.parameters())
        assert sum(map(len, found.values())) == whole


def test_an_unknown_layer_is_refused_by_naming_those_there_are():
    with pytest.raises(ValueError, match="block1"):
        freeze(convnet(), "layer9")


def test_a_frozen_copy_does_not_follow():
    net = convnet()
    net.head.grow(2, torch.Generator())
    teacher = frozen(net)
    with torch.no_grad():
        net.head.weight += 1
    assert not torch.equal(teacher.head.weight, net.head.weight)
    assert not any(p.requires_grad for p in teacher.parameters())


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


def test_a_network_that_begins_anew_has_its_first_weights_and_fresh_rows():
    net = Network(MLP(hidden=(4,)).build(TABLE, torch.Generator()), Inputs("table"))
    net.head.extend(torch.ones(1, 4), torch.ones(1))
    body = {k: v.clone() for k, v in net.backbone.state_dict().items()}
    head = {k: v.clone() for k, v in net.head.state_dict().items()}
    net.head.grow(3, torch.Generator().manual_seed(1))
    with torch.no_grad():
        for p in net.parameters():
            p.add_(1)
    begin_anew(net, body, head, 4, torch.Generator().manual_seed(2))
    assert all(torch.equal(v, body[k]) for k, v in net.backbone.state_dict().items())
    assert torch.equal(net.head.weight[:1], head["weight"]) and net.n_classes == 4
    assert net.head.bias[1:].tolist() == [0.0, 0.0, 0.0]
