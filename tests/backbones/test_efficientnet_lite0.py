"""The pretrained network that comes along."""

import numpy as np
import pytest
import torch

from evergrow import GrowingClassifier, backbones, load
from evergrow.data import preprocess, read
from evergrow.data.read import Seen


def test_the_bundled_weights_are_right():
    from sklearn.datasets import load_sample_image

    from evergrow.backbones import efficientnet_lite0

    net = efficientnet_lite0.network(1000, torch.Generator()).eval()
    net.load_state_dict(dict(zip(net.state_dict(), efficientnet_lite0.weights(), strict=True)))
    photos = [load_sample_image(name) for name in ("china.jpg", "flower.jpg")]
    backbone = backbones.get("efficientnet_lite0")
    form = backbone.prepare(Seen("image", channels=3, sizes=((427, 640),)))
    x = preprocess.Prepared(read.read(photos, need_labels=False), form).take(torch.arange(2))
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
        monkeypatch.setattr("evergrow.backbones.efficientnet_lite0.installed", lambda: False)
    X = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    model = GrowingClassifier().partial_fit(X, [0, 0, 1, 1])
    assert (model.backbone_, model.method_) == (backbone, "lda")
    assert ("evergrow[images]" in model.reason_) is (shape[1] == 70)


def test_a_model_on_it_is_loaded_without_the_package(tmp_path, monkeypatch):
    X = np.random.default_rng(0).integers(0, 256, (6, 40, 40, 3), dtype=np.uint8)
    model = GrowingClassifier().partial_fit(X, [0, 0, 0, 1, 1, 1])
    model.save(tmp_path)
    monkeypatch.setattr("evergrow.backbones.efficientnet_lite0.weights", None)
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
