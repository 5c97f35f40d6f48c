"""A network trained elsewhere: it answers as before, gains classes, and goes on learning."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from evergrow import GrowingClassifier
from evergrow.errors import DataError, SettingError

DIGITS = load_digits()


IMAGES = (DIGITS.images * (255 / 16)).round().astype(np.uint8)


LABELS = DIGITS.target


def trained(bias: bool = True) -> nn.Module:
    """A network with 5 outputs, trained a little on digits 0 to 4 as flat rows."""
    torch.manual_seed(0)
    made = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 5, bias=bias))
    rows = LABELS < 5
    x, y = torch.from_numpy(DIGITS.data[rows]).float() / 16, torch.from_numpy(LABELS[rows])
    optimizer = torch.optim.Adam(made.parameters(), 0.01)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(made(x), y).backward()
        optimizer.step()
    return made.eval()


FLAT = (DIGITS.data / 16).astype(np.float32)


NAMES = ["zero", "one", "two", "three", "four"]


@pytest.mark.parametrize("bias", [True, False])
def test_an_adopted_network_answers_as_before(bias):
    network = trained(bias)
    model = GrowingClassifier.adopt(network, NAMES)
    with torch.no_grad():
        expected = network(torch.from_numpy(FLAT)).softmax(1).numpy()
    np.testing.assert_allclose(model.predict_proba(FLAT), expected, atol=1e-6)
    assert model.classes_.tolist() == NAMES
    assert model.score(FLAT[LABELS < 5], np.array(NAMES)[LABELS[LABELS < 5]]) > 0.95


def test_an_adopted_network_gains_classes_from_data_that_holds_only_new_ones():
    network = trained()
    model = GrowingClassifier.adopt(network, NAMES)
    rows, old = LABELS == 7, LABELS < 5
    model.partial_fit(FLAT[rows], ["seven"] * rows.sum())
    assert model.classes_.tolist() == [*NAMES, "seven"]
    assert model.predict_proba(FLAT).shape == (len(FLAT), 6)
    assert model.method_ == "novelty-gate" and model.update_["advice"][0]["rule"] == "adopted-alone"
    assert model.score(FLAT[old], np.array(NAMES)[LABELS[old]]) > 0.8
    assert model.score(FLAT[rows], ["seven"] * rows.sum()) > 0.6


def test_an_adopted_network_that_trains_goes_on_from_where_it_stood():
    network = trained()
    before = {k: v.clone() for k, v in network.state_dict().items()}
    model = GrowingClassifier.adopt(
        network, NAMES, method="lwf", epochs=5, lr=0.01, backbone_lr=0.1
    )
    first = model.net_.head.weight.detach().clone()
    rows = LABELS == 7
    model.partial_fit(FLAT[rows], ["seven"] * rows.sum())
    assert not torch.equal(first, model.net_.head.weight[:5])  # it learnt, from where it stood
    assert (first - model.net_.head.weight[:5]).abs().max() < 0.5
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items()), "not a copy"


class Deep(nn.Module):
    """A network whose last layer is deep inside and is followed by more."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten()
        )
        self.classifier = nn.ModuleDict({"aux": nn.Linear(16, 9), "out": nn.Linear(16, 3)})

    def forward(self, x):
        x = self.body(x)
        self.classifier["aux"](x)
        return self.classifier["out"](x).log_softmax(1)


def test_the_last_layer_is_found_wherever_it_is():
    network = Deep().eval()
    model = GrowingClassifier.adopt(network, [10, 20, 30], head=None, method="er", epochs=1)
    with torch.no_grad():
        expected = network(torch.from_numpy(IMAGES)[:, None].float() / 255).exp().numpy()
    np.testing.assert_allclose(model.predict_proba(IMAGES), expected, atol=1e-6)
    model.partial_fit(IMAGES[:50], np.where(LABELS[:50] < 5, 10, 40))
    assert model.classes_.tolist() == [10, 20, 30, 40]


def test_images_are_normalised_as_the_network_was_trained():
    network = Deep().eval()
    model = GrowingClassifier.adopt(network, [1, 2, 3], mean=[0.5], std=[0.25])
    x = (torch.from_numpy(IMAGES)[:, None].float() / 255 - 0.5) / 0.25
    with torch.no_grad():
        np.testing.assert_allclose(model.predict_proba(IMAGES), network(x).exp(), atol=1e-5)


def test_what_cannot_be_adopted_is_explained():
    with pytest.raises(SettingError, match="no linear layer has 4 outputs"):
        GrowingClassifier.adopt(trained(), list("abcd"))
    with pytest.raises(SettingError, match="head='fc'"):
        GrowingClassifier.adopt(trained(), NAMES, head="fc")
    with pytest.raises(SettingError, match="32 outputs"):
        GrowingClassifier.adopt(trained(), NAMES, head="0")
    with pytest.raises(DataError, match="twice"):
        GrowingClassifier.adopt(trained(), ["a"] * 5)
    with pytest.raises(SettingError, match="sums"):
        GrowingClassifier.adopt(trained(), NAMES, method="lda").partial_fit(FLAT[:5], list("abcde"))
