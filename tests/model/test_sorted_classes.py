"""The sorted view alone; what scikit-learn does with it is in test_sklearn.py."""

import numpy as np
import pytest

from evergrow.model.sorted_classes import SortedClassifier, as_decision, logarithms


class Answers:
    """A classifier of two classes that came unsorted."""

    classes_ = np.array(["b", "a"])

    def scores(self, X):
        return np.array([[3.0, 1.0]])

    def predict_proba(self, X):
        return np.array([[0.75, 0.25]])

    def predict(self, X):
        return np.array(["b"])


def test_all_columns_move_and_no_answer_does():
    view = SortedClassifier(Answers())
    assert view.classes_.tolist() == ["a", "b"]
    assert view.scores(None).tolist() == [[1.0, 3.0]]
    assert view.decision_function(None).tolist() == [2.0]
    assert view.predict_proba(None).tolist() == [[0.25, 0.75]]
    assert view.predict(None).tolist() == ["b"] and view.fit(None) is view
    with pytest.raises(AttributeError, match="no attribute 'speed'"):
        _ = view.speed


def test_a_decision_is_wide_for_other_numbers_of_classes():
    assert as_decision(np.ones((2, 1))).shape == (2, 1)
    assert as_decision(np.ones((2, 3))).shape == (2, 3)


def test_no_warning_for_a_probability_of_nothing():
    assert logarithms(np.array([[0.0]])).tolist() == [[-np.inf]]
