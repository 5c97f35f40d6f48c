"""A model on disk, from Python: the calls behind the command line."""

import numpy as np
import pytest

from evergrow import GrowingClassifier, load
from evergrow.commands import evaluate, learn, open_model, predict, versions
from evergrow.errors import LockedError, SettingError
from evergrow.model.options import How
from evergrow.storage import durable_files
from evergrow.storage.model_folder import ModelFolder

rng = np.random.default_rng(0)
PLAIN = How({"backbone": "none"})


def rows(*labels: str, n: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Points around a place of its own for each label, in three dimensions."""
    places = {label: 9 * np.eye(3)[ord(label) % 3] * (1 + ord(label) // 3 % 2) for label in labels}
    x = np.concatenate([places[label] + rng.normal(size=(n, 3)) for label in labels])
    return x.astype(np.float32), np.repeat(labels, n)


@pytest.fixture
def model(tmp_path):
    x, y = rows("a", "b")
    np.savez(tmp_path / "first.npz", x=x, y=y)
    learn.learn(tmp_path / "model", tmp_path / "first.npz", PLAIN)
    return tmp_path / "model"


def saved(path, *labels: str):
    x, y = rows(*labels)
    np.savez(path, x=x, y=y)
    return path


def test_learning_in_two_updates_is_learning_in_one_process(model, tmp_path):
    second = saved(tmp_path / "second.npz", "c")
    learn.learn(model, second)
    first = np.load(tmp_path / "first.npz"), np.load(second)
    twin = GrowingClassifier("none")
    for part in first:
        twin.partial_fit(part["x"], part["y"])
    x, _ = rows("a", "b", "c")
    assert np.array_equal(load(model).predict_proba(x), twin.predict_proba(x))


def test_an_interrupt_that_comes_after_the_commit_is_no_failure(model, tmp_path, monkeypatch):
    def late(action: str, path) -> None:
        if action == "remove":
            raise KeyboardInterrupt

    monkeypatch.setattr(durable_files, "step", late)
    answer = learn.learn(model, saved(tmp_path / "second.npz", "c"))
    assert answer["version"] == 2 and answer["new_classes"] == ["c"]
    monkeypatch.undo()
    assert versions.show(model)["version"] == 2


def test_an_interrupt_before_it_leaves_the_model_as_it_was(model, tmp_path, monkeypatch):
    def early(action: str, path) -> None:
        if action == "write":
            raise KeyboardInterrupt

    monkeypatch.setattr(durable_files, "step", early)
    with pytest.raises(KeyboardInterrupt):
        learn.learn(model, saved(tmp_path / "second.npz", "c"))
    monkeypatch.undo()
    assert versions.show(model)["versions"] == [1]


def test_a_model_saved_in_python_is_shown_and_learns_on(tmp_path):
    x, y = rows("a", "b")
    GrowingClassifier("none").partial_fit(x, y).save(tmp_path / "model")
    assert versions.show(tmp_path / "model")["counts"] == {"a": 20, "b": 20}
    answer = learn.learn(tmp_path / "model", saved(tmp_path / "second.npz", "c"))
    assert answer["classes"] == ["a", "b", "c"] and answer["passed_over"] == 0


def test_what_was_learnt_is_known_by_version(model, tmp_path):
    learn.learn(model, saved(tmp_path / "second.npz", "c"))
    ledger = ModelFolder(model).read().ledger
    assert ledger["version"].to_pylist() == [1] * 40 + [2] * 20
    assert ledger["column"].to_pylist() == [0] * 20 + [1] * 20 + [2] * 20


def test_one_writer_at_a_time_and_readers_do_not_wait(model, tmp_path):
    second = saved(tmp_path / "second.npz", "c")
    with ModelFolder(model).writer():
        with pytest.raises(LockedError):
            learn.learn(model, second)
        assert learn.learn(model, second, How(dry_run=True))["new_classes"] == ["c"]
        assert predict.predict(model, second)["version"] == 1


def test_version_and_top_are_as_asked_for(model, tmp_path):
    second = saved(tmp_path / "second.npz", "c")
    learn.learn(model, second)
    found = predict.predict(model, second, top=2, given=open_model.Given(version=1))
    assert found["version"] == 1
    assert {label for p in found["predictions"] for label, _ in p["top"]} == {"a", "b"}
    found = predict.predict(model, second, top=99)["predictions"][0]
    assert len(found["top"]) == 3 and found["label"] == "c"
    assert [share for _, share in found["top"]] == sorted(
        (s for _, s in found["top"]), reverse=True
    )


def test_numbers_as_labels_stay_numbers(tmp_path):
    x, y = rows("a", "b")
    np.savez(tmp_path / "t.npz", x=x, y=np.where(y == "a", 7, 3))
    assert learn.learn(tmp_path / "model", tmp_path / "t.npz", PLAIN)["classes"] == [3, 7]
    assert predict.predict(tmp_path / "model", tmp_path / "t.npz")["predictions"][0]["label"] == 7
    assert evaluate.evaluate(tmp_path / "model", tmp_path / "t.npz")["per_class"].keys() == {
        "3",
        "7",
    }


def test_a_damaged_version_is_named_by_show_and_stops_nothing(model, tmp_path):
    learn.learn(model, saved(tmp_path / "second.npz", "c"))
    (model / "versions" / "000001" / "manifest.json").write_text("{}")
    history = versions.show(model)["history"]
    assert "damaged" in history[0]["fault"] and history[1]["samples"] == 20


def test_settings_that_are_wrong_make_no_model(tmp_path):
    data = saved(tmp_path / "t.npz", "a")
    with pytest.raises(SettingError):
        learn.learn(tmp_path / "model", data, How({"method": "no-such"}))
    assert not (tmp_path / "model").exists()
