"""Tables of numbers, categories, booleans and dates with cells missing, from learning to disk."""

import numpy as np
import pandas as pd
import pytest

from evergrow import GrowingClassifier, load, methods
from evergrow.commands import evaluate, learn, predict, versions
from evergrow.data import read
from evergrow.data.preprocess import hashes
from evergrow.errors import DataError
from evergrow.model.options import How

HOW = How({"backbone": "fourier"}, ["backbone.width=200"])


def week(labels="ab", n=30, seed=0):
    """A data frame with every kind of column, a tenth of the cells missing; each tells classes."""
    rng = np.random.default_rng(seed)
    y = np.repeat(list(labels), n)
    k = np.array([ord(label) - ord("a") for label in y])
    frame = pd.DataFrame(
        {
            "age": np.float32(20 + 15 * k + rng.normal(size=len(k))),
            "job": np.array(["cook", "smith", "clerk", "pilot"])[k],
            "member": (k % 2 == 0) ^ (rng.random(len(k)) < 0.1),
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(400 * k, unit="D"),
            "size": pd.Categorical(np.array(["S", "M", "L", "XL"])[k]),
            "id": [f"{label}{i}" for i, label in enumerate(y)],
            "label": y,
        }
    )
    frame["member"] = frame["member"].astype(object)
    for i, name in enumerate(["age", "job", "member", "since", "size"]):
        frame.loc[frame.index % 10 == i, name] = None
    return frame


def small(**settings):
    from evergrow.backbones import Fourier

    return GrowingClassifier(Fourier(width=200), **settings)


def scored(model, frame):
    return model.decision_function(frame.drop(columns="label"))


def test_auto_learns_what_every_kind_of_column_says_and_tells_so():
    model = GrowingClassifier().partial_fit(week())
    assert model.backbone_ == "fourier" and model.reason_.endswith(
        "columns age (number), job (category), member (boolean), since (date), size (category)"
    )
    assert "column 'id' holds 60 values in 60 rows" in model.update_["warnings"][0]
    model.partial_fit(week("cd"))
    assert model.score(week("abcd", seed=1)) == 1
    assert sum("hold values that the model did not" in w for w in model.update_["warnings"]) == 2


def test_labels_may_come_apart_and_frames_in_any_order_of_rows_and_columns():
    first, later = week(), week("cd")
    model = small().partial_fit(first.drop(columns="label"), first["label"])
    model.partial_fit(later.drop(columns="label"), later["label"])
    assert model.n_features_in_ == 6 and list(model.feature_names_in_)[:2] == ["age", "job"]
    mixed_up = later.drop(columns=["label", "id"])[["size", "age", "since", "member", "job"]]
    assert np.array_equal(model.decision_function(mixed_up), scored(model, later))
    one_by_one = [model.decision_function(mixed_up.iloc[[i]])[0] for i in range(5)]
    assert np.array_equal(one_by_one, scored(model, later)[:5])


def test_a_second_process_is_no_different(tmp_path):
    model = small(random_state=3).partial_fit(week())
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.prepare_ == model.prepare_
    for twin in (model, again):
        twin.partial_fit(week("cd"))
    assert np.array_equal(scored(again, week("abcd")), scored(model, week("abcd")))
    again.save(tmp_path / "model")
    assert np.array_equal(
        scored(load(tmp_path / "model"), week("abcd")), scored(model, week("abcd"))
    )


@pytest.mark.parametrize("name", ["er", "icarl"])
def test_a_memory_keeps_encoded_rows(tmp_path, name):
    model = GrowingClassifier("mlp", methods.get(name, memory=20), epochs=2, validation=2)
    model.partial_fit(week()).save(tmp_path / "model")
    again = load(tmp_path / "model")
    for twin in (model, again):
        twin.partial_fit(week("cd"))
    assert np.array_equal(scored(again, week("abcd")), scored(model, week("abcd")))


def written(path, frame):
    """The frame as a file of the kind that the path's name says."""
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_json(path, orient="records", lines=True, date_format="iso")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_files_teach_and_are_passed_over_the_second_time(tmp_path, suffix):
    model, first = tmp_path / "model", written(tmp_path / f"first{suffix}", week())
    later = written(tmp_path / f"later{suffix}", week("cd"))
    assert learn.learn(model, first, HOW)["samples"] == 60
    answer = learn.learn(model, later)
    assert answer["new_classes"] == ["c", "d"]
    assert any("'cook'" not in w and "'clerk'" in w for w in answer["warnings"])
    assert learn.learn(model, later)["passed_over"] == 60
    test = written(tmp_path / f"test{suffix}", week("abcd", seed=1))
    assert evaluate.evaluate(model, test)["accuracy"] == 1
    unlabelled = written(tmp_path / f"some{suffix}", week("abcd").drop(columns=["label", "id"]))
    assert len(predict.predict(model, unlabelled)["predictions"]) == 120
    assert [e["name"] for e in versions.show(model)["input"]["encode"]][:2] == ["age", "job"]


def test_every_file_format_gives_the_same_rows_as_the_frame(tmp_path):
    model, found = small().partial_fit(week()), []
    for suffix in (".csv", ".parquet", ".jsonl"):
        path = written(tmp_path / f"w{suffix}", week("abcd"))
        found.append(hashes(model.model.records(read.read(path))))
    expected = hashes(model.model.records(read.read(week("abcd"))))
    assert all(np.array_equal(one, expected) for one in found)


def test_new_and_missing_columns_are_refused_by_name_and_the_model_stays():
    model = small().partial_fit(week())
    before = scored(model, week())
    with pytest.raises(DataError, match="unseen at fit time:\n- colour\nRename"):
        model.partial_fit(week("cd").assign(colour="red"))
    with pytest.raises(DataError, match="seen at fit time, yet now missing:\n- age\n"):
        model.partial_fit(week("cd").drop(columns="age"))
    with pytest.raises(DataError, match="column 'age' holds numbers in this model, and 'old'"):
        model.partial_fit(week("cd").assign(age="old"))
    with pytest.raises(
        DataError, match="an array of 5 columns without names, but .*kinds of columns .age, job"
    ):
        model.predict(np.zeros((2, 5)))
    assert np.array_equal(scored(model, week()), before) and model.tasks_ == 1


def test_a_model_of_numbers_says_what_it_cannot_take():
    numbers = week()[["label"]].assign(x=range(60), z=1.0)
    model = small().partial_fit(numbers)
    assert "encode" not in model.prepare_
    numbers.loc[3, "z"] = None
    with pytest.raises(DataError, match=r"contains NaN \(first: row 3, column 'z'\), but this"):
        model.partial_fit(numbers)
    with pytest.raises(DataError, match="column 'x' of X does not hold numbers, but this model"):
        model.partial_fit(numbers.fillna(0).assign(x="red"))


def test_a_later_chunk_may_be_all_numbers():
    first = pd.DataFrame(
        {"x": [0, None, 9, 8], "code": ["1", "2", "A", "A"], "label": [0, 0, 1, 1]}
    )
    model = small().partial_fit(first)
    later = pd.DataFrame({"x": [0, 0], "code": [1, 2], "label": [0, 0]})
    assert model.score(later) == 1
    as_text = later.astype({"code": str})
    assert np.array_equal(scored(model, later), scored(model, as_text))


def test_tables_of_numbers_are_read_as_ever():
    x = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    y = np.repeat(["a", "b"], 20)
    frame = pd.DataFrame(x, columns=list("pqr"))
    plain = small().partial_fit(x, y)
    named = small().partial_fit(frame, y)
    whole = small().partial_fit(frame.assign(label=y))
    assert plain.prepare_ == {"kind": "table", "columns": 3, "names": []}
    assert whole.prepare_ == named.prepare_ | {"names": ["p", "q", "r"]}
    assert np.array_equal(plain.decision_function(x), whole.decision_function(frame))
    assert "columns" not in plain.reason_.partition("standardised columns")[2]
