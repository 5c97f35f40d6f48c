"""Sizes of images that networks of timm read, and what is said of others."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from evergrow import GrowingClassifier, backbones, load
from evergrow.errors import SettingError

from .networks import ANSWERS, COLOUR, body

timm = pytest.importorskip("timm")

SWIN = "swin_tiny_patch4_window7_224"


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("test_resnet", 64),
        ("test_resnet", (37, 90)),
        ("vgg11", 96),
        ("test_vit", 96),
        ("test_vit_relpos", (96, 64)),
        ("vit_tiny_patch16_224", (64, 96)),
        ("test_coatnet", 96),
        (SWIN, (64, 96)),
    ],
)
def test_networks_read_other_sizes_than_they_were_trained_at(name, size):
    made = body(name, size)
    height, width = np.broadcast_to(size, 2).tolist()
    with torch.no_grad():
        out = made(torch.rand(2, 3, height, width))
    assert out.shape == (2, made.width) and out.isfinite().all()


@pytest.mark.parametrize(
    ("name", "size", "reason", "works"),
    [
        ("test_vit", 100, "divisible by patch size", "96"),
        ("vit_small_patch14_dinov2", (224, 200), "multiples of its patches, 14 x 14", "(224, 196)"),
        ("vgg11", 20, "Output size is too small", "32"),
        ("nest_tiny", (96, 128), "square", "128"),
        ("efficientformer_l1", 96, "", "224"),
    ],
)
def test_a_size_that_cannot_be_read_is_refused_with_one_that_can(name, size, reason, works):
    with pytest.raises(SettingError) as refusal:
        body(name, size)
    assert f"timm:{name} cannot read images of" in str(refusal.value)
    assert reason in str(refusal.value) and f"image_size={works} works." in str(refusal.value)


def begun(name, size):
    backbone = backbones.get(f"timm:{name}", pretrained=False)
    return GrowingClassifier(backbone, "lda", image_size=size).partial_fit(COLOUR, ANSWERS)


@pytest.mark.parametrize(
    ("name", "size"), [("vit_tiny_patch16_224", 64), ("test_vit", (96, 128)), (SWIN, (64, 96))]
)
def test_transformers_of_another_size_are_saved_and_loaded(tmp_path, name, size):
    model = begun(name, size)
    model.save(tmp_path)
    twin = load(tmp_path)
    for one in (model, twin):
        one.partial_fit(COLOUR[::-1], ["c"] * 6)
    assert np.array_equal(twin.predict_proba(COLOUR), model.predict_proba(COLOUR))


def test_a_transformer_of_another_size_goes_on_in_a_second_process(tmp_path):
    model = begun("test_vit_relpos", (96, 64))
    model.save(tmp_path / "model")
    model.partial_fit(COLOUR[::-1], ["c"] * 6)
    np.save(tmp_path / "x.npy", COLOUR)
    script = (
        "import sys, numpy as np, evergrow\n"
        "X = np.load(sys.argv[1] + '/x.npy')\n"
        "model = evergrow.load(sys.argv[1] + '/model').partial_fit(X[::-1], ['c'] * 6)\n"
        "np.save(sys.argv[1] + '/y.npy', model.predict_proba(X))\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), model.predict_proba(COLOUR))


@pytest.mark.slow
def test_vgg_at_another_size_learns_is_saved_and_learns_on(tmp_path):
    model = begun("vgg11", 96)
    model.save(tmp_path)
    twin = load(tmp_path)
    for one in (model, twin):
        one.partial_fit(COLOUR[::-1], ["c"] * 6)
    assert np.array_equal(twin.predict_proba(COLOUR), model.predict_proba(COLOUR))


def test_an_adopted_transformer_may_go_on_at_another_size():
    network = timm.create_model("vit_tiny_patch16_224", num_classes=2).eval()
    model = GrowingClassifier.adopt_by_name(
        network, ["a", "b"], "timm:vit_tiny_patch16_224", image_size=(96, 128)
    )
    there = model.net_.backbone.module.state_dict()
    assert there["pos_embed"].shape == (1, 1 + 6 * 8, 192)
    assert torch.equal(there["blocks.0.attn.qkv.weight"], network.blocks[0].attn.qkv.weight)
    assert model.predict(COLOUR).shape == (6,)
