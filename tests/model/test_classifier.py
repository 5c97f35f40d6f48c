"""The estimator: labels keep their columns, calls are all or nothing, adopted networks go on."""

import copy
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from evergrow import GrowingClassifier, backbones
from evergrow.checks import blobs, net
from evergrow.errors import DataError, NotFittedError, SettingError

DIGITS = load_digits()


IMAGES = (DIGITS.images * (255 / 16)).round().astype(np.uint8)


LABELS = DIGITS.target


X, Y = blobs()


def test_the_default_learns_classes_in_any_order_and_forgets_none():
    model = GrowingClassifier()
    for pair in ((8, 3), (0, 9), (5, 1), (2, 7), (6, 4)):
        rows = np.isin(LABELS[:1200], pair)
        model.partial_fit(IMAGES[:1200][rows], LABELS[:1200][rows])
    assert model.classes_.tolist() == [3, 8, 0, 9, 1, 5, 2, 7, 4, 6]
    assert model.score(IMAGES[1200:], LABELS[1200:]) > 0.93
    assert (model.backbone_, model.method_) == ("patches", "lda")


def test_one_call_or_many_is_one_model():
    rows = np.random.default_rng(0).permutation(600)
    whole = GrowingClassifier().partial_fit(IMAGES[:600], LABELS[:600])
    parts = GrowingClassifier()
    for part in np.split(rows, [1, 30, 77, 400]):
        parts.partial_fit(IMAGES[part], LABELS[part])
    order = np.argsort(parts.classes_)
    a, b = whole.learner_.sums, parts.learner_.sums
    assert torch.equal(a.gram, b.gram) and torch.equal(a.sums, b.sums[order])
    assert (whole.predict(IMAGES[600:]) == parts.predict(IMAGES[600:])).all()


def test_a_label_that_sorts_first_moves_no_column():
    X, y = blobs()
    model = GrowingClassifier(net, "finetune").partial_fit(X[y == "c"], y[y == "c"])
    model.partial_fit(X[y == "a"], y[y == "a"])
    assert model.classes_.tolist() == ["c", "a"]


def test_int_and_str_labels_do_not_mix():
    X, y = blobs()
    model = GrowingClassifier().partial_fit(X, y)
    with pytest.raises(DataError, match="started with str"):
        model.partial_fit(X, np.arange(len(X)))
    assert model.tasks_ == 1 and model.classes_.tolist() == sorted(set(y))


def test_a_frame_may_hold_its_labels_in_a_column():
    import pandas as pd

    X, y = blobs()
    model = GrowingClassifier().partial_fit(pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "label": y}))
    assert model.n_features_in_ == 2 and model.classes_.tolist() == list("abcde")
    assert model.score(pd.DataFrame({"a": X[:, 0], "b": X[:, 1]}), y) > 0.95


def test_the_update_says_what_happened_and_why():
    X, y = blobs()
    model = GrowingClassifier().partial_fit(X[y == "c"], y[y == "c"]).partial_fit(X, y)
    update = model.update_
    assert (update["samples"], update["old_classes"], update["new_classes"]) == (
        250,
        ["c"],
        list("abde"),
    )
    assert (update["method"], update["backbone"]) == ("lda", "fourier")
    assert "does not learn" in update["reason"] and update["seconds"] > 0


def test_plain_fine_tuning_on_new_classes_alone_is_warned_of():
    X, y = blobs()
    model = GrowingClassifier(net, "finetune", epochs=1).partial_fit(X[y == "a"], y[y == "a"])
    assert [entry["rule"] for entry in model.update_["advice"]] == ["one-class"]
    model.partial_fit(X[y == "b"], y[y == "b"])
    assert "forgotten" in model.update_["advice"][0]["text"]
    model.partial_fit(X, y)
    assert not model.update_["advice"]


def test_predict_before_learn_says_so():
    with pytest.raises(NotFittedError, match="partial_fit"):
        GrowingClassifier().predict(np.zeros((2, 3)))


def test_a_failed_first_fit_leaves_nothing_and_a_failed_refit_the_old_model():
    X, y = blobs()
    model = GrowingClassifier()
    with pytest.raises(ValueError):
        model.fit(X, y[:-1])
    assert not hasattr(model, "classes_")
    model.fit(X, y)
    before = model.predict_proba(X)
    with pytest.raises(ValueError):
        model.fit(X, np.linspace(0, 1, len(X)))
    assert (model.predict_proba(X) == before).all()


def test_labels_with_a_low_probability_can_be_rejected():
    X, y = blobs()
    model = GrowingClassifier().fit(X, y)
    shares = model.predict_proba(X).max(1)
    edge = float(np.median(shares))
    answers = model.predict(X, reject=edge)
    assert [a is None for a in answers] == (shares < edge).tolist()
    assert (model.predict(X, reject=0.0) == model.predict(X)).all()


def test_labels_never_learnt_count_as_wrong():
    X, y = blobs()
    model = GrowingClassifier().fit(X[y != "e"], y[y != "e"])
    right = model.score(X[y != "e"], y[y != "e"])
    assert model.score(X, y) == pytest.approx(right * 0.8)


def test_transform_gives_the_features():
    X, _ = blobs()
    model = GrowingClassifier(backbones.Fourier(width=64)).fit(*blobs())
    assert model.transform(X).shape == (250, 64)
    assert np.abs(model.transform(X)).max() <= 1


def test_an_augmentation_is_used_and_its_draws_are_ours():
    X, y = blobs()
    calls = []

    def jitter(x):
        calls.append(x.shape)
        return x + torch.randn_like(x) * 0.1

    models = [
        GrowingClassifier("mlp", "er", epochs=2, augment=jitter).partial_fit(X, y) for _ in range(2)
    ]
    assert calls
    assert (models[0].predict_proba(X) == models[1].predict_proba(X)).all()
    plain = GrowingClassifier("mlp", "er", epochs=2).partial_fit(X, y)
    assert (models[0].predict_proba(X) != plain.predict_proba(X)).any()


def test_workers_change_the_time_and_not_the_model():
    a, b = (
        GrowingClassifier("convnet", "er", epochs=1, num_workers=n).partial_fit(
            IMAGES[:200], LABELS[:200]
        )
        for n in (0, 2)
    )
    assert (a.predict_proba(IMAGES[200:220]) == b.predict_proba(IMAGES[200:220])).all()


@pytest.mark.parametrize("name", ["convnet", "resnet32", "patches"])
def test_another_image_size_is_taken_where_the_backbone_allows_it(name):
    model = GrowingClassifier(name, epochs=1).partial_fit(IMAGES[:100], LABELS[:100])
    larger = IMAGES[100:150].repeat(2, 1).repeat(2, 2)
    assert model.predict(larger).shape == (50,)
    model.partial_fit(larger, LABELS[100:150])


def test_another_image_size_is_refused_where_it_does_not():
    model = GrowingClassifier("mlp", "er", epochs=1).partial_fit(IMAGES[:100], LABELS[:100])
    with pytest.raises(DataError, match="8"):
        model.partial_fit(IMAGES[100:150].repeat(2, 1).repeat(2, 2), LABELS[100:150])


def test_a_class_of_your_own_is_a_method():
    X, y = blobs()
    model = GrowingClassifier(net, "tests.test_checks:CountsInASetting", epochs=1)
    assert model.partial_fit(X, y).method_ == "tests.test_checks:CountsInASetting"
    with pytest.raises(SettingError, match="er"):
        GrowingClassifier(net, "eer").partial_fit(X, y)
    with pytest.raises(SettingError, match="patches"):
        GrowingClassifier("resnet", "er").partial_fit(IMAGES[:9], LABELS[:9])


@pytest.mark.parametrize("method", ["lda", "er", "icarl", "fecam"])
def test_threads_that_ask_beside_updates_get_answers_of_finished_ones(method):
    rng = np.random.default_rng(0)
    y = np.arange(120) % 3
    x = (4 * np.eye(3)[y] + rng.normal(size=(120, 3))).astype(np.float32)
    parts = np.split(np.arange(120), 12)

    def fresh() -> GrowingClassifier:
        model = GrowingClassifier("mlp", method, epochs=1, lr=0.01)
        return model.partial_fit(x[parts[0]], y[parts[0]])

    alone, expected = fresh(), []
    expected.append(alone.predict_proba(x).tobytes())
    for rows in parts[1:]:
        expected.append(alone.partial_fit(x[rows], y[rows]).predict_proba(x).tobytes())
    model, answers, over = fresh(), [], threading.Event()

    def ask() -> None:
        while not over.is_set():
            answers.append(model.predict_proba(x).tobytes())

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    for rows in parts[1:]:
        model.partial_fit(x[rows], y[rows])
    over.set()
    for asker in askers:
        asker.join()
    assert set(answers) <= set(expected) and answers
    assert model.predict_proba(x).tobytes() == expected[-1]


def test_two_threads_that_learn_take_turns():
    x, y = np.eye(8, dtype=np.float32).repeat(10, 0), np.arange(8).repeat(10)
    model = GrowingClassifier("none", "lda")
    shares = [(x[i : i + 1], y[i : i + 1]) for i in range(80)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda share: model.partial_fit(*share), shares))
    assert model.counts_.sum() == 80 and sorted(model.classes_) == list(range(8))
    assert dict(zip(model.classes_, model.counts_, strict=True)) == dict.fromkeys(range(8), 10)


def test_a_model_that_was_asked_and_taught_is_pickled_and_copied_as_before():
    model = GrowingClassifier("mlp", "lda").partial_fit(X, Y)
    answers = model.predict_proba(X)
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert np.array_equal(twin.predict_proba(X), answers)
        twin.partial_fit(X, Y)
    assert np.array_equal(model.predict_proba(X), answers)
