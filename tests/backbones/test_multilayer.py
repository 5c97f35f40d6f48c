"""Features of several depths of a network."""

import numpy as np
import pytest
import torch
from torch import nn

from evergrow import GrowingClassifier, backbones, load
from evergrow.data.read import Seen
from evergrow.errors import SettingError
from evergrow.nn.network import Inputs, Network

IMAGE = Seen("image", channels=3, sizes=((20, 20),))


def small(**settings):
    backbone = backbones.get("timm:test_resnet", pretrained=False, **settings)
    form = backbone.prepare(IMAGE, 64)
    return backbone.build(form, torch.Generator().manual_seed(0)).eval()


def test_features_of_several_layers_are_joined_behind_the_last_ones():
    deep, plain = small(layers=("layer1", "layer2")), small()
    x = torch.rand(4, 3, 64, 64)
    with torch.no_grad():
        joined, last = deep(x), plain(x)
        first = deep.module.maxpool(deep.module.act1(deep.module.bn1(deep.module.conv1(x))))
        one = deep.module.layer1(first).mean((2, 3))
    assert torch.equal(joined[:, : plain.width], last)
    np.testing.assert_allclose(joined[:, plain.width :][:, : one.shape[1]], one, atol=1e-6)
    assert [name for name, _ in deep.parts] == ["last", "layer1", "layer2"]
    assert deep.width == sum(width for _, width in deep.parts)


def test_a_stage_that_repeats_the_last_features_is_left_out():
    assert small(layers=2).layers == ("layer3",)  # layer4, averaged, is the last


def test_layers_that_there_are_not():
    with pytest.raises(SettingError, match="no layer 'layer9'"):
        small(layers=("layer9",))
    with pytest.raises(SettingError, match="layers=77"):
        small(layers=77)


def test_tokens_and_channels_that_come_last_are_averaged_too():
    import timm

    from evergrow.backbones.multilayer import MultilayerBody

    class Swapped(nn.Module):
        output_fmt = "NHWC"

        def __init__(self):
            super().__init__()
            self.stage = nn.Identity()

        def forward(self, x):
            return self.stage(x.permute(0, 2, 3, 1)).mean((1, 2))

    deep = MultilayerBody(Swapped(), ["stage"])
    deep.layout = torch.contiguous_format
    x = torch.rand(2, 3, 4, 5)
    np.testing.assert_allclose(deep(x)[:, 3:], x.mean((2, 3)), atol=1e-6)
    vit = MultilayerBody(
        timm.create_model("test_vit", pretrained=False, num_classes=0).eval(), ["blocks.0"]
    )
    with torch.no_grad():
        assert vit(torch.zeros(1, 3, 160, 160)).shape[1] == 2 * vit.module.num_features


def test_the_score_of_a_layer_is_that_of_a_model_on_it_alone(tmp_path):
    from evergrow.methods import LDA

    X = np.random.default_rng(0).integers(0, 256, (60, 32, 32, 3), dtype=np.uint8)
    y = np.repeat([0, 1, 2], 20)
    X[y == 1, :, :16] //= 2
    X[y == 2, ::2] //= 3
    deep = backbones.get("timm:test_resnet", pretrained=False, layers=("layer2",))
    model = GrowingClassifier(deep, LDA(), image_size=32).fit(X, y)
    scores = model.layer_scores()
    assert list(scores) == ["last", "layer2", "all"]
    assert scores["all"] == model.learner_.solution().judged.macro
    width = model.net_.backbone.parts[0][1]
    alone = LDA()
    alone.attach(model.net_, model.learner_.how, model.learner_.rng)
    alone.sums = model.learner_.sums.of(0, width)
    assert scores["last"] == alone.solve().judged.macro
    model.save(tmp_path)
    assert load(tmp_path).layer_scores() == scores
    with pytest.raises(SettingError, match="layers="):
        GrowingClassifier("none").fit(np.eye(4), [0, 0, 1, 1]).layer_scores()


def test_joined_features_are_the_same_on_several_threads_and_with_batch_norm_folded():
    deep = backbones.get("timm:test_resnet", pretrained=False, layers=("layer1", "layer2"))
    form = deep.prepare(IMAGE, 64)
    net = Network(deep.build(form, torch.Generator().manual_seed(0)), Inputs("image")).eval()
    assert net.backbone.inference_form() is not net.backbone and net.backbone.thread_safe
    x = torch.randint(0, 256, (64, 3, 64, 64), dtype=torch.uint8)
    threads = torch.get_num_threads()
    try:
        one = net.steady(x)
        torch.set_num_threads(4)
        assert all(torch.equal(net.steady(x), one) for _ in range(5))
    finally:
        torch.set_num_threads(threads)
    with torch.no_grad():
        np.testing.assert_allclose(one, net.features(x), atol=1e-4)


def test_a_layer_that_folding_takes_away_keeps_its_own_output():
    body = small(layers=("layer1.0.conv1",))
    body.module.layer1[0].bn1.running_mean.fill_(0.5)  # what it gives before is not what it does
    assert body.inference_form() is body
