"""Each rule: where it warns, what it warns of happens; where it does not, all is well.

Measured on digits, each case in a second or two. Forecasts are held against what came.
"""

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from evergrow import GrowingClassifier, backbones, methods
from evergrow.model.advice import RULES, Probed, advise, weak_backbone
from evergrow.model.advice_facts import Facts

X, Y = load_digits().images.astype(np.float32) / 16, load_digits().target
TEST = np.arange(len(Y)) % 3 == 0
XT, YT, X, Y = X[TEST], Y[TEST], X[~TEST], Y[~TEST]
ALL = range(10)
WARNINGS = Path(__file__).parents[2] / "docs" / "advice.md"


def learnt(method, *chunks, backbone="mlp", **settings) -> GrowingClassifier:
    """A model that has learnt these classes, chunk by chunk."""
    made = methods.get(method, **settings)
    model = GrowingClassifier(backbone, made, epochs=5)
    for classes in chunks:
        rows = np.isin(Y, list(classes))
        model.partial_fit(X[rows], Y[rows])
    return model


def recall(model, classes=ALL) -> float:
    """Mean recall of classes on digits that the model has not seen."""
    return float(np.mean([(model.predict(XT[YT == c]) == c).mean() for c in classes]))


def said(model) -> dict:
    """The advice on the last update, by rule."""
    return {entry["rule"]: entry for entry in model.update_["advice"]}


def holds(entry, came) -> bool:
    low, high = entry["forecast"]
    return low <= came <= high


def fewer(column: int, n: int) -> np.ndarray:
    """Rows of all digits, but n alone of one."""
    rows = np.ones(len(Y), bool)
    rows[np.flatnonzero(Y == column)[n:]] = False
    return rows


# -- the old classes ------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["finetune", "probe"])
def test_new_classes_alone_are_all_that_remains_where_nothing_is_kept(method):
    model = learnt(method, range(6), range(6, 10))
    entry = said(model)["new-classes-alone"]
    assert recall(model, range(6)) == 0 and holds(entry, recall(model))
    assert entry["forecast"] == [0.32, 0.42] and len(entry["remedies"]) == 3


def test_all_classes_together_are_learnt_and_nothing_is_said():
    model = learnt("finetune", range(5), ALL)
    assert said(model) == {} and recall(model) > 0.9


def test_old_classes_that_come_again_are_kept_and_the_others_forgotten():
    model = learnt("finetune", range(8), range(4, 10))
    entry = said(model)["new-classes-alone"]
    assert entry["text"].startswith("4 of 8 old classes") and recall(model, range(4)) == 0
    assert recall(model, range(4, 8)) > 0.9 and holds(entry, recall(model))


def test_where_nothing_is_new_absent_classes_are_not_forgotten_at_once():
    model = learnt("finetune", ALL, range(1, 10))
    assert said(model) == {} and recall(model, [0]) > 0.8


@pytest.mark.parametrize("method", ["ewc", "si", "mas", "lwf"])
def test_regularization_alone_does_not_hold_classes_apart(method):
    chunks = [range(i, i + 2) for i in range(0, 10, 2)]
    model = learnt(method, *chunks)
    entry = said(model)["regularization-alone"]
    assert recall(model) < 0.65 and holds(entry, recall(model))


def test_regularization_with_old_classes_at_hand_is_well_and_nothing_is_said():
    model = learnt("ewc", range(5), ALL)
    assert said(model) == {} and recall(model) > 0.9


def test_a_memory_smaller_than_two_a_class_forgets():
    model = learnt("er", range(8), range(8, 10), memory=10)
    entry = said(model)["small-memory"]
    assert recall(model, range(8)) < 0.55 and holds(entry, recall(model))
    assert "1.0 samples of each" in entry["text"]


def test_a_memory_of_twenty_a_class_does_well_and_only_the_outlook_is_given():
    model = learnt("er", range(8), range(8, 10), memory=200)
    assert list(said(model)) == ["outlook"] and recall(model) > 0.85
    assert holds(said(model)["outlook"], recall(model))


def test_the_outlook_of_replay_goes_by_how_alike_classes_are():
    facts = Facts("er", "rehearsal", classes="abcd", old=2, tasks=1, room=80, held=20)
    facts = replace(facts, learnt=[90, 90, 0, 0], coming=[0, 0, 90, 90])
    found = [advise(replace(facts, nearest=share))[0].forecast for share in (0.4, 1.0)]
    assert found == [(0.555, 0.805), (0.78, 1.0)]  # old: .75 * .4 + .17 - .21, + .14; new: .85, 1


def test_the_sums_of_reprise_need_no_large_memory():
    model = learnt("reprise", range(8), range(8, 10), memory=10)
    assert "small-memory" not in said(model) and recall(model) > 0.95


def test_leave_one_out_recall_tells_what_sums_will_come_to():
    model = learnt("lda", range(5), backbone="none")
    rows = Y >= 5
    assert model.advise(X[rows], Y[rows]) == []  # nothing is solved yet
    model.predict(X[:1])
    model.partial_fit(X[rows], Y[rows])
    assert holds(said(model)["outlook"], recall(model))


def trained() -> nn.Module:
    """A network that tells five digits apart."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 5))
    x, y = torch.from_numpy(X[Y < 5]), torch.from_numpy(Y[Y < 5])
    optimizer = torch.optim.Adam(net.parameters(), 0.01)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
    return net


def adopted(remember: int = 0) -> GrowingClassifier:
    """That network, grown by the digit 7."""
    flat, rows = X.reshape(-1, 64), Y == 7
    model = GrowingClassifier.adopt(trained(), [0, 1, 2, 3, 4], epochs=5)
    if remember:
        few = np.concatenate([np.flatnonzero(c == Y)[:remember] for c in range(5)])
        model.remember(flat[few], Y[few])
    return model.partial_fit(flat[rows], Y[rows])


def test_an_adopted_network_alone_does_worse_than_with_samples_of_its_classes():
    alone, helped = adopted(), adopted(remember=20)
    assert "20 old images" in said(alone)["adopted-alone"]["remedies"][0]
    assert said(helped) == {}

    def score(model):
        rows = np.isin(YT, [0, 1, 2, 3, 4, 7])
        return model.score(XT[rows].reshape(-1, 64), YT[rows])

    assert score(helped) > score(alone)


def test_more_old_samples_than_a_few_are_asked_for():
    assert said(adopted(remember=5))["few-remembered"]["text"].startswith("5 samples")


def test_consolidation_without_unlabelled_inputs_forgets():
    x, y = X.reshape(-1, 64), Y
    scores, rules = [], []
    for beside in (None, x):
        model = GrowingClassifier("mlp", "dmc", epochs=5).partial_fit(x[y < 5], y[y < 5])
        model.partial_fit(x[y >= 5], y[y >= 5], auxiliary=beside)
        scores.append(model.score(XT.reshape(-1, 64), YT))
        rules.append(list(said(model)))
    assert rules == [["no-auxiliary"], []] and scores[0] < scores[1] - 0.1


# -- the samples ----------------------------------------------------------------------------------


@pytest.mark.parametrize("method, backbone", [("er", "mlp"), ("lda", "none")])
def test_a_class_of_two_samples_is_not_learnt_and_one_of_fifty_is(method, backbone):
    models = []
    for n in (2, 50):
        model = GrowingClassifier(backbone, method, epochs=5)
        models.append(model.partial_fit(X[fewer(9, n)], Y[fewer(9, n)]))
    few, many = models
    assert "9 (2)" in said(few)["few-samples"]["text"] and recall(few, [9]) < 0.5
    assert "few-samples" not in said(many) and recall(many, [9]) > 0.85


def test_a_rare_class_is_never_answered_by_one_hot_regression_but_by_equal_priors():
    rows = fewer(9, 6)
    models = [
        GrowingClassifier("none", name).partial_fit(X[rows], Y[rows]) for name in ("ridge", "lda")
    ]
    ridge, lda = models
    assert "9 6" in said(ridge)["imbalance"]["text"] and recall(ridge, [9]) == 0
    assert said(lda) == {} and recall(lda, [9]) > 0.2


def test_inputs_of_another_range_are_noticed_and_what_they_teach_is_of_no_use():
    scores, rules = [], []
    for change in (lambda x: 1 - x, lambda x: x):
        model = learnt("lda", range(5), backbone="none")
        model.partial_fit(change(X[Y >= 5]), Y[Y >= 5])
        scores.append(recall(model, range(5, 10)))
        rules.append([rule for rule in said(model) if rule != "outlook"])
    assert rules == [["unlike-inputs"], []] and scores[0] < 0.1 and scores[1] > 0.9


# -- the backbone ---------------------------------------------------------------------------------


def test_a_backbone_that_nothing_trains_gives_poor_features():
    random = learnt("lda", ALL, backbone=backbones.get("mlp", hidden=(16,)))
    plain = learnt("lda", ALL, backbone="none")
    assert "untrained-backbone" in said(random) and said(plain) == {}
    assert recall(random) < recall(plain) - 0.1
    adapting = learnt("ranpac", ALL, backbone="mlp", adapt=True)
    assert "untrained-backbone" not in said(adapting) and recall(adapting) > recall(random)


@pytest.mark.parametrize("method", ["lda", "ridge"])
def test_a_tiny_penalty_fails_where_there_are_as_many_features_as_samples(method):
    flat, rules, scores = X.reshape(-1, 64), [], []
    for n, settings in ((60, {"penalty": 1e-6}), (60, {}), (1000, {"penalty": 1e-6})):
        model = GrowingClassifier("none", methods.get(method, **settings))
        model.partial_fit(flat[:n], Y[:n])
        scores.append(model.score(XT.reshape(-1, 64), YT))
        rules.append("more-features-than-samples" in said(model))
    assert rules == [True, False, False] and scores[0] < scores[1] - 0.1 < scores[2]


@pytest.mark.parametrize(
    "features, trained, held, warns",
    [(0.5, 0.9, 200, True), (0.9, 0.92, 2000, False), (0.5, 0.7, 10, False), (0.9, 0.5, 99, False)],
)
def test_a_gain_of_training_counts_where_it_is_more_than_chance(features, trained, held, warns):
    found = weak_backbone(Probed(features, trained, held, 10, "mlp"))
    assert (found is not None) == warns


# -- as a whole -----------------------------------------------------------------------------------


def test_advice_changes_nothing_and_is_that_of_the_update():
    model = learnt("er", range(5), memory=10)
    before, rows = model.predict_proba(XT), Y >= 5
    names = sorted(vars(model))
    found = model.advise(X[rows], Y[rows])
    assert np.array_equal(model.predict_proba(XT), before) and sorted(vars(model)) == names
    assert model.classes_.tolist() == [0, 1, 2, 3, 4]
    twin = learnt("er", range(5), memory=10).partial_fit(X[rows], Y[rows])
    model.partial_fit(X[rows], Y[rows])
    assert np.array_equal(model.predict_proba(XT), twin.predict_proba(XT))
    assert model.update_["advice"] == found == json.loads(json.dumps(found))


def test_a_model_that_knows_nothing_can_be_asked_too():
    model = GrowingClassifier("mlp", "lda")
    assert [a["rule"] for a in model.advise(X, Y)] == ["untrained-backbone"]
    assert not hasattr(model, "classes_")


def test_advice_that_cannot_be_given_leaves_the_model_as_it_was():
    model = learnt("finetune", range(5))
    with pytest.raises(ValueError):
        model.advise(X[:, :4], Y)
    assert recall(model, range(5)) > 0.9 and model.classes_.tolist() == [0, 1, 2, 3, 4]


def test_advice_takes_a_moment():
    model = GrowingClassifier("none", "lda")
    x = np.random.default_rng(0).integers(0, 255, (5000, 28, 28), dtype=np.uint8)
    y = np.arange(5000) % 50
    model.partial_fit(x[y < 25], y[y < 25])
    later = y >= 25
    model.advise(x[later], y[later])
    began = time.perf_counter()
    model.advise(x[later], y[later])
    assert time.perf_counter() - began < 0.05


def test_every_rule_is_in_the_documentation_under_its_own_name():
    text = WARNINGS.read_text()
    for rule in (*RULES, weak_backbone):
        name = rule.__name__.replace("_", "-")
        assert f"| `{name}` |" in text, name


def test_facts_of_a_method_of_ones_own_bring_no_advice():
    facts = Facts("mine:Mine", classes="ab", old=1, learnt=[9, 0], coming=[0, 9], tasks=1)
    assert advise(facts) == []
