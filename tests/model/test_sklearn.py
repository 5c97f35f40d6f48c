"""scikit-learn's own checks, its tools around the estimator, and what they do not cover."""

import logging

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from evergrow import GrowingClassifier, load, methods
from evergrow.backbones import Fourier


def small() -> GrowingClassifier:
    return GrowingClassifier(Fourier(width=300), "lda")


@parametrize_with_checks([GrowingClassifier(Fourier(width=300))])
def test_sklearn_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks([GrowingClassifier()])
def test_sklearn_checks_at_full_width(estimator, check):
    check(estimator)


@pytest.mark.parametrize("classes", [2, 3])
def test_scores_are_wide_and_the_decision_function_is_as_scikit_learn_has_it(classes):
    rng = np.random.default_rng(0)
    y = rng.integers(0, classes, 200)
    X = (rng.normal(size=(classes, 3))[y] * 6 + rng.normal(size=(200, 3))).astype(np.float64)
    model = small().fit(X, y)
    scores, decision = model.scores(X), model.decision_function(X)
    assert scores.shape == model.predict_proba(X).shape == (200, classes)
    assert (model.classes_[scores.argmax(1)] == model.predict(X)).all()
    if classes == 2:
        np.testing.assert_array_equal(decision, scores[:, 1] - scores[:, 0])
        assert (model.classes_[(decision > 0).astype(int)] == model.predict(X)).all()
    else:
        np.testing.assert_array_equal(decision, scores)
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(model.predict_proba(X)))


def test_a_class_that_was_announced_counts_as_a_column():
    model = small().partial_fit([[1.0], [2.0]], [5, 5], classes=[5, 3])
    assert model.decision_function([[1.0]]).tolist() == [np.inf], "3 (column 0) was never seen"
    assert model.predict_log_proba([[1.0]]).tolist() == [[-np.inf, 0.0]]


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["one", "two"], object),
        np.array(["one", "two", "three"]),
        np.array([False, True]),
        np.array([0.0, 1.0, 5.0]),
        np.array([3, 1]),
    ],
)
def test_labels_are_given_back_as_they_came(labels, tmp_path):
    rng = np.random.default_rng(0)
    y = rng.integers(0, len(labels), 60)
    X = rng.normal(size=(len(labels), 3))[y] * 6 + rng.normal(size=(60, 3))
    model = small().fit(X, labels[y])
    model.save(tmp_path)
    for one in (model, load(tmp_path)):
        assert one.classes_.tolist() == sorted(labels.tolist())
        assert {type(label) for label in one.classes_.tolist()} == {type(labels.tolist()[0])}
        assert one.predict(X).dtype.kind == np.array(labels.tolist()).dtype.kind
        assert (one.predict(X) == labels[y]).mean() > 0.9
        assert one.score(X, labels[y]) > 0.9


def test_numbers_of_another_type_are_the_same_labels():
    X = np.eye(4)
    whole = small().fit(X, [0, 1, 0, 1]).partial_fit(X, [0.0, 1.0, 2.0, 2.0])
    assert whole.classes_.tolist() == [0, 1, 2] and whole.classes_.dtype.kind == "i"
    truth = small().fit(X, [True, False, True, False]).partial_fit(X, [0, 1, 1, 0])
    assert truth.classes_.tolist() == [False, True] and truth.classes_.dtype.kind == "b"
    assert truth.partial_fit(X, [2, 0, 1, 2]).classes_.tolist() == [0, 1, 2]


def grown() -> tuple[GrowingClassifier, np.ndarray, np.ndarray]:
    """A model whose classes did not come sorted, and samples of all."""
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    model = small().partial_fit(X[y == 2], names[y == 2]).partial_fit(X[y != 2], names[y != 2])
    return model, X, names


def test_the_sorted_view_serves_what_takes_columns_to_be_sorted():
    model, X, names = grown()
    view, order = model.sorted(), np.argsort(model.classes_)
    assert model.classes_.tolist() == ["virginica", "setosa", "versicolor"]
    assert view.classes_.tolist() == sorted(model.classes_)
    np.testing.assert_array_equal(view.predict_proba(X), model.predict_proba(X)[:, order])
    np.testing.assert_array_equal(view.scores(X), model.scores(X)[:, order])
    np.testing.assert_array_equal(view.decision_function(X), model.scores(X)[:, order])
    np.testing.assert_array_equal(view.predict_log_proba(X), model.predict_log_proba(X)[:, order])
    assert (view.predict(X) == model.predict(X)).all() and view.n_features_in_ == 4
    assert get_scorer("roc_auc_ovr")(view, X, names) > 0.95
    assert CalibratedClassifierCV(view).fit(X, names).score(X, names) > 0.9
    before = view.predict_proba(X)
    model.partial_fit(X[:5] + 9, ["new"] * 5)
    assert view.classes_.shape == (3,) and clone(view) is view
    np.testing.assert_array_equal(view.fit(X, names).predict_proba(X), before)


def test_scorers_and_multiclass_wrappers_take_two_classes():
    X, y = load_breast_cancer(return_X_y=True)
    assert cross_val_score(small(), X, y, cv=3, scoring="roc_auc").min() > 0.9
    three = load_iris(return_X_y=True)
    for wrapper in (OneVsRestClassifier, OneVsOneClassifier):
        assert wrapper(small()).fit(*three).score(*three) > 0.8


def test_features_go_into_frames_with_names():
    frame = pd.DataFrame(np.eye(4), columns=list("abcd"))
    model = small().set_output(transform="pandas").fit(frame, [0, 1, 0, 1])
    features = model.transform(frame)
    assert features.columns[0] == "growingclassifier0" and features.shape == (4, 300)
    assert model.get_feature_names_out().tolist() == features.columns.tolist()
    assert model.feature_names_in_.tolist() == list("abcd")


def test_columns_of_several_kinds_are_named_too():
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": ["x", "y", "x"], "label": [0, 1, 0]})
    model = GrowingClassifier().fit(frame)
    assert model.feature_names_in_.tolist() == ["a", "b"] and model.n_features_in_ == 2


def test_updates_are_told_to_those_who_listen(caplog, capfd, tmp_path):
    handlers = logging.getLogger("evergrow").handlers
    assert [type(handler) for handler in handlers] == [logging.NullHandler]
    with caplog.at_level(logging.INFO, logger="evergrow"):
        small().fit(np.eye(4), [0, 1, 0, 1]).save(tmp_path)
        load(tmp_path)
    told = "\n".join(caplog.messages)
    assert "learnt 4 samples, 2 new classes beside 0" in told
    assert f"version 1 is current in {tmp_path}" in told and "read version 1" in told
    assert capfd.readouterr() == ("", "")


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
