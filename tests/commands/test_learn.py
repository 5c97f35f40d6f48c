"""A model on disk, from Python: the calls behind the command line."""

import shutil

import numpy as np
import pytest
from PIL import Image

from evergrow import GrowingClassifier, load
from evergrow.commands import learn, predict, versions
from evergrow.errors import LockedError, SettingError
from evergrow.model.options import How
from evergrow.storage import durable_files
from evergrow.storage.model_folder import ModelFolder

from .points import PLAIN, points, saved


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


def test_the_same_sample_with_two_labels_is_said_by_name(tmp_path):
    x, _ = points("a")
    y = np.array(["a"] * 10 + ["b"] * 10)
    x[12], x[15] = x[3], x[4]
    answer = learn.learn(tmp_path / "model", (x, y), PLAIN)
    (note,) = [line for line in answer["warnings"] if "two labels" in line]
    assert note.startswith("2 samples came with two labels")
    assert "row 3 (a) and row 12 (b)" in note and "row 4 (a) and row 15 (b)" in note
    answer = learn.learn(tmp_path / "model", (points("c")[0], ["c"] * 20))
    assert not any("two labels" in line for line in answer["warnings"])


def test_one_file_in_two_class_folders_is_said(tmp_path):
    rng = np.random.default_rng(0)
    for label in "ab":
        (tmp_path / "week" / label).mkdir(parents=True)
        for i in range(3):
            image = Image.fromarray(rng.integers(0, 255, (8, 8), dtype=np.uint8))
            image.save(tmp_path / "week" / label / f"{i}.png")
    shutil.copy(tmp_path / "week" / "a" / "1.png", tmp_path / "week" / "b" / "copy.png")
    answer = learn.learn(tmp_path / "model", tmp_path / "week", How({"backbone": "none"}))
    (note,) = [line for line in answer["warnings"] if "two labels" in line]
    assert "a/1.png (a) and " in note and "b/copy.png (b)" in note
