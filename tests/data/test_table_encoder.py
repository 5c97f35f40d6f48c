import json

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from evergrow.data.table_encoder import (
    CYCLES,
    MOST_VALUES,
    encode,
    expected_distance,
    fit,
    in_words,
    kind,
    odd,
    unseen,
    width,
)
from evergrow.errors import DataError


def frame():
    return pd.DataFrame(
        {
            "age": [20, 40, None, 60],
            "job": ["cook", "smith", None, "cook"],
            "member": pd.Series([True, False, None, True], dtype=object),
            "when": ["1970-01-01", None, "1970-01-03", "1970-01-02T12:00:00+12:00"],
        }
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2], "number"),
        ([1.5, None], "number"),
        (pd.array([1, None], "Int64"), "number"),
        ([True, False], "boolean"),
        (pd.array([True, None], "boolean"), "boolean"),
        (["a", None], "category"),
        (pd.Categorical([3, 4]), "category"),
        (["2026-01-01", "2026-01-02 10:00"], "date"),
        (["2026-01-01", "2026-13-01"], "category"),
        (["2026-01-01", "soon"], "category"),
        (pd.to_datetime(["2026-01-01", None]), "date"),
        ([None, None], "empty"),
        ([1, "a"], ""),
        ([1j], ""),
    ],
)
def test_a_column_is_of_the_kind_that_its_values_are(values, expected):
    assert kind(pd.Series(values)) == expected


def test_each_kind_becomes_numbers_as_worked_out_by_hand():
    fitted, notes = fit(frame())
    assert notes == [] and json.loads(json.dumps(fitted)) == fitted
    rows = encode(frame(), fitted)
    assert rows.shape == (4, width(fitted)) == (4, 2 + 3 + 2 + 8) and rows.dtype == np.float32
    age = (np.array([20, 40, 40, 60]) - 40) / (800 / 3) ** 0.5
    np.testing.assert_allclose(rows[:, 0], age, rtol=1e-6)
    assert rows[:, 1].tolist() == [0, 0, 1, 0]
    assert rows[:, 2:5].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]]
    np.testing.assert_allclose(rows[:, 5], np.array([1, -1, 0, 1]) / 2**0.5, rtol=1e-6)
    day = 86400  # dates at days 0, 2 and 1: half a day east of Greenwich is taken off
    np.testing.assert_allclose(rows[:, 7], [-(1.5**0.5), 0, 1.5**0.5, 0], atol=1e-6)
    turns = 2 * np.pi * 2 * day / np.array(CYCLES)
    np.testing.assert_allclose(rows[2, 8:11], np.sin(turns), atol=1e-6)
    np.testing.assert_allclose(rows[2, 11:14], np.cos(turns), atol=1e-6)
    assert rows[1, 7:].tolist() == [0] * 7 + [1]


def test_rows_are_those_of_scikit_learns_transformers():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(5, 3, 50), "job": rng.choice(["a", "b", "c"], 50)})
    table.loc[::7, "x"] = np.nan
    table["x"] = table["x"].astype(np.float32).astype(float)
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    theirs = ColumnTransformer([("n", numbers, ["x"]), ("c", OneHotEncoder(), ["job"])])
    rows = encode(table, fit(table)[0])
    expected = theirs.fit_transform(table)
    seen = table["x"].notna()
    scale = np.std(table["x"][seen]) / theirs.named_transformers_["n"][1].scale_  # of imputed: less
    np.testing.assert_allclose(rows[:, 0] * scale, expected[:, 0], atol=1e-6)
    np.testing.assert_allclose(rows[:, 2:5], expected[:, 1:], atol=0)
    assert rows[:, 1].tolist() == (~seen).astype(float).tolist()


def test_a_value_not_seen_before_is_none_of_those_known_and_is_counted():
    fitted, _ = fit(frame())
    later = frame().assign(job=["pilot", "cook", "miner", None])
    assert encode(later, fitted)[:, 2:5].tolist() == [[0, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, 1]]
    assert unseen(later, fitted) == [
        "column 'job': 2 of 4 rows hold values that the model did not begin with ('miner', "
        "'pilot'): they count as none of those it knows"
    ]
    assert unseen(frame(), fitted) == []


def test_columns_are_found_by_name_and_a_row_is_the_same_in_any_table():
    fitted, _ = fit(frame())
    rows = encode(frame(), fitted)
    assert np.array_equal(encode(frame()[["when", "member", "job", "age"]], fitted), rows)
    for i in range(4):
        assert np.array_equal(encode(frame().iloc[[i]], fitted), rows[[i]])


def test_numbers_and_codes_are_one_category_however_they_are_written():
    fitted, _ = fit(pd.DataFrame({"code": ["7", "A1"]}))
    for column in ([7, 7], [7.0, None], pd.Categorical([7, 7]), ["7", "7"]):
        assert encode(pd.DataFrame({"code": column}), fitted)[0].tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("age", [1, "old", 2, 3], r"'age' holds numbers in this model, and 'old' is none \(row 1"),
        ("age", [1, 2, np.inf, 3], "holds numbers in this model, and inf is none"),
        ("age", [1, 2, 3, 1e39], "holds numbers in this model"),
        ("when", [1, 2, 3, 4], "'when' holds dates in this model, and 1 is none"),
        ("when", ["soon", None, None, None], "and 'soon' is none"),
        ("member", ["yes", "no", None, None], "holds booleans in this model, and 'yes' is none"),
    ],
)
def test_a_column_of_another_kind_is_refused_by_name(column, values, message):
    fitted, _ = fit(frame())
    with pytest.raises(DataError, match=message):
        encode(frame().assign(**{column: pd.Series(values, dtype=object)}), fitted)


def test_missing_and_doubled_columns_are_refused():
    fitted, _ = fit(frame())
    with pytest.raises(DataError, match="X has 0 columns named 'job'"):
        encode(frame().drop(columns="job"), fitted)
    with pytest.raises(DataError, match="X has 2 columns named 'age'"):
        fit(pd.DataFrame([[1, "a"]], columns=["age", "age"]))


def test_names_of_rows_and_empty_columns_are_not_used():
    table = pd.DataFrame({"x": range(30), "row": [f"r{i}" for i in range(30)], "none": None})
    fitted, notes = fit(table)
    assert in_words(fitted) == "columns x (number)"
    assert "'row' holds 30 values in 30 rows" in notes[0] and "'none' is empty" in notes[1]
    with pytest.raises(DataError, match="no column to learn from: column 'row' holds"):
        fit(table[["row", "none"]])


def test_a_column_of_numbers_and_words_is_refused():
    with pytest.raises(DataError, match="column 'x' of X holds values of several kinds"):
        fit(pd.DataFrame({"x": [1, "a"]}))


def test_the_most_frequent_values_of_a_category_are_told_apart():
    words = [f"w{i:03}" for i in range(150)] * 3 + [f"w{i:03}" for i in range(50, 150)]
    fitted, notes = fit(pd.DataFrame({"word": words}))
    assert fitted[0]["values"] == [f"w{i:03}" for i in range(50, 150)]
    assert notes == [f"column 'word' holds 150 values: the {MOST_VALUES} most frequent count"]


def test_a_number_that_has_not_varied_yet_is_measured_by_its_size():
    fitted, _ = fit(pd.DataFrame({"x": [8.0, 8.0, None], "zero": [0, 0, None]}))
    assert [f["deviation"] for f in fitted] == [8, 1]


def test_columns_count_alike_whatever_their_width():
    fitted, _ = fit(frame())
    assert expected_distance(fitted) == 1 + 1 + 1 + 4


def test_what_a_table_of_numbers_cannot_have_is_named():
    assert "contains NaN (first: row 2, column 'age')" in odd(frame())
    assert odd(pd.DataFrame({"a": [1], "b": ["x"]})) == "column 'b' of X does not hold numbers"
