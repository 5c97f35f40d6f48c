"""Predictions of a model folder: labels, probabilities, versions, layers."""

import numpy as np

from evergrow.commands import evaluate, learn, open_model, predict
from evergrow.model.options import How

from .points import PLAIN, points, saved


def test_version_and_top_are_as_asked_for(model, tmp_path):
    second = saved(tmp_path / "second.npz", "c")
    learn.learn(model, second)
    found = predict.predict(model, second, top=2, options=open_model.OpenOptions(version=1))
    assert found["version"] == 1
    assert {label for p in found["predictions"] for label, _ in p["top"]} == {"a", "b"}
    found = predict.predict(model, second, top=99)["predictions"][0]
    assert len(found["top"]) == 3 and found["label"] == "c"
    assert [share for _, share in found["top"]] == sorted(
        (s for _, s in found["top"]), reverse=True
    )


def test_numbers_as_labels_stay_numbers(tmp_path):
    x, y = points("a", "b")
    np.savez(tmp_path / "t.npz", x=x, y=np.where(y == "a", 7, 3))
    assert learn.learn(tmp_path / "model", tmp_path / "t.npz", PLAIN)["classes"] == [3, 7]
    assert predict.predict(tmp_path / "model", tmp_path / "t.npz")["predictions"][0]["label"] == 7
    assert evaluate.evaluate(tmp_path / "model", tmp_path / "t.npz")["per_class"].keys() == {
        "3",
        "7",
    }


def test_each_layer_of_the_backbone_is_judged_by_itself(tmp_path):
    x = np.random.default_rng(0).integers(0, 60, (60, 8, 8), dtype=np.uint8)
    y = np.repeat(["left", "right"], 30)
    x[:30, :, 1], x[30:, :, 6] = 255, 255
    network = {"backbone": "timm:test_resnet", "method": "lda"}
    how = How(network, ["backbone.pretrained=no", "backbone.layers=2"])
    learn.learn(tmp_path / "model", (x, y), how)
    answer = predict.layers(tmp_path / "model")
    assert answer["version"] == 1
    assert [row["layer"] for row in answer["layers"]] == ["last", "layer3", "all"]
    assert all(row["features"] > 0 and 0 <= row["recall"] <= 1 for row in answer["layers"])


def test_more_inputs_than_one_block_are_answered_in_order(model, monkeypatch):
    x, y = points("b", "a", "b")
    whole = predict.predict(model, x)["predictions"]
    monkeypatch.setattr(predict, "SAMPLES_AT_ONCE", 7)
    assert [p["label"] for p in whole] == y.tolist()
    assert [p["label"] for p in predict.predict(model, x)["predictions"]] == y.tolist()
