"""Labels of files mean one thing: what a model's labels are decides how later files are read."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from evergrow import GrowingClassifier
from evergrow.commands import evaluate, learn, versions
from evergrow.data.source import Source
from evergrow.errors import DataError, SettingError

from .points import PLAIN

rng = np.random.default_rng(0)


def table(path, labels):
    """20 rows of each label, in a place of its own."""
    place = np.repeat(np.arange(len(labels)) * 5.0, 20)
    frame = pd.DataFrame({"u": place + rng.normal(size=len(place))})
    frame["v"] = rng.normal(size=len(frame))
    frame["label"] = np.repeat(np.array(labels, dtype=object), 20)
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_json(path, orient="records", lines=True)
    return path


def test_a_file_of_digits_alone_teaches_a_model_of_names(tmp_path):
    model = tmp_path / "model"
    learn.learn(model, table(tmp_path / "a.csv", ["12B", "45"]), PLAIN)
    learn.learn(model, table(tmp_path / "b.csv", ["78", "90"]))
    assert versions.show(model)["classes"] == ["12B", "45", "78", "90"]
    answer = evaluate.evaluate(model, table(tmp_path / "c.csv", ["12B", "45"]))
    assert answer["unknown_classes"] == []


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".csv"])
@pytest.mark.parametrize("labels", [["3", "cat"], ["3", "4"]])
def test_one_label_is_one_class_whatever_file_it_comes_in(tmp_path, suffix, labels):
    model = tmp_path / "model"
    learn.learn(model, Source(table(tmp_path / f"a{suffix}", labels), label_type="text"), PLAIN)
    learn.learn(model, table(tmp_path / "b.csv", [*labels, "5"]))
    assert versions.show(model)["classes"] == [*labels, "5"]
    assert versions.show(model)["counts"] == dict.fromkeys(labels, 40) | {"5": 20}


def test_booleans_of_a_typed_file_are_the_words_of_a_csv(tmp_path):
    model = tmp_path / "model"
    learn.learn(model, table(tmp_path / "a.csv", ["True", "False"]), PLAIN)
    later = pd.read_csv(table(tmp_path / "b.csv", ["True", "False"]))
    later.to_parquet(tmp_path / "b.parquet")
    learn.learn(model, tmp_path / "b.parquet")
    assert versions.show(model)["counts"] == {"False": 40, "True": 40}


def test_integers_stay_integers_and_a_name_among_them_is_refused(tmp_path):
    model = tmp_path / "model"
    learn.learn(model, table(tmp_path / "a.csv", ["3", "12"]), PLAIN)
    assert versions.show(model)["classes"] == [3, 12]
    learn.learn(model, table(tmp_path / "b.parquet", ["7"]))
    assert versions.show(model)["classes"] == [3, 12, 7]
    with pytest.raises(DataError, match=r"labels are str \('cat'\).*started with int"):
        learn.learn(model, table(tmp_path / "c.csv", ["3", "cat"]))
    answer = evaluate.evaluate(model, table(tmp_path / "d.csv", ["3", "cat"]))
    assert answer["unknown_classes"] == ["cat"] and answer["counts"] == {"3": 20, "cat": 20}


def test_a_new_model_may_be_told_and_an_old_one_not_told_otherwise(tmp_path):
    model, data = tmp_path / "model", table(tmp_path / "a.csv", ["3", "12"])
    learn.learn(model, Source(data, label_type="text"), PLAIN)
    assert versions.show(model)["classes"] == ["12", "3"]
    with pytest.raises(SettingError, match="--label-type int: this model's labels are text"):
        learn.learn(model, Source(data, label_type="int"))


def test_in_python_the_estimator_reads_files_as_its_labels_are(tmp_path):
    model = GrowingClassifier("none").partial_fit(table(tmp_path / "a.csv", ["12B", "45"]))
    model.partial_fit(str(table(tmp_path / "b.csv", ["78"])))
    assert model.classes_.tolist() == ["12B", "45", "78"]


def test_numbers_of_a_typed_file_are_names_only_where_the_user_says_so(tmp_path):
    model, data = tmp_path / "model", tmp_path / "b.npz"
    learn.learn(model, table(tmp_path / "a.csv", ["cat", "dog"]), PLAIN)
    np.savez(data, x=rng.normal(size=(20, 2)), y=np.repeat([0, 1], 10))
    with pytest.raises(DataError, match="labels are int.*--label-type text"):
        learn.learn(model, data)
    learn.learn(model, Source(data, label_type="text"))
    assert versions.show(model)["classes"] == ["cat", "dog", "0", "1"]


def test_measurements_are_no_labels_of_a_model_of_names_either(tmp_path):
    model = tmp_path / "model"
    learn.learn(model, table(tmp_path / "a.csv", ["cat", "dog"]), PLAIN)
    (tmp_path / "b.csv").write_text("u,v,label\n1,2,0.5\n3,4,0.25\n")
    with pytest.raises(DataError, match="continuous"):
        learn.learn(model, tmp_path / "b.csv")


def test_folders_named_by_numbers_teach_a_model_of_numbers(tmp_path):
    x = rng.integers(0, 255, (40, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", x=x, y=np.repeat([3, 12], 20))
    model = tmp_path / "model"
    learn.learn(model, tmp_path / "a.npz", PLAIN)
    for label in ("3", "7"):
        (tmp_path / "week" / label).mkdir(parents=True)
        for i in range(3):
            Image.fromarray(x[i] if label == "3" else 255 - x[i]).save(
                tmp_path / "week" / label / f"{i}.png"
            )
    learn.learn(model, tmp_path / "week")
    assert versions.show(model)["classes"] == [3, 12, 7]
