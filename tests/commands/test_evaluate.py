"""Accuracy of a model folder on labelled data; a model asked and its answers kept."""

import numpy as np
import pytest

from evergrow.commands import evaluate, learn, open_model
from evergrow.errors import DataError
from evergrow.storage.model_folder import ModelFolder

from .points import points, saved


@pytest.fixture
def grown(model, tmp_path):
    learn.learn(model, saved(tmp_path / "second.npz", "c"))
    return model


def test_old_and_new_classes_are_told_apart_and_unknown_ones_are_wrong(grown, tmp_path):
    answer = evaluate.evaluate(grown, saved(tmp_path / "test.npz", "a", "c", "d"))
    assert answer["samples"] == 60 and answer["accuracy"] == pytest.approx(2 / 3)
    assert answer["old"] == {"accuracy": 1, "samples": 20}
    assert answer["new"] == {"accuracy": 1, "samples": 20}
    assert answer["per_class"] == {"a": 1, "c": 1, "d": 0}
    assert answer["unknown_classes"] == ["d"] and answer["version"] == 2


def test_the_pairs_confused_most_come_first_and_at_most_ten_are_said(grown):
    x, _ = points("a", "b", "c")
    y = np.repeat(["b", "c", "a"], 20)
    y[:5] = "c"
    confused = evaluate.evaluate(grown, (x, y))["confused"]
    assert [p["samples"] for p in confused] == [20, 20, 15, 5]
    assert confused[-1] == {"label": "c", "predicted": "a", "samples": 5}
    many = [f"x{i:02}" for i in range(60)]
    assert len(evaluate.evaluate(grown, (x, many))["confused"]) == 10


def test_an_older_version_is_evaluated_where_it_is_asked_for(grown, tmp_path):
    data = saved(tmp_path / "test.npz", "a", "c")
    answer = evaluate.evaluate(grown, data, open_model.OpenOptions(version=1))
    assert answer["version"] == 1 and answer["unknown_classes"] == ["c"]


def test_data_without_labels_is_refused(grown, tmp_path):
    np.savez(tmp_path / "bare.npz", x=points("a")[0])
    with pytest.raises(DataError, match="label"):
        evaluate.evaluate(grown, tmp_path / "bare.npz")


def test_what_was_asked_is_kept_with_its_answers_but_for_unknown_labels(grown):
    examined = evaluate.examined(ModelFolder(grown), points("c", "d", "a"))
    assert examined.labels == ["a", "b", "c"] and examined.unknown == ["d"]
    assert examined.y.tolist() == [2] * 20 + [0] * 20
    assert (examined.answers == examined.y).all()
    assert examined.report["samples"] == 40
    assert examined.images("a", "a", 3) == []  # rows of a table are no images


def test_samples_of_no_known_class_cannot_be_examined(grown):
    with pytest.raises(DataError, match="knows none of these labels"):
        evaluate.examined(ModelFolder(grown), points("d"))
