"""Scorers (estimator, X, y) -> number, the higher the better, right for any order of classes.

scikit-learn's own take the columns of scores to be sorted by class, which those of a model that has
grown are not. These go by `classes_`. They serve as `scoring=` too, for other classifiers and
pipelines as well. A class that the estimator does not know counts as probability 0; one that y does
not hold is no part of a mean over classes.
"""

from typing import Any

import numpy as np
from sklearn import metrics

from ..data.labels import clean_labels
from ..errors import DataError

SMALLEST = np.finfo(np.float64).eps  # a probability below it counts as this in a log loss


def roc_auc(estimator: Any, X: Any, y: Any) -> float:
    """Mean over the classes in y of the area under the ROC curve, each against the rest, in [0, 1].

    For two classes it is the area under the one curve there is.  Raises DataError for one class.

    >>> from evergrow import GrowingClassifier
    >>> clf = GrowingClassifier("none").partial_fit([[1.0], [2.0]], ["b", "b"])
    >>> clf = clf.partial_fit([[7.0], [8.0]], ["a", "a"])
    >>> roc_auc(clf, [[1.5], [7.5], [1.8]], ["b", "a", "b"])
    1.0
    """
    shares, columns, classes = _asked(estimator, X, y)
    if len(classes) < 2:
        raise DataError(
            f"y holds one class ({classes[0]}), and a ROC curve needs others beside it; pass "
            "samples of at least two."
        )
    areas = [metrics.roc_auc_score(columns == j, shares[:, j]) for j in np.unique(columns)]
    return float(np.mean(areas))


def neg_log_loss(estimator: Any, X: Any, y: Any) -> float:
    """Mean logarithm of the probability of the right class, in nats; 0 at best."""
    shares, columns, _ = _asked(estimator, X, y)
    right = shares[np.arange(len(columns)), columns]
    return float(np.log(right.clip(SMALLEST, 1)).mean())


def top_k_accuracy(estimator: Any, X: Any, y: Any, k: int = 2) -> float:
    """Share of samples whose class is among the k likeliest, in [0, 1]; see functools.partial."""
    shares, columns, _ = _asked(estimator, X, y)
    right = shares[np.arange(len(columns)), columns][:, None]
    ahead = (shares > right).sum(1) + ((shares == right).sum(1) - 1)  # what is level is not below
    known = right[:, 0] > 0
    return float((known & (ahead < k)).mean())


def balanced_accuracy(estimator: Any, X: Any, y: Any) -> float:
    """Mean over the classes in y of the share of their samples answered right, in [0, 1]."""
    labels = clean_labels(y)
    right = estimator.predict(X) == labels
    return float(np.mean([right[labels == label].mean() for label in set(labels.tolist())]))


def _asked(estimator: Any, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray, list[Any]]:
    """Probabilities, a column of 0 for each class not known; the column of each y; classes in y."""
    labels = clean_labels(y).tolist()
    of = {label: j for j, label in enumerate(estimator.classes_.tolist())}
    known = len(of)
    for label in sorted(set(labels) - of.keys()):
        of[label] = len(of)
    shares = np.pad(estimator.predict_proba(X), ((0, 0), (0, len(of) - known)))
    columns = np.array([of[label] for label in labels])
    return shares, columns, sorted(set(labels))
