"""Scorers hold by definition, whatever the order of classes."""

from functools import partial

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from evergrow import GrowingClassifier, metrics
from evergrow.errors import DataError
from evergrow.model.scorers import balanced_accuracy, neg_log_loss, roc_auc, top_k_accuracy

PAIRS = [
    (roc_auc, "roc_auc_ovr"),
    (neg_log_loss, "neg_log_loss"),
    (top_k_accuracy, "top_k_accuracy"),
    (balanced_accuracy, "balanced_accuracy"),
]


class Fixed:
    """Gives these probabilities for these classes."""

    def __init__(self, classes, shares):
        self.classes_, self.shares = np.array(classes), np.array(shares)

    def predict_proba(self, X):
        return self.shares

    def predict(self, X):
        return self.classes_[self.shares.argmax(1)]


@pytest.mark.parametrize(("scorer", "name"), PAIRS)
def test_they_agree_with_scikit_learn_where_columns_are_sorted(scorer, name):
    X, y = load_iris(return_X_y=True)
    model = LogisticRegression(C=0.01).fit(X, y)
    assert scorer(model, X, y) == pytest.approx(get_scorer(name)(model, X, y))
    assert getattr(metrics, scorer.__name__) is scorer


@pytest.mark.parametrize(("scorer", "name"), PAIRS)
def test_a_grown_model_scores_as_its_sorted_view(scorer, name):
    X, y = load_iris(return_X_y=True)
    model = GrowingClassifier("none").partial_fit(X[y == 2], y[y == 2])
    model.partial_fit(X[y != 2], y[y != 2])
    right = get_scorer(name)(model.sorted(), X, y)
    assert scorer(model, X, y) == pytest.approx(right) and abs(right) > 0.01


def test_a_class_that_the_model_does_not_know_has_no_probability():
    model = Fixed(["b", "a"], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    y = ["b", "a", "new"]
    assert top_k_accuracy(model, None, y, k=1) == top_k_accuracy(model, None, y, k=3) == 2 / 3
    assert balanced_accuracy(model, None, y) == 2 / 3
    assert roc_auc(model, None, y) == pytest.approx((1.0 + 1.0 + 0.5) / 3)
    least = np.log(np.finfo(float).eps)
    assert neg_log_loss(model, None, y) == pytest.approx((np.log(0.9) + np.log(0.8) + least) / 3)


def test_one_class_has_no_curve():
    with pytest.raises(DataError, match="at least two"):
        roc_auc(Fixed(["a", "b"], [[0.5, 0.5]]), None, ["a"])


def test_ties_are_not_all_right():
    level = Fixed(["a", "b", "c"], [[1 / 3] * 3] * 3)
    assert top_k_accuracy(level, None, ["a", "b", "c"], k=2) == 0


def test_they_serve_pipelines_and_searches():
    X, y = load_iris(return_X_y=True)
    pipe = make_pipeline(StandardScaler(), GrowingClassifier("none"))
    for scorer in (roc_auc, partial(top_k_accuracy, k=1)):
        assert cross_val_score(pipe, X, y, cv=2, scoring=scorer).min() > 0.9
