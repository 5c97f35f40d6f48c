"""Fixed features beside a network trained for a moment, on the same samples."""

import numpy as np

from evergrow import GrowingClassifier
from evergrow.data.read import read
from evergrow.model import backbone_probe
from evergrow.model.advice_on_backbone import weak_backbone
from evergrow.model.backbone_probe import probe

rng = np.random.default_rng(0)
X = rng.normal(size=(1500, 2)).astype(np.float32)
CROSSED = np.where(X[:, 0] * X[:, 1] > 0, "same", "other")  # no line tells them apart
APART = np.where(X[:, 0] > 0, "right", "left")


def model(y, backbone="none", method="lda", **parameters) -> GrowingClassifier:
    return GrowingClassifier(backbone, method, epochs=1, **parameters).partial_fit(X, y)


def test_features_that_cannot_tell_classes_apart_are_found_out_and_training_tells_them():
    found = probe(model(CROSSED).model, read(X, CROSSED), seconds=3)
    assert found.features < 0.6 and found.trained > 0.85 and found.held == 200
    assert found.network == "mlp" and weak_backbone(found) is not None
    trained = GrowingClassifier("mlp", "finetune", epochs=20, lr=0.02).partial_fit(
        X[300:], CROSSED[300:]
    )
    assert trained.score(X[:300], CROSSED[:300]) > 0.85  # what the advice is to do


def test_features_that_do_well_are_left_alone():
    found = probe(model(APART).model, read(X, APART), seconds=1)
    assert found.features > 0.95 and weak_backbone(found) is None


def test_the_time_is_kept(monkeypatch):
    ticks = iter(range(10_000))  # seconds that pass between two looks at the clock
    monkeypatch.setattr(backbone_probe.time, "perf_counter", ticks.__next__)
    probe(model(APART).model, read(X, APART), seconds=5)
    assert next(ticks) < 30


def test_nothing_of_the_model_changes():
    asked = model(CROSSED, "mlp", "lda")
    before, scale = asked.predict_proba(X), asked.net_.scale
    weights = {k: v.clone() for k, v in asked.net_.state_dict().items()}
    assert probe(asked.model, read(X, CROSSED), seconds=0.2).network == "mlp"
    assert np.array_equal(asked.predict_proba(X), before) and asked.net_.scale == scale
    assert all(v.equal(weights[k]) for k, v in asked.net_.state_dict().items())


def test_there_is_nothing_to_find_out_of_a_backbone_that_learns_or_a_chunk_too_small():
    assert probe(model(APART, "mlp", "er").model, read(X, APART), 1) is None
    one = APART == "left"
    assert probe(model(APART).model, read(X[one], APART[one]), 1) is None
    assert probe(model(APART).model, read(X[:20], APART[:20]), 1) is None
