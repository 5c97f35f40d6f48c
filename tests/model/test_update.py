"""One update: settings that may change, another method, what fails and leaves nothing behind."""

from dataclasses import replace

import numpy as np
import pytest

from evergrow import GrowingClassifier, methods
from evergrow.checks import blobs, net
from evergrow.data.read import read
from evergrow.errors import DataError, NotFittedError, SettingError
from evergrow.model import update
from evergrow.model.model import UpdateContext
from evergrow.model.parameters import Parameters

X, Y = blobs()


@pytest.mark.parametrize("method", ["lda", "er"])
def test_samples_of_a_class_that_returns_are_added_to_those_it_had(method):
    X, y = blobs()
    model = GrowingClassifier("none", method, epochs=1)
    model.partial_fit(X[(y == "a") | (y == "b")], y[(y == "a") | (y == "b")])
    model.partial_fit(X[y == "a"][:7], y[y == "a"][:7])
    assert model.counts_.tolist() == [50 + 7, 50]
    model.partial_fit(X[y == "c"], y[y == "c"])
    assert model.counts_.tolist() == [57, 50, 50]


def test_learning_rate_and_memory_may_change_between_tasks():
    X, y = blobs()
    model = GrowingClassifier(net, methods.ER(memory=100), epochs=1).partial_fit(X, y)
    model.set_params(lr=0.001, method__memory=10).partial_fit(X, y)
    assert model.learner_.how.lr == 0.001
    assert len(model.learner_.past) == 10 and model.learner_.past.seen == 500


def test_another_method_is_refused_until_it_is_changed():
    X, y = blobs()
    model = GrowingClassifier(net, "finetune", epochs=1).partial_fit(X, y)
    model.set_params(method="er")
    with pytest.raises(SettingError, match="change_method"):
        model.partial_fit(X, y)
    assert model.change_method("er") == []
    model.partial_fit(X, y)
    assert len(model.learner_.past) == 200
    assert model.change_method("finetune") == ["er's past"]
    with pytest.raises(SettingError, match="different ways"):
        model.change_method("lda")


def test_sums_serve_every_closed_form_method():
    X, y = blobs()
    model = GrowingClassifier(method="ncm").partial_fit(X, y)
    assert model.change_method("lda") == []
    fresh = GrowingClassifier(method="lda").partial_fit(X, y)
    assert (model.predict_proba(X) == fresh.predict_proba(X)).all()


@pytest.mark.parametrize("method", ["lda", "er"])
def test_a_failed_first_call_leaves_nothing_behind(method, monkeypatch):
    model = GrowingClassifier("mlp", method, epochs=1)
    before = dict(vars(model))
    monkeypatch.setattr(methods.Method, "settle", lambda self: 1 / 0)
    for call in (model.partial_fit, model.fit):
        with pytest.raises(ZeroDivisionError):
            call(X, Y)
        assert vars(model) == before and not hasattr(model, "classes_")
        with pytest.raises(NotFittedError):
            model.predict(X)
    monkeypatch.undo()
    twin = GrowingClassifier("mlp", method, epochs=1).partial_fit(X, Y)
    assert np.array_equal(model.partial_fit(X, Y).predict_proba(X), twin.predict_proba(X))


def taught(chunk, model=None, **settings):
    return update.learn(model, Parameters("none", **settings), update.Incoming(chunk))


def test_an_update_makes_another_model_and_leaves_the_one_before_as_it_was():
    first = taught(read(X[Y < "c"], Y[Y < "c"]))
    answers = first.probabilities(first.records(read(X, Y)))
    second = taught(read(X[Y >= "c"], Y[Y >= "c"]), first)
    assert first.classes.tolist() == ["a", "b"] and first.tasks == 1
    assert second.classes.tolist() == list("abcde") and second.tasks == 2
    assert np.array_equal(answers, first.probabilities(first.records(read(X, Y))))
    assert first.learner is not second.learner and first.net is not second.net


def test_to_foresee_is_to_learn_nothing():
    model = taught(read(X[Y < "c"], Y[Y < "c"]))
    few = update.Incoming(read(X[Y == "c"][:1], ["c"]))
    rules = [advice["rule"] for advice in update.foresee(model, model.parameters, few)]
    assert "few-samples" in rules
    assert model.classes.tolist() == ["a", "b"] and model.tasks == 1


def test_advice_is_told_before_anything_is_learnt():
    told = []

    def stop(advice):
        told.extend(advice)
        raise KeyboardInterrupt

    few = update.Incoming(read(X[:2], Y[:2]))
    with pytest.raises(KeyboardInterrupt):
        update.learn(None, Parameters("none"), few, UpdateContext(tell=stop))
    assert told


def test_labels_that_are_announced_get_columns_and_no_answer_until_they_are_seen():
    incoming = update.Incoming(read(X[Y < "c"], Y[Y < "c"]), announced=np.array(["z"]))
    model = update.learn(None, Parameters("none"), incoming)
    assert model.classes.tolist() == ["a", "b", "z"] and model.counts.tolist() == [50, 50, 0]
    scores = model.scores(model.records(read(X, Y)))
    assert scores[:, 2].eq(-np.inf).all() and scores[:, :2].isfinite().all()


def test_only_known_classes_can_be_remembered():
    model = taught(read(X[Y < "c"], Y[Y < "c"]))
    with pytest.raises(DataError, match="'c' is not one"):
        update.remember(model, model.parameters, update.Incoming(read(X, Y)))


def test_data_without_labels_teaches_nothing():
    with pytest.raises(DataError, match="target y is None"):
        update.learn(None, Parameters("none"), update.Incoming(read(X, need_labels=False)))


def test_a_model_that_was_read_to_answer_does_not_learn():
    model = replace(taught(read(X, Y)), predicts_only=True)
    with pytest.raises(SettingError, match="load it whole"):
        taught(read(X, Y), model)


@pytest.mark.parametrize("method", ["finetune", "ewc"])
def test_training_that_diverges_is_refused_and_the_model_stays(method):
    X, y = np.eye(8, dtype=np.float32), np.arange(8) % 2
    model = GrowingClassifier("mlp", method, epochs=2).partial_fit(X, y)
    before = model.predict_proba(X)
    with pytest.raises(SettingError, match="training diverged.*smaller lr"):
        model.set_params(lr=1e30).partial_fit(X, y + 2)
    np.testing.assert_array_equal(model.predict_proba(X), before)
    assert model.classes_.tolist() == [0, 1]
