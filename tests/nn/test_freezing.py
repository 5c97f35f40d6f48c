"""Which layers learn: frozen means frozen, stages go from the top down."""

import pytest
import torch
from torch import nn

from evergrow.backbones import MLP, ConvNet, ResNet32
from evergrow.backbones.custom import Own
from evergrow.nn.freezing import begin_anew, freeze, frozen, stages
from evergrow.nn.network import Inputs, Network

IMAGE = {"kind": "image", "channels": 1, "height": 12, "width": 12}


TABLE = {"kind": "table", "columns": 5, "names": []}


def convnet() -> Network:
    return Network(ConvNet(base=4).build(IMAGE, torch.Generator().manual_seed(0)), Inputs("image"))


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
