"""Rules on the samples: where each warns, what it warns of happens; else all is well."""

import pytest

from evergrow import GrowingClassifier

from .taught_digits import X, Y, fewer, learnt, recall, said


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
