"""The figures of an update, worked out by hand."""

import numpy as np
import pytest

from evergrow.model import update_report
from evergrow.model.update_report import HeldOutAnswers

LABELS = ["cat", "dog", "lynx"]


def told(answers, y, before=(1.0, 0.5)):
    shares = np.full((len(y), 3), 0.1)
    shares[np.arange(len(y)), answers] = 0.8
    return update_report.report(HeldOutAnswers(shares, np.array(y), "hand"), LABELS, 2, before)


def test_old_new_and_all_are_means_of_recalls():
    # cat 1/2, dog 1/1, lynx 3/4
    found = told([0, 2, 1, 2, 2, 2, 0], [0, 0, 1, 2, 2, 2, 2])
    assert found["old_before"] == 0.75 and found["old"] == 0.75
    assert found["new"] == 0.75 and found["all"] == 0.75
    assert found["per_class"] == {"cat": 0.5, "dog": 1.0, "lynx": 0.75}
    assert found["judged"] == {"cat": 2, "dog": 1, "lynx": 4} and found["samples"] == 7


def test_classes_that_lost_say_what_they_are_taken_for():
    found = told([0, 2, 2, 1, 1, 2], [0, 0, 0, 0, 1, 2])
    assert found["lost"] == [
        {"label": "cat", "before": 1.0, "after": 0.25, "to": [["lynx", 2], ["dog", 1]]}
    ]
    assert ["cat", "lynx", 2] in found["confusion"]
    assert sum(n for _, _, n in found["confusion"]) == 6


def test_a_class_is_compared_only_where_both_figures_are_known():
    found = told([0, 2, 2], [0, 1, 2], before=(0.9, None))
    assert found["old_before"] == 0.9 and found["old"] == 1.0  # dog, now at 0, was never judged
    assert told([0, 1, 2], [0, 1, 2], before=None)["old_before"] is None


def test_margins_are_those_of_as_many_samples_as_a_mean_of_recalls_is_worth():
    found = told([0] * 10 + [1] * 10, [0] * 10 + [1] * 10)
    share = 22 / 24  # 20 right of 20, and two of each added
    assert found["margins"]["old"] == pytest.approx(1.96 * (share * (1 - share) / 24) ** 0.5)
    assert found["margins"]["new"] is None and found["new"] is None


def test_calibration_weighs_the_gap_of_each_bin_by_its_samples():
    sure, right = np.array([0.95, 0.95, 0.55, 1.0]), np.array([True, False, False, True])
    found = update_report.calibration_report(sure, right)
    # bins [.9, 1]: 3 samples, sure .9667, right .6667; [.5, .6): 1 sample, sure .55, right 0
    assert found["error"] == pytest.approx((3 * 0.3 + 0.55) / 4)
    assert [n for _, _, n in found["bins"]] == [1, 3]


@pytest.mark.parametrize(("right", "n"), [(5, 7), (1, 3), (13, 19)])
def test_a_recall_that_was_kept_in_single_precision_is_not_lost(right, n):
    kept = np.float32(right / n)
    answers = [0] * right + [2] * (n - right) + [1]
    assert told(answers, [0] * n + [1], before=(float(kept), 1.0))["lost"] == []
    assert [
        loss["label"] for loss in told([0, 2, 1], [0, 0, 1], before=(0.500002, 1.0))["lost"]
    ] == ["cat"]
