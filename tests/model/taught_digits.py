"""Digits that models have learnt, chunk by chunk, and what was said of it."""

import numpy as np
from sklearn.datasets import load_digits

from evergrow import GrowingClassifier, methods

X, Y = load_digits().images.astype(np.float32) / 16, load_digits().target
TEST = np.arange(len(Y)) % 3 == 0
XT, YT, X, Y = X[TEST], Y[TEST], X[~TEST], Y[~TEST]
ALL = range(10)


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
