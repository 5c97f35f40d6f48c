"""What the estimator is given, as a chunk; scikit-learn's checks where it is a table of numbers."""

import numpy as np
import pandas as pd
import pytest
import torch

from evergrow import GrowingClassifier
from evergrow.checks import blobs
from evergrow.model import validate
from evergrow.model.model import TableColumns

X, Y = blobs()


def test_a_table_shows_its_columns_and_the_next_one_is_held_to_them():
    estimator = GrowingClassifier()
    chunk, columns = validate.as_chunk(estimator, None, pd.DataFrame(X, columns=["u", "v"]), Y)
    assert chunk.kind == "table" and columns.count == 2 and columns.names.tolist() == ["u", "v"]
    assert "n_features_in_" not in vars(estimator), "reading changes no estimator"
    with pytest.raises(ValueError, match="feature names should match"):
        other = pd.DataFrame(X, columns=["u", "w"])
        validate.as_chunk(estimator, None, other, Y, columns=columns)
    with pytest.raises(ValueError, match="features"):
        validate.as_chunk(estimator, None, X[:, :1], Y, columns=TableColumns(2))


def test_infinity_is_refused_also_where_all_else_is_clean_and_a_gap_is_one():
    x = X.copy()
    x[17, 1] = np.inf
    for columns in (None, TableColumns(2)):
        with pytest.raises(ValueError, match="infinity"):
            validate.as_chunk(GrowingClassifier(), None, x, Y, columns=columns)
    x[17, 1] = np.nan
    chunk, _ = validate.as_chunk(GrowingClassifier(), None, x, Y)
    assert chunk.seen.mixed and chunk.seen.names == ("0", "1")


def test_a_clean_table_is_passed_on_without_a_copy():
    x = X.astype(np.float32)
    chunk, _ = validate.as_chunk(GrowingClassifier(), None, x, Y, columns=TableColumns(2))
    assert np.shares_memory(chunk.store.values, x)


@pytest.mark.parametrize(
    "given, kind",
    [
        (np.zeros((2, 8, 8), np.uint8), "image"),
        (torch.zeros(2, 3, 8, 8), "image"),
        (["a text", "another"], "text"),
        (np.array(["a text", "another"], object), "text"),
        ([[1, 2], [3, 4]], "table"),
        (torch.zeros(2, 5), "table"),
    ],
)
def test_all_kinds_of_data_come_through(given, kind):
    chunk, columns = validate.as_chunk(GrowingClassifier(), None, given, ["a", "b"])
    assert chunk.kind == kind and (columns is not None) == (kind == "table")


def test_a_frame_with_cells_missing_is_a_table_of_mixed_columns():
    frame = pd.DataFrame({"u": [1.0, None], "v": [1.0, 2.0]})
    chunk, columns = validate.as_chunk(GrowingClassifier(), None, frame, ["a", "b"])
    assert chunk.seen.mixed and columns is None


def test_columns_are_shown_and_taken_away_again():
    estimator = GrowingClassifier()
    validate.show_columns(estimator, TableColumns(2, np.array(["u", "v"], object)))
    assert estimator.n_features_in_ == 2 and estimator.feature_names_in_.tolist() == ["u", "v"]
    validate.show_columns(estimator, TableColumns(3))
    assert estimator.n_features_in_ == 3 and not hasattr(estimator, "feature_names_in_")
    validate.show_columns(estimator, None)
    assert not hasattr(estimator, "n_features_in_")
