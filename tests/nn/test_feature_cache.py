"""The feature cache: each sample passes a frozen network once, and nothing is stale."""

import copy

import pytest
import torch
from torch import nn

from evergrow import GrowingClassifier, backbones, methods
from evergrow.nn.feature_cache import FeatureCache, digests


class Counted(nn.Module):
    """Twice the input; counts the rows that it was given."""

    def __init__(self):
        super().__init__()
        self.weight, self.rows = nn.Parameter(torch.tensor(2.0)), 0

    def forward(self, x):
        self.rows += len(x)
        return x * self.weight


def test_a_sample_is_computed_once_wherever_it_comes_again():
    net, cache = Counted(), FeatureCache()
    x = torch.tensor([[1.0], [3.0], [1.0]])
    assert cache.take(net, x, net).tolist() == [[2.0], [6.0], [2.0]]
    assert cache.take(net, x[[1, 1]], net).tolist() == [[6.0], [6.0]]
    assert net.rows == 2


@torch.no_grad()
def test_other_weights_make_it_forget():
    net, cache, x = Counted(), FeatureCache(), torch.tensor([[1.0]])
    cache.take(net, x, net)
    net.weight.fill_(5.0)
    assert cache.take(net, x, net).tolist() == [[5.0]]


def test_features_beyond_its_room_are_computed_each_time():
    net, cache = Counted(), FeatureCache(room=8)  # two float32 numbers
    x = torch.tensor([[1.0], [2.0], [3.0]])
    for _ in range(2):
        assert cache.take(net, x, net).tolist() == [[2.0], [4.0], [6.0]]
    assert net.rows == 4 and len(cache) == 2


def test_as_many_samples_as_it_has_room_for_keep_their_features():
    net, cache = Counted(), FeatureCache(room=400)
    x = torch.arange(150.0)[:, None]
    for part in [*x.split(7), *x.split(11)]:
        assert torch.equal(cache.take(net, part, net), 2 * part)
    assert len(cache) == 100 and net.rows == 150 + 50
    assert torch.equal(cache.take(net, x[[149, 3, 149, 3]], net), 2 * x[[149, 3, 149, 3]])


class Kept:
    """What lies beyond a cache, with features that no network gives."""

    def __init__(self):
        self.rows, self.renewed = {}, 0

    def renew(self):
        self.rows, self.renewed = {}, self.renewed + 1

    def find(self, keys):
        return {key: self.rows[key] for key in keys if key in self.rows}

    def put(self, rows, seconds):
        assert seconds > 0
        self.rows |= rows


@torch.no_grad()
def test_what_is_known_beyond_is_not_computed_and_what_is_computed_goes_there():
    net, beyond, x = Counted(), Kept(), torch.tensor([[1.0], [2.0]])
    cache = FeatureCache(room=0, beyond=beyond)
    cache.take(net, x, net)
    assert [row.tolist() for row in beyond.rows.values()] == [[2.0], [4.0]]
    beyond.rows[digests(x[1:])[0]] = torch.tensor([7.0])
    again = torch.tensor([[2.0], [3.0], [1.0], [2.0]])
    assert cache.take(net, again, net).tolist() == [[7.0], [6.0], [2.0], [7.0]]
    assert net.rows == 3 and beyond.renewed == 1
    net.weight.fill_(5.0)
    assert cache.take(net, x, net).tolist() == [[5.0], [10.0]] and beyond.renewed == 2


def test_what_lies_beyond_is_asked_for_a_network_without_weights_too():
    beyond = Kept()
    FeatureCache(beyond=beyond).take(nn.Flatten(), torch.ones(1, 1), nn.Flatten())
    assert beyond.renewed == 1


def test_a_copied_network_has_an_empty_cache_that_reaches_nothing_beyond():
    net, beyond = Counted(), Kept()
    net.cache = FeatureCache(beyond=beyond)
    net.cache.take(net, torch.ones(1, 1), net)
    twin = copy.deepcopy(net)
    assert len(twin.cache) == 0 and twin.cache.beyond is None and len(net.cache) == 1


def test_content_of_another_shape_or_type_is_other_content():
    x = torch.zeros(1, 2, 4, dtype=torch.uint8)
    others = [x, x.view(1, 4, 2), x.view(torch.int8), x[:, :1], torch.ones_like(x), x.float()]
    assert len({digests(each)[0] for each in others}) == len(others)
    strided = torch.arange(12).view(3, 4).T
    assert digests(strided) == digests(strided.contiguous()) and len(set(digests(strided))) == 4


def test_features_bring_no_gradient_to_the_network():
    net = Counted()
    assert not FeatureCache().take(net, torch.ones(1, 1), net).requires_grad


def rows_of(model, x, y, monkeypatch):
    """Rows that pass the backbone in all while a model learns."""
    from evergrow.backbones.custom import Wrapped

    rows, forward = [], Wrapped.forward

    def counted(self, x):
        rows.append(len(x))
        return forward(self, x)

    with monkeypatch.context() as patched:
        patched.setattr(Wrapped, "forward", counted)
        model.partial_fit(x, y)
    return sum(rows)


def learner(method, **settings):
    body = backbones.get("timm:test_resnet", pretrained=False)
    build = body.build

    def pretrained(form, rng):  # in name: its weights are not at hand offline
        made = build(form, rng)
        made.pretrained = True
        return made

    body.build = pretrained
    how = {"epochs": 3, "batch_size": 8, "image_size": 32, "lr": 0.01} | settings
    return GrowingClassifier(body, method, **how)


@pytest.fixture
def data():
    pytest.importorskip("timm")
    rng = torch.Generator().manual_seed(0)
    x = torch.randint(0, 256, (24, 3, 32, 32), dtype=torch.uint8, generator=rng)
    return x, torch.arange(24) % 2


@pytest.mark.parametrize("method", ["finetune", methods.ER(memory=8, replay=8)])
def test_a_frozen_network_sees_each_sample_once_in_all_epochs(data, method, monkeypatch):
    seen = rows_of(learner(method, freeze=True), *data, monkeypatch)
    assert seen == 1 + 24, "one example shows its width"


@pytest.mark.parametrize("settings", [{}, {"freeze": True, "augment": lambda x: x}])
def test_it_is_not_used_where_network_or_inputs_change(data, settings, monkeypatch):
    assert rows_of(learner("finetune", **settings), *data, monkeypatch) >= 3 * 24


def test_the_head_learns_the_same_as_without(data, monkeypatch):
    with_cache = learner("finetune", freeze=True).partial_fit(*data)
    monkeypatch.setattr("evergrow.training.loop.FeatureCache", lambda **settings: None)
    without = learner("finetune", freeze=True).partial_fit(*data)
    weights = with_cache.net_.head.weight, without.net_.head.weight
    assert torch.allclose(*weights, atol=1e-5)
    assert with_cache.net_.cache is None
