"""Advice as a whole: every rule is documented, told before training, and passes streams by."""

import json
from pathlib import Path

import numpy as np
import pytest

from evergrow import GrowingClassifier
from evergrow.data import preprocess
from evergrow.model.advice import RULES, advise
from evergrow.model.advice_facts import Facts
from evergrow.model.advice_on_backbone import weak_backbone

from .taught_digits import XT, X, Y, learnt, recall

WARNINGS = Path(__file__).parents[2] / "docs" / "advice.md"


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


def test_advice_looks_at_a_few_samples_however_many_come(monkeypatch):
    model, taken = GrowingClassifier("none", "lda"), []
    x = np.random.default_rng(0).integers(0, 255, (5000, 28, 28), dtype=np.uint8)
    y = np.arange(5000) % 50
    model.partial_fit(x[y < 25], y[y < 25])
    real = preprocess.Prepared.take

    def watched(records, rows):
        taken.append(len(rows))
        return real(records, rows)

    monkeypatch.setattr(preprocess.Prepared, "take", watched)
    model.advise(x[y >= 25], y[y >= 25])
    assert 0 < sum(taken) <= 512


def test_every_rule_is_in_the_documentation_under_its_own_name():
    text = WARNINGS.read_text()
    for rule in (*RULES, weak_backbone):
        name = rule.__name__.replace("_", "-")
        assert f"| `{name}` |" in text, name


def test_facts_of_a_method_of_ones_own_bring_no_advice():
    facts = Facts("mine:Mine", classes="ab", old=1, learnt=[9, 0], coming=[0, 9], tasks=1)
    assert advise(facts) == []
