"""A network trained elsewhere: it answers as before, gains classes, and goes on learning."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from evergrow import GrowingClassifier, load
from evergrow.errors import DataError, SettingError
from evergrow.model.adopt import labels_of

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


@pytest.mark.parametrize(
    "classes",
    [
        {0: "a", 1: "b", 2: "c"},
        {2: "c", 0: "a", 1: "b"},
        {"0": "a", "1": "b", "2": "c"},
        {"b": 1, "a": 0, "c": 2},
        np.array(["a", "b", "c"]),
        (label for label in "abc"),
    ],
)
def test_classes_go_by_the_numbers_of_a_dict(classes):
    assert labels_of(classes).tolist() == ["a", "b", "c"]


def test_a_dict_of_folders_named_by_numbers_is_one_of_indices():
    assert labels_of({"1": 0, "0": 1}).tolist() == ["1", "0"]
    assert labels_of({0: 1, 1: 0}).tolist() == [1, 0]  # the same either way


@pytest.mark.parametrize(
    "classes",
    [{"a", "b"}, frozenset("ab"), "ab", {0: "a", 2: "b"}, {"a": 1, "b": 2}, {0: 1, 1: 2, 2: 0}],
)
def test_classes_in_no_order_are_refused(classes):
    with pytest.raises(DataError, match="classes: "):
        labels_of(classes)


class Summed(nn.Module):
    """Two heads whose scores are added."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(64, 5), nn.Linear(64, 5)

    def forward(self, x):
        return self.a(x) + self.b(x)


def test_answers_are_compared_before_any_is_given_or_learnt():
    with pytest.raises(SettingError, match="adds or mixes scores"):
        GrowingClassifier.adopt(Summed(), NAMES, example=FLAT[:3])
    for ask in (
        lambda model: model.predict(FLAT[:2]),
        lambda model: model.predict_proba(FLAT),
        lambda model: model.transform(FLAT),
        lambda model: model.score(FLAT[:5], NAMES),
        lambda model: model.partial_fit(FLAT[:5], NAMES),
        lambda model: model.remember(FLAT[:5], NAMES),
        lambda model: model.advise(FLAT[:5], NAMES),
    ):
        model = GrowingClassifier.adopt(Summed(), NAMES)
        with pytest.raises(SettingError, match="adds or mixes scores"):
            ask(model)


def test_a_network_that_was_not_compared_cannot_be_stored(tmp_path):
    network = trained()
    model = GrowingClassifier.adopt(network, NAMES)
    with pytest.raises(SettingError, match="example="):
        model.save(tmp_path / "model")
    model.predict(FLAT[:1])
    model.save(tmp_path / "model")
    GrowingClassifier.adopt(network, NAMES, example=FLAT[:1]).save(tmp_path / "other")
    for name in ("model", "other"):
        again = load(tmp_path / name, backbone=network)
        assert np.array_equal(again.predict_proba(FLAT), model.predict_proba(FLAT))


def test_a_method_changed_before_inputs_came_is_kept():
    model = GrowingClassifier.adopt(trained(), NAMES, method="er", epochs=1)
    model.change_method("lwf")
    model.partial_fit(FLAT[LABELS == 7], ["seven"] * (LABELS == 7).sum())
    assert model.method_ == "lwf" and len(model.classes_) == 6


class Positions(nn.Module):
    """A head over all positions of a sequence, of which the last answers."""

    def __init__(self):
        super().__init__()
        self.stem, self.fc = nn.GRU(8, 16, batch_first=True), nn.Linear(16, 5)

    def forward(self, x):
        return self.fc(self.stem(x.view(-1, 8, 8))[0])[:, -1]


class Pixels(nn.Module):
    """A head that is a convolution of single pixels, whose mean answers."""

    def __init__(self):
        super().__init__()
        self.stem, self.head = nn.Conv2d(1, 16, 3), nn.Conv2d(16, 5, 1)

    def forward(self, x):
        return self.head(self.stem(x.view(-1, 1, 8, 8)).relu()).mean((2, 3))


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:FutureWarning")
@pytest.mark.parametrize("method", ["auto", "er", "ewc"])
@pytest.mark.parametrize(
    "make", [Positions, Pixels, lambda: torch.jit.script(trained()), lambda: trained().double()]
)
def test_networks_with_other_heads_answer_learn_and_come_back(make, method, tmp_path):
    torch.manual_seed(0)
    network = make().eval()
    dtype = next(network.parameters()).dtype
    with torch.no_grad():
        own = network(torch.from_numpy(FLAT).to(dtype)).float().softmax(1).numpy()
    model = GrowingClassifier.adopt(network, NAMES, method=method, epochs=1)
    np.testing.assert_allclose(model.predict_proba(FLAT), own, atol=1e-5)
    rows = LABELS == 7
    model.partial_fit(FLAT[rows], ["seven"] * rows.sum())
    model.save(tmp_path / "model")
    again = load(tmp_path / "model", backbone=network)
    assert np.array_equal(again.predict_proba(FLAT), model.predict_proba(FLAT))
    for one in (model, again):
        one.partial_fit(FLAT[rows], ["eight"] * rows.sum())
    assert np.array_equal(again.predict_proba(FLAT), model.predict_proba(FLAT))


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        ("weights.pt", "got a str"),
        (trained().state_dict(), "a state dict"),
        (nn.Linear, "the class Linear"),
        (None, "got a NoneType"),
    ],
)
def test_what_is_no_network_is_told_what_to_pass(thing, said):
    with pytest.raises(SettingError, match=f"adopt takes the network itself.*{said}"):
        GrowingClassifier.adopt(thing, NAMES)
