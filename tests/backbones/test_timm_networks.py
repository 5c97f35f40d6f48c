"""Networks of timm: by name, and how they read images."""

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_images

from evergrow import GrowingClassifier, backbones, load
from evergrow.backbones.timm_networks import Timm
from evergrow.data import preprocess
from evergrow.data import read as sources
from evergrow.errors import SettingError

from .networks import ANSWERS, COLOUR, PHOTO

timm = pytest.importorskip("timm")

PHOTOS = [Image.fromarray(image) for image in load_sample_images().images]


def read(name, size=None):
    """Both photographs as the network reads them, and its form."""
    backbone = backbones.get(f"timm:{name}", pretrained=False)
    chunk = sources.read(PHOTOS, need_labels=False)
    form = backbone.prepare(chunk.seen, size)
    return backbone.inputs(form)(preprocess.Prepared(chunk, form).take(torch.arange(2))), form


def test_a_network_of_timm_by_name():
    backbone = backbones.get("timm:test_resnet", pretrained=False)
    form = backbone.prepare(PHOTO)
    assert (form["height"], form["width"], form["channels"]) == (160, 160, 3)
    body = backbone.build(form, torch.Generator().manual_seed(0)).eval()
    assert body(torch.zeros(1, 3, 160, 160)).shape == (1, body.width)
    assert backbones.name_of(backbone) == "timm:test_resnet"
    with pytest.raises(SettingError, match="close names"):
        backbones.get("timm:resnet18x").prepare(PHOTO)


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


@pytest.mark.parametrize(
    ("name", "size", "how"),
    [
        ("resnet18", None, ("bicubic", "center", 0.95)),
        ("vgg11", None, ("bilinear", "center", 0.875)),
        ("vit_base_patch16_224", None, ("bicubic", "center", 0.9)),  # mean and deviation 0.5
        ("convnext_base.clip_laion2b_augreg_ft_in12k_in1k_384", None, ("bicubic", "squash", 1.0)),
        ("tf_efficientnetv2_b0", None, ("bicubic", "center", 0.875)),
        ("resnet18", 96, ("bicubic", "center", 0.95)),
        ("resnet18", (96, 160), ("bicubic", "center", 0.95)),
    ],
)
def test_images_are_read_as_timms_own_evaluation_reads_them(name, size, how):
    found, form = read(name, size)
    config = timm.data.resolve_data_config(
        {} if size is None else {"input_size": (3, *np.broadcast_to(size, 2).tolist())},
        pretrained_cfg=timm.get_pretrained_cfg(name).to_dict(),
    )
    theirs = timm.data.create_transform(**config, is_training=False)
    expected = torch.stack([theirs(photo) for photo in PHOTOS])
    assert (form["interpolation"], form["crop"], form["crop_pct"]) == how
    assert found.shape == expected.shape
    levels = (found - expected).abs() * torch.tensor(config["std"]).view(3, 1, 1) * 255
    assert levels.mean() < 0.1 and (levels > 1.01).float().mean() < 1e-3


def published(monkeypatch, **changes):
    """resnet18, as if timm's config of it said something else."""
    config = timm.get_pretrained_cfg("resnet18")
    changed = type(config)(**config.to_dict() | changes)
    monkeypatch.setattr(timm, "get_pretrained_cfg", lambda name: changed)
    return backbones.get("timm:resnet18")


def test_where_a_border_is_added_it_has_the_mean_of_the_networks_inputs(monkeypatch):
    backbone = published(monkeypatch, crop_mode="border", mean=(0.5, 0, 1))
    form = backbone.prepare(PHOTO)
    assert (form["crop"], form["fill"]) == ("border", [128, 0, 255])


@pytest.mark.parametrize(("theirs", "ours"), [("lanczos", "bicubic"), ("nearest", "bilinear")])
def test_interpolation_that_is_neither_bilinear_nor_bicubic_goes_by_its_neighbour(
    theirs, ours, monkeypatch
):
    backbone = published(monkeypatch, interpolation=theirs)
    assert backbone.prepare(PHOTO)["interpolation"] == ours


def test_models_begun_before_forms_said_how_go_on_as_they_began(tmp_path, monkeypatch):
    backbone = backbones.get("timm:test_resnet", pretrained=False)
    model = GrowingClassifier(backbone, "lda", image_size=64)
    before = lambda self, seen, size=None: preprocess.spec(seen, size, channels=3)  # noqa: E731
    monkeypatch.setattr(Timm, "prepare", before)
    model.partial_fit(COLOUR, ANSWERS)
    expected, form = model.predict_proba(COLOUR), dict(model.prepare_)
    assert set(form) == {"kind", "channels", "height", "width", "sizes"}
    monkeypatch.undo()
    model.save(tmp_path)
    twin = load(tmp_path)
    assert twin.prepare_ == form
    assert np.array_equal(twin.predict_proba(COLOUR), expected)
