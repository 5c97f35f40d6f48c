"""scikit-learn's own checks, its tools around the estimator, and what skipped ones would cover."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from evergrow import GrowingClassifier, methods
from evergrow.backbones import Fourier

TWO_COLUMNS = (
    "decision_function gives (n, classes) for two classes too, so that columns never change"
)
SKIPPED = {
    "check_classifiers_train": TWO_COLUMNS,
    "check_decision_proba_consistency": TWO_COLUMNS,
    "check_classifiers_classes": TWO_COLUMNS,
}


def small() -> GrowingClassifier:
    return GrowingClassifier(Fourier(width=300), "lda")


@parametrize_with_checks([GrowingClassifier()], expected_failed_checks=lambda _: SKIPPED)
def test_sklearn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("classes", [2, 3])
def test_what_the_skipped_checks_cover(classes):
    rng = np.random.default_rng(0)
    y = rng.integers(0, classes, 200)
    X = (rng.normal(size=(classes, 3))[y] * 6 + rng.normal(size=(200, 3))).astype(np.float64)
    model = small().fit(X, y)
    scores, shares = model.decision_function(X), model.predict_proba(X)
    assert scores.shape == shares.shape == (200, classes)
    assert (model.classes_[scores.argmax(1)] == model.predict(X)).all()
    assert (model.classes_[shares.argmax(1)] == model.predict(X)).all()
    np.testing.assert_allclose(shares.sum(1), 1)
    assert model.score(X, y) > 0.83
    with pytest.raises(ValueError, match="features"):
        model.predict(X[:, :2])
    with pytest.raises(ValueError):
        model.fit(X, y[:-1])
    order = scores[:, 1].argsort()
    if classes == 2:
        margins = scores[:, 1] - scores[:, 0]
        assert (np.diff(shares[margins.argsort(), 1]) >= 0).all()
    assert len(order) == 200


@pytest.mark.parametrize("names", [["one", "two"], ["one", "two", "three"]])
@pytest.mark.parametrize("dtype", [object, str])
def test_labels_are_given_back_as_they_came(names, dtype):
    rng = np.random.default_rng(0)
    y = rng.integers(0, len(names), 60)
    X = rng.normal(size=(len(names), 3))[y] * 6 + rng.normal(size=(60, 3))
    labels = np.array(names, dtype=dtype)[y]
    model = small().fit(X, labels)
    assert model.classes_.tolist() == sorted(names)
    assert (model.predict(X) == labels).mean() > 0.9
    assert (model.classes_[model.decision_function(X).argmax(1)] == model.predict(X)).all()


def test_it_stands_in_pipelines_and_grids():
    X, y = load_digits(return_X_y=True)
    X, y = X[:300], y[:300]
    assert cross_val_score(make_pipeline(StandardScaler(), small()), X, y, cv=2).mean() > 0.8
    grid = GridSearchCV(
        GrowingClassifier("none", methods.ER(), epochs=1), {"method__memory": [10, 20]}, cv=2
    ).fit(X, y)
    assert grid.best_estimator_.learner_.memory in (10, 20)
    assert grid.best_estimator_.learner_.memory == grid.best_params_["method__memory"]


def test_a_clone_has_the_settings_and_not_the_knowledge():
    model = small().fit(np.eye(3), [0, 1, 2])
    twin = clone(model)
    assert not hasattr(twin, "classes_")
    assert twin.backbone == model.backbone and twin.get_params()["lr"] == model.lr
