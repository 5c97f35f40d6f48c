"""A model on disk, from Python: the calls behind the command line."""

import numpy as np
import pytest

from evergrow import GrowingClassifier, load
from evergrow.commands import learn, predict, versions
from evergrow.errors import LockedError, SettingError
from evergrow.model.options import How
from evergrow.storage import durable_files
from evergrow.storage.model_folder import ModelFolder

from .points import points, saved


def test_learning_in_two_updates_is_learning_in_one_process(model, tmp_path):
    second = saved(tmp_path / "second.npz", "c")
    learn.learn(model, second)
    first = np.load(tmp_path / "first.npz"), np.load(second)
    twin = GrowingClassifier("none")
    for part in first:
        twin.partial_fit(part["x"], part["y"])
    x, _ = points("a", "b", "c")
    assert np.array_equal(load(model).predict_proba(x), twin.predict_proba(x))


def test_an_interrupt_that_comes_after_the_commit_is_no_failure(model, tmp_path, monkeypatch):
    def late(action: str, path) -> None:
        if action == "remove":
            raise KeyboardInterrupt

    monkeypatch.setattr(durable_files, "disk_step", late)
    answer = learn.learn(model, saved(tmp_path / "second.npz", "c"))
    assert answer["version"] == 2 and answer["new_classes"] == ["c"]
    monkeypatch.undo()
    assert versions.show(model)["version"] == 2


def test_an_interrupt_before_it_leaves_the_model_as_it_was(model, tmp_path, monkeypatch):
    def early(action: str, path) -> None:
        if action == "write":
            raise KeyboardInterrupt

    monkeypatch.setattr(durable_files, "disk_step", early)
    with pytest.raises(KeyboardInterrupt):
        learn.learn(model, saved(tmp_path / "second.npz", "c"))
    monkeypatch.undo()
    assert versions.show(model)["versions"] == [1]


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


def test_settings_that_are_wrong_make_no_model(tmp_path):
    data = saved(tmp_path / "t.npz", "a")
    with pytest.raises(SettingError):
        learn.learn(tmp_path / "model", data, How({"method": "no-such"}))
    assert not (tmp_path / "model").exists()
