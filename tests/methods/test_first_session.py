"""First-session adaptation: the first task moves the backbone, or a note says why it does not."""

import numpy as np
import pytest
import torch
from torch import nn

from evergrow import GrowingClassifier, load, methods
from evergrow.backbones import MLP, ConvNet
from evergrow.checks import blobs, check_method, net, of, remembered, same
from evergrow.errors import SettingError
from evergrow.methods import LDA, RanPAC
from evergrow.methods.first_session import TOO_GOOD
from evergrow.nn import precision
from tests.methods.learners import attached, task

X, Y = blobs()
FIRST = of(Y, "ca")
ADAPTING = ["ncm", "lda", "ridge", "acil", "ranpac", "ds-al", "fecam"]


def adapting(name: str = "lda", body=net, **more) -> GrowingClassifier:
    method = methods.get(name, adapt=True)
    return GrowingClassifier(body, method, **{"epochs": 2, "lr": 0.05, **more})


def body(model) -> list[torch.Tensor]:
    return [p.detach().clone() for p in model.net_.backbone.parameters()]


def equal(one, other) -> bool:
    return all(torch.equal(a, b) for a, b in zip(body(one), body(other), strict=True))


def test_all_closed_forms_have_it_and_no_other_method():
    found = [e.name for e in methods.ENTRIES if "adapt" in methods.get(e.name).settings()]
    assert sorted(found) == sorted(ADAPTING)


@pytest.mark.parametrize("name", ADAPTING)
def test_the_first_task_alone_moves_the_backbone(name):
    model = adapting(name).partial_fit(X[FIRST], Y[FIRST])
    plain = GrowingClassifier(net, name).partial_fit(X[FIRST], Y[FIRST])
    assert not equal(model, plain)
    moved = body(model)
    model.partial_fit(X[~FIRST], Y[~FIRST])
    assert all(torch.equal(a, b) for a, b in zip(moved, body(model), strict=True))
    assert model.net_.n_classes == 0 and model.learner_.adapted and model.score(X, Y) > 0.9


@pytest.mark.parametrize("name", ["lda", "fecam"])
def test_the_contract_holds_with_it(name):
    check_method(methods.get(name, adapt=True))


def test_after_the_first_task_order_and_chunks_make_no_difference():
    rest = [np.flatnonzero(of(Y, k)) for k in ("d", "be")]
    models = []
    for order in ([rest[0], rest[1]], [rest[1][::-1], rest[0]], [np.concatenate(rest)]):
        model = adapting().partial_fit(X[FIRST], Y[FIRST], classes=list("abcde"))
        for rows in order:
            model.partial_fit(X[rows], Y[rows])
        models.append(model.learner_.sums)
    for sums in models[1:]:
        assert torch.equal(sums.sums, models[0].sums) and torch.equal(sums.gram, models[0].gram)


def test_features_read_the_weights_as_they_are_after():
    pytest.importorskip("timm")
    from evergrow.backbones import Timm

    images = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
    timm = Timm("test_resnet", pretrained=False)  # batch norm is folded where nothing learns
    model = adapting(body=timm, image_size=32, lr=0.01)
    model.partial_fit(images, np.arange(12) % 2)
    inner = model.net_.backbone.inner()
    with torch.no_grad():
        x = model.net_.inputs(torch.from_numpy(images.transpose(0, 3, 1, 2).copy()))
        wanted = inner.eval()(x)
    torch.testing.assert_close(torch.from_numpy(model.transform(images)), wanted, atol=1e-4, rtol=0)


def test_a_scale_that_was_fixed_for_the_weights_before_is_fixed_anew(monkeypatch):
    build = MLP.build

    def scaled(self, prepared, rng):
        made = build(self, prepared, rng)
        made.scale = 1e-3  # every feature would round to 0
        return made

    monkeypatch.setattr(MLP, "build", scaled)
    model = adapting(body=MLP(hidden=(8,)), lr=0.01).partial_fit(X[FIRST], Y[FIRST])
    largest = float(model.transform(X[FIRST]).max())
    assert model.net_.scale == pytest.approx(127 / (1.25 * largest))
    assert model.learner_.sums.kept.rows.max() > 90
    resting = adapting(body=MLP(hidden=(8,)), freeze=True).partial_fit(X[FIRST], Y[FIRST])
    assert resting.net_.scale == 1e-3


def test_a_model_goes_on_identically_after_it_is_saved(tmp_path):
    model = adapting(body=ConvNet(base=4), unfreeze=1, epochs=4)
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)
    y = np.arange(40) % 4
    model.partial_fit(images[y < 2], y[y < 2]).save(tmp_path)
    twin = load(tmp_path)
    assert twin.net_.scale == model.net_.scale and twin.learner_.adapted
    for m in (model, twin):
        m.partial_fit(images[y > 1], y[y > 1])
        assert m.update_["warnings"] == []
    assert same(remembered(model), remembered(twin))
    assert (model.predict_proba(images) == twin.predict_proba(images)).all()


@pytest.mark.parametrize(
    "how, said",
    [
        ({"freeze": True}, "freeze=True leaves nothing"),
        ({"freeze": "1"}, "freeze='1' leaves nothing"),
        ({"body": "fourier"}, "nothing that learns"),
        ({"unfreeze": 2}, "head learns alone"),
        ({"labels": "c"}, "one class"),
    ],
)
def test_where_nothing_can_be_adapted_a_note_says_why(how, said):
    how = dict(how)
    rows = of(Y, how.pop("labels", "ca"))
    model = adapting(**how).partial_fit(X[rows], Y[rows])
    plain = GrowingClassifier(how.get("body", net), "lda").partial_fit(X[rows], Y[rows])
    assert [said in note for note in model.update_["warnings"]] == [True]
    assert equal(model, plain) and not model.learner_.adapted


def test_sums_that_exist_keep_the_backbone_as_it_is_and_a_note_says_so():
    model = GrowingClassifier(net, "lda", epochs=2).partial_fit(X[FIRST], Y[FIRST])
    before = body(model)
    model.set_params(method=LDA(adapt=True)).partial_fit(X[~FIRST], Y[~FIRST])
    assert all(torch.equal(a, b) for a, b in zip(before, body(model), strict=True))
    assert "already" in model.update_["warnings"][0]


def test_an_adopted_network_stays_as_it_is_and_a_note_says_so():
    network = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2))
    model = GrowingClassifier.adopt(network, list("ac"), method=LDA(adapt=True), epochs=2)
    before = body(model)
    model.remember(X[FIRST], Y[FIRST]).partial_fit(X[~FIRST], Y[~FIRST])
    assert all(torch.equal(a, b) for a, b in zip(before, body(model), strict=True))
    assert "already" in model.update_["warnings"][0]


def test_it_is_said_that_rows_of_the_first_task_are_judged_too_well():
    model = adapting().partial_fit(X[FIRST], Y[FIRST])
    assert model.update_["warnings"] == [TOO_GOOD]
    assert adapting("fecam").partial_fit(X, Y).update_["warnings"] == []  # it judges no rows


@pytest.mark.parametrize("name", ["ranpac", "fecam"])
def test_a_failed_adaptation_leaves_nothing_behind(name):
    fresh = attached(methods.get(name, adapt=True), classes=0)
    fresh.net.backbone.bias = nn.Parameter(torch.zeros(2))
    fresh.net.precision = torch.bfloat16
    twin = fresh.fork(fresh.how, fresh.rng)
    twin.grow(0, 2)
    twin.net.head.grow(2, torch.Generator())
    with torch.no_grad():
        twin.net.backbone.bias += 1
    twin.net.scale, twin.net.precision, twin.adapted = 3.0, None, True
    assert fresh.net.n_classes == 0 and fresh.net.scale == 1.0 and not fresh.adapted
    assert (fresh.net.backbone.bias == 0).all() and fresh.net.precision is torch.bfloat16


def test_an_interrupted_adaptation_can_be_done_again_as_if_nothing_had_been():
    model, calls = adapting(), []

    def interrupted(x):
        calls.append(x)
        if len(calls) > 3:  # steps of the first epoch
            raise KeyboardInterrupt
        return x

    model.augment = interrupted
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(X[FIRST], Y[FIRST])
    model.augment = None
    model.partial_fit(X[FIRST], Y[FIRST])
    assert equal(model, adapting().partial_fit(X[FIRST], Y[FIRST]))


def test_training_that_diverges_is_said_and_leaves_nothing_behind():
    model = adapting(body=lambda: nn.Linear(2, 3), lr=1e20, epochs=5)
    with pytest.raises(SettingError, match="smaller lr"):
        model.partial_fit(X[FIRST], Y[FIRST])
    model.set_params(lr=0.05, epochs=2).partial_fit(X[FIRST], Y[FIRST])
    twin = adapting(body=lambda: nn.Linear(2, 3)).partial_fit(X[FIRST], Y[FIRST])
    assert equal(model, twin)


@pytest.mark.parametrize(
    "asked, cosine, kept",
    [(None, 0.99, None), (None, 0.9999, torch.bfloat16), (torch.bfloat16, 0.99, torch.bfloat16)],
)
def test_the_precision_of_features_is_judged_by_the_new_weights(monkeypatch, asked, cosine, kept):
    monkeypatch.setattr(precision, "agreement", lambda net, size: cosine)
    method = attached(RanPAC(size=5, adapt=True), classes=0, autocast=asked)
    method.net.backbone.trains = True
    method.net.backbone.bias = nn.Parameter(torch.zeros(2))
    method.net.precision = torch.bfloat16
    for _ in method.learn(task([[3.0, 4.0], [-8.0, 1.0]], [0, 1], 0, 2)):
        pass
    assert method.adapted and method.net.precision is kept


@pytest.mark.parametrize(
    "pretrained, asked, share", [(False, None, 1.0), (True, None, 0.001), (True, 0.5, 0.5)]
)
def test_a_pretrained_backbone_is_adapted_gently_unless_told_otherwise(pretrained, asked, share):
    method = attached(LDA(adapt=True), classes=0, lr=0.5, backbone_lr=asked)
    method.net.backbone.trains, method.net.backbone.pretrained = True, pretrained
    method.net.backbone.bias = nn.Parameter(torch.zeros(2))
    learning = method.learn(task([[3.0, 4.0], [-8.0, 1.0]], [0, 1], 0, 2))
    next(learning)
    rates = {id(p): g["lr"] for g in method.optimizer.param_groups for p in g["params"]}
    assert rates[id(method.net.backbone.bias)] == 0.5 * share
    assert rates[id(method.net.head.weight)] == 0.5
    learning.close()
