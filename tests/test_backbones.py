"""Backbones: shapes, sizes, seeds, what they refuse; networks of timm and of the user's own."""

import numpy as np
import pytest
import torch
from torch import nn

from evergrow import GrowingClassifier, backbones, load, prepare, sources
from evergrow.backbones.fourier import directions
from evergrow.backbones.own import Headless, Own, find_head
from evergrow.errors import SettingError
from evergrow.network import Inputs, Network
from evergrow.sources import Seen

IMAGE = Seen("image", channels=3, sizes=((20, 20),))
TABLE = Seen("table", shape=(7,))


@pytest.mark.parametrize("name", ["patches", "convnet", "resnet32", "mlp", "none"])
def test_width_is_what_comes_out(name):
    backbone = backbones.get(name)
    form = backbone.prepare(IMAGE)
    body = backbone.build(form, torch.Generator().manual_seed(0)).eval()
    out = body(torch.rand(3, 3, 20, 20))
    assert out.shape == (3, body.width) and out.isfinite().all()


@pytest.mark.parametrize("name", ["mlp", "none", "fourier"])
def test_tables_too(name):
    backbone = backbones.get(name)
    body = backbone.build(backbone.prepare(TABLE), torch.Generator().manual_seed(0))
    assert body(torch.rand(3, 7)).shape == (3, body.width)


@pytest.mark.parametrize("name", ["patches", "convnet", "resnet32"])
def test_images_are_asked_for_where_a_table_came(name):
    with pytest.raises(SettingError, match="table"):
        backbones.get(name).prepare(TABLE)


@pytest.mark.parametrize("name", ["convnet", "mlp", "fourier", "resnet32"])
def test_weights_come_from_the_generator_alone(name):
    backbone = backbones.get(name)
    form = backbone.prepare(TABLE if name == "fourier" else IMAGE)
    a, b, c = (backbone.build(form, torch.Generator().manual_seed(s)) for s in (0, 0, 1))
    a, b, c = (torch.cat([t.flatten() for t in m.state_dict().values()]) for m in (a, b, c))
    assert torch.equal(a, b) and not torch.equal(a, c)


def test_random_features_approximate_the_gaussian_kernel():
    x = torch.randn(40, 7, generator=torch.Generator().manual_seed(1))
    lift = backbones.get("fourier", width=20_000, bandwidth=0.5)
    z = lift.build(lift.prepare(TABLE), torch.Generator().manual_seed(0))(x)
    kernel = (-(torch.cdist(x, x) ** 2) / (2 * 0.25 * 7)).exp()
    assert (2 * z @ z.T / 20_000 - kernel).abs().max() < 0.05


def test_frequencies_are_orthogonal_in_blocks_and_as_long_as_gaussian_ones():
    w = directions(16, 4000, torch.Generator().manual_seed(0))
    block = w[:, 16:32].T @ w[:, 16:32]
    assert (block - block.diagonal().diag()).abs().max() < 1e-4
    assert abs(float(w.square().sum(0).mean()) - 16) < 0.3  # the mean of a chi squared of 16
    wide = directions(2000, 10, torch.Generator().manual_seed(0))  # plain Gaussian
    assert wide.shape == (2000, 10) and 1e-3 < float((wide[:, 0] @ wide[:, 1]).abs())
    assert directions(3, 2, torch.Generator()).shape == (3, 2)


def test_a_column_that_has_hardly_varied_counts_up_to_the_limit():
    lift = backbones.get("fourier", width=50, limit=8.0)
    body = lift.build(lift.prepare(TABLE), torch.Generator().manual_seed(0))
    far, limit = torch.full((1, 7), 250.0), torch.full((1, 7), 8.0)
    assert torch.equal(body(far), body(limit)) and not torch.equal(body(limit), body(limit - 0.1))
    with pytest.raises(SettingError, match=r"limit=0: all must be positive"):
        backbones.get("fourier", limit=0)


def test_columns_of_a_mixed_table_count_as_one_each():
    lift = backbones.get("fourier", width=10)
    form = lift.prepare(TABLE)
    a, b = (lift.build(f, torch.Generator().manual_seed(0)) for f in (form, form | {"spread": 28}))
    assert torch.allclose(a.frequencies, 2 * b.frequencies)


def test_random_features_do_not_depend_on_the_batch():
    lift = backbones.get("fourier")
    net = Network(
        lift.build(lift.prepare(TABLE), torch.Generator().manual_seed(0)), Inputs("tensor")
    )
    x = torch.randn(100, 7)
    whole = net.steady(x, 127.0)
    for rows in torch.randperm(100).split(7):
        assert torch.equal(net.steady(x[rows], 127.0), whole[rows])


def test_names_and_settings_that_there_are_not():
    with pytest.raises(SettingError, match="patches"):
        backbones.get("resnet33")
    with pytest.raises(SettingError, match="depth"):
        backbones.get("mlp", depth=3)
    with pytest.raises(SettingError, match="hidden"):
        backbones.get("mlp", hidden=())


# -- networks of timm ------------------------------------------------------------------------------


def test_a_network_of_timm_by_name():
    backbone = backbones.get("timm:test_resnet", pretrained=False)
    form = backbone.prepare(IMAGE)
    assert (form["height"], form["width"], form["channels"]) == (160, 160, 3)
    body = backbone.build(form, torch.Generator().manual_seed(0)).eval()
    assert body(torch.zeros(1, 3, 160, 160)).shape == (1, body.width)
    assert backbones.name_of(backbone) == "timm:test_resnet"
    with pytest.raises(SettingError, match="close names"):
        backbones.get("timm:resnet18x").prepare(IMAGE)


def test_an_adopted_network_of_timm_answers_as_before_and_needs_no_code_to_load(tmp_path):
    import timm

    torch.manual_seed(0)
    network = timm.create_model("test_resnet", pretrained=False, num_classes=3).eval()
    model = GrowingClassifier.adopt_by_name(
        network, ["a", "b", "c"], "timm:test_resnet", image_size=64, epochs=1
    )
    images = np.random.default_rng(0).integers(0, 256, (6, 64, 64, 3), dtype=np.uint8)
    config = network.pretrained_cfg
    mean, std = (torch.tensor(config[k]).view(3, 1, 1) for k in ("mean", "std"))
    x = (torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255 - mean) / std
    with torch.no_grad():
        expected = network(x).softmax(1)
    np.testing.assert_allclose(model.predict_proba(images), expected, atol=1e-5)
    model.partial_fit(images, ["d"] * 6).save(tmp_path)
    twin = load(tmp_path)
    assert twin.classes_.tolist() == list("abcd")
    assert (twin.predict_proba(images) == model.predict_proba(images)).all()


# -- networks of the user's own --------------------------------------------------------------------


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


# -- the pretrained network that comes along -------------------------------------------------------


def test_the_bundled_weights_are_right():
    from sklearn.datasets import load_sample_image

    from evergrow.backbones import bundled

    net = bundled.network(1000, torch.Generator()).eval()
    net.load_state_dict(dict(zip(net.state_dict(), bundled.weights(), strict=True)))
    photos = [load_sample_image(name) for name in ("china.jpg", "flower.jpg")]
    backbone = backbones.get("efficientnet_lite0")
    form = backbone.prepare(Seen("image", channels=3, sizes=((427, 640),)))
    x = prepare.Prepared(sources.read(photos, need_labels=False), form).take(torch.arange(2))
    with torch.no_grad():
        answers = net(backbone.inputs(form)(x)).topk(5).indices
    assert 698 in answers[0] and 985 == answers[1, 0]  # palace; daisy
    body = backbone.build(form, torch.Generator()).eval()
    with torch.no_grad():
        features = body(backbone.inputs(form)(x))
        logits = net.classifier(features[:, :1280])
    assert torch.equal(logits.topk(5).indices, answers)


@pytest.mark.parametrize(
    ("shape", "backbone"),
    [((4, 28, 28), "patches"), ((4, 40, 40, 3), "efficientnet_lite0"), ((4, 70, 90), "patches")],
)
def test_auto_takes_it_for_colour_and_large_images(shape, backbone, monkeypatch):
    if shape[1] == 70:  # nothing installed
        monkeypatch.setattr("evergrow.backbones.bundled.installed", lambda: False)
    X = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    model = GrowingClassifier().partial_fit(X, [0, 0, 1, 1])
    assert (model.backbone_, model.method_) == (backbone, "lda")
    assert ("evergrow[images]" in model.reason_) is (shape[1] == 70)


def test_a_model_on_it_is_loaded_without_the_package(tmp_path, monkeypatch):
    X = np.random.default_rng(0).integers(0, 256, (6, 40, 40, 3), dtype=np.uint8)
    model = GrowingClassifier().partial_fit(X, [0, 0, 0, 1, 1, 1])
    model.save(tmp_path)
    monkeypatch.setattr("evergrow.backbones.bundled.weights", None)
    twin = load(tmp_path)
    assert np.array_equal(twin.predict_proba(X), model.predict_proba(X))


def test_a_frozen_one_learns_on_after_loading_bit_for_bit_as_without(tmp_path):
    X = np.random.default_rng(0).integers(0, 256, (8, 40, 40, 3), dtype=np.uint8)
    model = GrowingClassifier("efficientnet_lite0", "finetune", freeze=True, epochs=1)
    model.partial_fit(X, np.arange(8) % 2).save(tmp_path)
    for i in (2, 4):  # what is saved after loading holds as much as what was loaded
        load(tmp_path).partial_fit(X, np.arange(8) % 2 + i).save(tmp_path)
        model.partial_fit(X, np.arange(8) % 2 + i)
    assert torch.equal(load(tmp_path).net_.head.weight, model.net_.head.weight)


# -- several depths --------------------------------------------------------------------------------


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

    from evergrow.backbones.deep import Deep

    class Swapped(nn.Module):
        output_fmt = "NHWC"

        def __init__(self):
            super().__init__()
            self.stage = nn.Identity()

        def forward(self, x):
            return self.stage(x.permute(0, 2, 3, 1)).mean((1, 2))

    deep = Deep(Swapped(), ["stage"])
    deep.layout = torch.contiguous_format
    x = torch.rand(2, 3, 4, 5)
    np.testing.assert_allclose(deep(x)[:, 3:], x.mean((2, 3)), atol=1e-6)
    vit = Deep(timm.create_model("test_vit", pretrained=False, num_classes=0).eval(), ["blocks.0"])
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
    assert net.backbone.still() is not net.backbone and net.backbone.apart
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
    assert body.still() is body
