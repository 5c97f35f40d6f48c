import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from sklearn.exceptions import DataConversionWarning

from evergrow.data.labels import as_text, clean_labels, from_text, of_type, refuse_quantities
from evergrow.errors import DataError


@pytest.mark.parametrize(
    "y",
    [
        [3, 1],
        (3, 1),
        np.array([3, 1], np.int8),
        np.array([3, 1], np.uint64),
        np.array([3, 1], object),
        [np.int32(3), 1],
        torch.tensor([3, 1]),
        [torch.tensor(3), torch.tensor(1)],
        pd.Series([3, 1], index=[7, 9]),
        pd.Series([3, 1], dtype="Int64"),
        pd.Series([3, 1], dtype="category"),
    ],
)
def test_whole_numbers_of_any_type_are_int64(y):
    found = clean_labels(y)
    assert found.dtype == np.int64
    assert found.tolist() == [3, 1]


@pytest.mark.parametrize(
    "y",
    [
        ["dog", "c"],
        np.array(["dog", "c"]),
        np.array(["dog", "c"], object),
        [np.str_("dog"), "c"],
        np.array([b"dog", b"c"]),
        pd.Series(["dog", "c"]),
        pd.Series(["dog", "c"], dtype="category"),
    ],
)
def test_words_of_any_type_are_plain_str(y):
    found = clean_labels(y)
    assert found.dtype == object
    assert [type(label) for label in found] == [str, str]
    assert found.tolist() == ["dog", "c"]


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        ([True, False], bool),
        (np.array([True, False]), bool),
        (np.array([True, False], object), bool),
        (pd.Series([True, False]), bool),
        ([1.0, 0.0], np.float64),
        (np.array([1, 0], np.float32), np.float64),
        ([1.0, 0], np.float64),
    ],
)
def test_booleans_and_whole_floats_stay_what_they_are(y, kind):
    found = clean_labels(y)
    assert found.dtype == kind and found.tolist() == [1, 0]


def test_booleans_are_found_in_what_a_file_says():
    for written in (["True", "false"], ["1", "0"]):
        assert of_type(np.array(written, object), "bool").tolist() == [True, False]
    assert of_type(np.array(["True", "2"], object), "bool").tolist() == ["True", "2"]


def test_int64_is_passed_on_without_a_copy():
    y = np.arange(3)
    assert clean_labels(y) is y


def test_a_column_vector_is_flattened_with_scikit_learns_warning():
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        assert clean_labels(np.array([[1], [2]])).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed, but the target y is None"),
        ([], r"0 sample\(s\)"),
        ("cat", "1d array of labels, got a str"),
        ({"a": 1}, "got a dict"),
        (3, "got a int"),
        ([0.5, 1.0], r"Unknown label type: continuous.*0\.5 \(row 0\)"),
        ([1e300], "Unknown label type: continuous"),
        ([1.0, float("nan")], r"contains NaN: 1 of 2 labels missing \(first: row 1\)"),
        ([np.inf], "contains infinity"),
        (["a", None], "contains NaN.*row 1"),
        (pd.Series([1, None], dtype="Int64"), "contains NaN.*row 1"),
        (pd.Series(["a", None]), "contains NaN.*row 1"),
        (["a", float("nan")], "contains NaN.*row 1"),
        (["a", " "], r"1 empty label \(first: row 1\)"),
        (["", ""], "2 empty labels"),
        (["a", 1], r"a mix of str and int labels: 'a' \(row 0\) and 1 \(row 1\)"),
        ([1, "a"], r"a mix of str and int labels: 'a' \(row 1\) and 1 \(row 0\)"),
        ([1, 0.5], "continuous"),
        ([object()], "Unknown label type: object"),
        ([[1, 0], [0, 1]], "Unknown label type: list"),
        (np.eye(3), r"should be a 1d array, got an array of shape \(3, 3\).*argmax"),
        (np.array(5), r"shape \(\)"),
        (np.array([1 + 2j]), "Complex data not supported"),
        (np.array(["2020-01-01"], "datetime64[D]"), "Unknown label type: datetime64"),
        ([2**70], "do not fit 64 bits"),
        (np.array([2**63], np.uint64), "does not fit 64 bits"),
    ],
)
def test_what_is_no_label_is_refused_and_named(y, message):
    with pytest.raises(DataError, match=message):
        clean_labels(y)


def test_messages_name_the_labels_as_they_are_called():
    with pytest.raises(DataError, match="column 'kind' of a.csv contains NaN"):
        clean_labels([None], "column 'kind' of a.csv")


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (["1", " 2"], [1, 2]),
        (["-1", "2"], [-1, 2]),
        (["-1", "+2"], ["-1", "+2"]),
        (["1.0", "2"], ["1.0", "2"]),
        (["3.9", "3.10"], ["3.9", "3.10"]),
        (["9" * 30, "1"], ["9" * 30, "1"]),
        (["007", "8"], ["007", "8"]),
        (["0", "1"], [0, 1]),
        (["1", "cat"], ["1", "cat"]),
        (["NA", "None"], ["NA", "None"]),
        (["1", ""], ["1", None]),
        (["nan", "1"], [None, "1"]),
        (["1e3", "1000"], ["1e3", "1000"]),
    ],
)
def test_labels_of_a_text_file_are_numbers_where_all_are(cells, labels):
    assert from_text(cells) == labels


def test_no_warning_is_left_behind():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clean_labels(["a", "b"])


def test_spaces_and_forms_of_unicode_make_no_classes():
    assert clean_labels([" cafe\u0301", "caf\u00e9 ", "tea\t"]).tolist() == [
        "caf\u00e9",
        "caf\u00e9",
        "tea",
    ]
    given = np.array(["a", "b"], object)
    assert clean_labels(given) is given, "nothing is copied where nothing is to be done"


@pytest.mark.parametrize("label", ["a\0", "a\nb", "\x1b[31mred", "a\x85b"])
def test_control_characters_are_refused_and_named(label):
    with pytest.raises(DataError, match=r"row 1\), with a control character"):
        clean_labels(["fine", label.strip(" ")])


@pytest.mark.parametrize("type_", [pa.array, lambda v: pa.chunked_array([v[:1], v[1:]]), pd.Series])
def test_arrow_arrays_are_read(type_):
    assert clean_labels(type_(["a", "b", "a"])).tolist() == ["a", "b", "a"]
    assert clean_labels(type_([3, 1, 3])).tolist() == [3, 1, 3]


def test_labels_of_files_become_what_the_model_has():
    digits, words = np.array([7, 12]), np.array(["7", "12.0", "cat"], object)
    assert of_type(digits, "text").tolist() == ["7", "12"]
    assert of_type(words, "int").tolist() == [7, 12, "cat"]
    assert of_type(words[:2], "int").dtype == np.int64
    assert of_type(digits, None) is digits and of_type(words, "text") is words
    assert as_text(["cat", 3, 3.0, 3.5, True, None, np.nan]) == [
        "cat",
        "3",
        "3",
        "3.5",
        "True",
        None,
        None,
    ]


def test_a_column_of_measurements_is_no_labels_but_versions_are():
    with pytest.raises(DataError, match=r"continuous.*0\.5.*--label-type text"):
        refuse_quantities(["1", "0.5", "0.25"], "column 'y'")
    refuse_quantities(["3.9", "3.10"] * 3, "column 'y'")
    refuse_quantities(["1.0", "2.0"], "column 'y'")
    refuse_quantities(["cat", "0.5"], "column 'y'")
