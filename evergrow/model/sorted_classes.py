"""A model with its classes sorted, for scikit-learn's tools that take columns to be."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class SortedClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The answers of a classifier, `classes_` and the columns of scores in sorted order.

    estimator: has learnt, and is asked as it is; see `GrowingClassifier.sorted`.
    """

    def __init__(self, estimator: Any):
        self.estimator = estimator

    @property
    def classes_(self) -> np.ndarray:
        """(k,) labels by column, sorted."""
        classes: np.ndarray = self.estimator.classes_[self._order]
        return classes

    @property
    def _order(self) -> np.ndarray:
        order: np.ndarray = np.argsort(self.estimator.classes_)
        return order

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: Any, y: Any = None) -> "SortedClassifier":
        """Nothing: it has learnt."""
        return self

    def scores(self, X: Any) -> np.ndarray:
        """(n, classes) scores."""
        scores: np.ndarray = self.estimator.scores(X)[:, self._order]
        return scores

    def decision_function(self, X: Any) -> np.ndarray:
        """`scores`; (n,) where `classes_` holds two labels."""
        return as_decision(self.scores(X))

    def predict_proba(self, X: Any) -> np.ndarray:
        """(n, classes) probabilities in [0, 1]."""
        shares: np.ndarray = self.estimator.predict_proba(X)[:, self._order]
        return shares

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """(n, classes) logarithms of them."""
        return logarithms(self.predict_proba(X))

    def predict(self, X: Any) -> np.ndarray:
        """(n,) labels."""
        labels: np.ndarray = self.estimator.predict(X)
        return labels

    def __getattr__(self, name: str) -> Any:
        if name in ("n_features_in_", "feature_names_in_"):
            return getattr(self.estimator, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


def as_decision(scores: np.ndarray) -> np.ndarray:
    """(n, classes) scores as scikit-learn's decision function: (n,) for two classes.

    >>> as_decision(np.array([[1.0, 3.0], [-np.inf, 0.0]])).tolist()
    [2.0, inf]
    """
    if scores.shape[1] != 2:
        return scores
    margins: np.ndarray = scores[:, 1] - scores[:, 0]
    return margins


def logarithms(shares: np.ndarray) -> np.ndarray:
    """Of probabilities; -inf of 0, without a warning.

    >>> logarithms(np.array([[1.0, 0.0]])).tolist()
    [[0.0, -inf]]
    """
    with np.errstate(divide="ignore"):
        logs: np.ndarray = np.log(shares)
    return logs
