"""Rules on old classes: where each warns, what it warns of happens; else all is well."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from evergrow import GrowingClassifier
from evergrow.model.advice import advise
from evergrow.model.advice_facts import Facts

from .taught_digits import ALL, XT, YT, X, Y, holds, learnt, recall, said


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
