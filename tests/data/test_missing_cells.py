"""NaN in an array and in a frame are one thing; lazy frames and labels as bytes are read."""

import numpy as np
import pandas as pd
import pytest

from evergrow import GrowingClassifier, load
from evergrow.data.labels import clean_labels
from evergrow.data.read import read
from evergrow.errors import DataError

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(60, 3)), np.arange(60) % 2
X[:, 0] += 4 * Y
GAPS = X.copy()
GAPS[RNG.random(GAPS.shape) < 0.1] = np.nan


def frame(x):
    return pd.DataFrame(x, columns=list("abc"))


def test_an_array_with_gaps_is_learnt_as_a_frame_is(tmp_path):
    array = GrowingClassifier().partial_fit(GAPS, Y)
    framed = GrowingClassifier().partial_fit(frame(GAPS), Y)
    for x in (GAPS, X, GAPS[:1]):
        np.testing.assert_array_equal(array.predict_proba(x), framed.predict_proba(frame(x)))
    array.save(tmp_path)
    again = load(tmp_path).partial_fit(X, Y)  # none are missing now
    np.testing.assert_array_equal(
        again.predict_proba(GAPS), framed.partial_fit(frame(X), Y).predict_proba(frame(GAPS))
    )
    with pytest.raises(DataError, match="array of 2 columns"):
        array.predict(X[:, :2])


def test_gaps_that_come_later_are_refused_alike():
    for form in (np.asarray, frame):
        model = GrowingClassifier().partial_fit(form(X), Y)
        with pytest.raises(DataError, match="Input X contains NaN .*none of them missing"):
            model.predict(form(GAPS))


def test_infinity_is_no_gap():
    strange = GAPS.copy()
    strange[3, 1] = np.inf
    with pytest.raises(DataError, match="infinity"):
        read(strange, Y)


def test_files_of_arrays_may_have_gaps_too(tmp_path):
    np.savez(tmp_path / "a.npz", x=GAPS, y=Y)
    assert read(tmp_path / "a.npz").seen.mixed
    assert GrowingClassifier().partial_fit(tmp_path / "a.npz").score(GAPS, Y) > 0.9


class Lazy:
    """As Polars' LazyFrame: it gives a frame when it is asked."""

    def __init__(self, given):
        self.given = given

    def collect_schema(self):
        return dict(self.given.dtypes)

    def collect(self):
        return self.given


def test_lazy_frames_are_read():
    whole = frame(X).assign(label=Y)
    assert read(Lazy(whole)).labels.tolist() == Y.tolist()
    model = GrowingClassifier().partial_fit(Lazy(whole))
    assert (model.predict(Lazy(frame(X))) == model.predict(frame(X))).all()


def test_labels_may_be_bytes():
    assert clean_labels([b"cat", b"dog"]).tolist() == ["cat", "dog"]
