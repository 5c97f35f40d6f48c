"""Labels: found in the data, given apart, not needed, missing."""

import numpy as np
import pytest

from evergrow.data.readers.arrays import from_array
from evergrow.data.readers.read_options import ReadOptions, extremes, matched_labels
from evergrow.errors import DataError


def test_labels_come_from_x_or_apart_or_are_not_needed():
    x = np.ones((2, 3))
    assert from_array(x, ReadOptions(y=["a", "b"])).labels.tolist() == ["a", "b"]
    assert from_array(x, ReadOptions(), np.array([1, 2])).labels.tolist() == [1, 2]
    assert from_array(x, ReadOptions(need_labels=False)).labels is None
    with pytest.raises(DataError, match="requires y to be passed"):
        from_array(x, ReadOptions())


def test_labels_must_be_in_the_data_where_none_are_given_apart():
    assert ReadOptions().need and not ReadOptions(y=[1]).need
    assert not ReadOptions(need_labels=False).need


def test_there_is_a_label_for_each_sample():
    assert matched_labels(["a", "b"], 2).tolist() == ["a", "b"]
    with pytest.raises(DataError, match=r"inconsistent numbers of samples: \[3, 2\]"):
        matched_labels(["a", "b"], 3)


def test_sizes_are_the_one_or_the_smallest_and_the_largest():
    assert extremes([(9, 4), (3, 3), (2, 20)]) == ((3, 3), (2, 20))
    assert extremes([(9, 4), (9, 4)]) == ((9, 4),)
