"""Updates judged: by held-out samples, by kept rows left out, in this process and the next."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from evergrow import GrowingClassifier, load, methods
from evergrow.backbones import MLP
from evergrow.data import preprocess
from evergrow.errors import DataError, SettingError

digits = load_digits()


X, Y = (digits.images * 15).astype(np.uint8), digits.target


FIRST, SECOND = Y < 3, (Y >= 3) & (Y < 6)


def learner(method="er", **more):
    given = {"epochs": 3, "validation": 20} | more
    return GrowingClassifier(MLP(hidden=(32,)), method, **given)


@pytest.fixture(scope="module")
def first():
    return learner().partial_fit(X[FIRST], Y[FIRST])


def test_held_out_samples_are_never_trained_on(first):
    held = {h.tobytes() for h in first.heldout_.hashes}
    assert len(held) == len(first.heldout_) == 17 + 18 + 17
    assert first.counts_.sum() + len(held) == first.update_["samples"] == FIRST.sum()
    kept = {h.tobytes() for h in preprocess.hashes(first.learner_.past)}
    assert len(kept) > 100 and not kept & held


def test_forgetting_is_seen_and_told():
    model = learner("finetune").partial_fit(X[FIRST], Y[FIRST]).partial_fit(X[SECOND], Y[SECOND])
    found = model.assess()
    assert found["old_before"] > 0.9 > 0.1 > found["old"] and found["new"] > 0.9
    assert {loss["label"] for loss in found["lost"]} == {"0", "1", "2"}
    assert model.update_["report"] == found
    forgotten = model.score(X[FIRST], Y[FIRST])
    assert found["old"] == pytest.approx(forgotten, abs=0.1)


def test_closed_forms_learn_every_sample_and_judge_rows_left_out():
    model = GrowingClassifier(MLP(hidden=(64,)), methods.LDA(), validation=20)
    model.partial_fit(X[FIRST], Y[FIRST]).partial_fit(X[SECOND], Y[SECOND])
    found = model.assess()
    assert model.update_["held_back"] == 0 and model.counts_.sum() == (FIRST | SECOND).sum()
    assert found["samples"] == 120 and found["old_before"] is not None
    recalls = model.learner_.figures()["leave_one_out"]["by_column"]
    assert list(found["per_class"].values()) == pytest.approx(recalls, abs=1e-4)


def test_rows_left_out_are_judged_as_by_a_model_that_never_saw_them():
    rows = np.flatnonzero(Y < 4)[:80]
    model = GrowingClassifier("none", methods.LDA(keep=40, penalty=0.1)).fit(X[rows], Y[rows])
    shares, y = model.learner_.left_out()
    right = []
    for held in rows:
        rest = rows[rows != held]
        other = GrowingClassifier("none", methods.LDA(keep=40, penalty=0.1)).fit(X[rest], Y[rest])
        right.append(other.predict(X[[held]])[0] == Y[held])
    assert len(y) == 80
    assert float((shares.argmax(1) == y).double().mean()) == pytest.approx(np.mean(right), abs=0.03)


def test_python_holds_nothing_back_unless_asked():
    model = learner(validation=0).partial_fit(X[FIRST], Y[FIRST])
    assert model.update_["held_back"] == 0 and model.update_["report"] is None
    with pytest.raises(SettingError, match="validation=20"):
        model.assess()


def test_at_most_a_tenth_of_the_memory_is_kept_on():
    model = learner(methods.ER(memory=100)).partial_fit(X[FIRST], Y[FIRST])
    model.partial_fit(X[SECOND], Y[SECOND])
    assert np.bincount(model.heldout_.y.numpy())[:3].tolist() == [4, 3, 3]  # of the first update


def test_the_second_process_judges_as_the_first(first, tmp_path):
    first.save(tmp_path / "model")
    again = load(tmp_path / "model").partial_fit(X[SECOND], Y[SECOND])
    straight = learner().partial_fit(X[FIRST], Y[FIRST]).partial_fit(X[SECOND], Y[SECOND])
    assert np.array_equal(again.predict_proba(X), straight.predict_proba(X))
    assert again.assess() == straight.assess()
    again.save(tmp_path / "model")
    assert load(tmp_path / "model").update_["report"] == again.update_["report"]


def test_a_failed_update_leaves_what_is_held_out_as_it_was(first, monkeypatch):
    before = first.heldout_

    def fail(self, task):
        raise RuntimeError("stop")

    monkeypatch.setattr(methods.ER, "learn", fail)
    with pytest.raises(RuntimeError):
        first.partial_fit(X[SECOND], Y[SECOND])
    assert first.heldout_ is before


def test_a_number_that_is_none_and_a_chunk_that_is_all_held_out_are_refused():
    with pytest.raises(SettingError, match="0.2"):
        learner(validation=0.2).partial_fit(X[FIRST], Y[FIRST])
    model = learner("finetune", epochs=1).partial_fit(X[FIRST], Y[FIRST])
    with pytest.raises(DataError, match="held back"):
        model.partial_fit(model.heldout_.x.numpy()[:, 0], model.heldout_.y.numpy())
