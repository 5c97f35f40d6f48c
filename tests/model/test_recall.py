"""Recall by class and who is taken for whom, worked out by hand."""

import math

from evergrow.model import recall


def test_every_class_counts_the_same_in_the_mean_recall():
    recalls = recall.per_class([7, 7, 7, 7, 3], [7, 7, 7, 3, 7])
    assert recalls == {"3": 0.0, "7": 0.75}
    assert recall.mean_recall(recalls) == 0.375


def test_confusion_counts_every_pair_that_occurs():
    found = recall.confusion([1, 1, 2, 2, 2], [1, 2, 2, 2, 1])
    assert found == [("1", "1", 1), ("1", "2", 1), ("2", "1", 1), ("2", "2", 2)]


def test_a_mean_is_of_what_is_known():
    assert recall.mean([0.5, None, 1.0]) == 0.75
    assert recall.mean([0.0]) == 0.0 and recall.mean([]) is None
    assert math.isnan(recall.mean_recall({}))
