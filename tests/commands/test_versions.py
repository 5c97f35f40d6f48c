"""What show says of a model folder and its versions; rollback."""

import pytest

from evergrow import GrowingClassifier
from evergrow.commands import learn, versions
from evergrow.errors import ModelError

from .points import points, saved


def test_a_model_saved_in_python_is_shown_and_learns_on(tmp_path):
    x, y = points("a", "b")
    GrowingClassifier("none").partial_fit(x, y).save(tmp_path / "model")
    assert versions.show(tmp_path / "model")["counts"] == {"a": 20, "b": 20}
    answer = learn.learn(tmp_path / "model", saved(tmp_path / "second.npz", "c"))
    assert answer["classes"] == ["a", "b", "c"] and answer["passed_over"] == 0


def test_a_damaged_version_is_named_by_show_and_stops_nothing(model, tmp_path):
    learn.learn(model, saved(tmp_path / "second.npz", "c"))
    (model / "versions" / "000001" / "manifest.json").write_text("{}")
    history = versions.show(model)["history"]
    assert "damaged" in history[0]["fault"] and history[1]["samples"] == 20


def test_back_to_the_version_before_and_forward_again(model, tmp_path):
    learn.learn(model, saved(tmp_path / "second.npz", "c"))
    assert versions.rollback(model) == {"version": 1, "versions": [1, 2], "classes": ["a", "b"]}
    assert versions.show(model)["version"] == 1
    assert versions.rollback(model, 2)["classes"] == ["a", "b", "c"]


def test_a_version_that_is_not_there_is_refused(model):
    with pytest.raises(ModelError, match="9"):
        versions.rollback(model, 9)
    assert versions.show(model)["version"] == 1


def test_recalls_of_the_last_update_are_called_so_and_by_their_old_name(model, tmp_path):
    learn.learn(model, saved(tmp_path / "second.npz", "c"))
    first, second = versions.show(model)["history"]
    assert second["recall"].keys() == {"old", "new", "all"} and second["recall"]["all"] > 0.9
    assert first["recall"]["old"] is None
    assert all(entry["accuracy"] == entry["recall"] for entry in (first, second))


def test_a_row_has_the_cells_that_are_asked_for(model):
    entry = versions.show(model)["history"][0]
    assert versions.row(entry, 1, ["version", "samples", "new"], " *", 6) == ["1 *", 40, "a, b"]
    fault = {"version": 2, "fault": "the disk is full"}
    assert versions.row(fault, 1, ["version", "new", "recall"], " *", 1) == [
        "2",
        "the disk is full",
        "-",
    ]
