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


@pytest.mark.parametrize(("points", "stays"), [(24.9, False), (25.1, True)])
def test_the_gate_counts_points_of_mean_recall(points, stays):
    found = told([0, 2, 1, 2], [0, 0, 1, 2], before=(1.0, 1.0))  # 100 -> 75 %
    assert (update_report.refusal(found, points) is None) is stays


def lost(before, right, points):
    """Whether a gate refuses: the recall of one old class before, `right` of 20 samples after."""
    shares = np.eye(2)[[0] * right + [1] * (20 - right)]
    found = update_report.report(
        HeldOutAnswers(shares, np.zeros(20, int), "hand"), ["cat", "dog"], 2, before
    )
    return update_report.refusal(found, points) is not None


@pytest.mark.parametrize("kind", [np.float64, np.float32])  # closed forms keep recalls as float32
@pytest.mark.parametrize("right", range(20))
def test_the_gate_lets_pass_a_loss_of_exactly_its_points(right, kind):
    # one sample of 20 is 5 points; in floats 0.9 - 0.85 is more than 0.05, and 0.95 - 0.9 less
    before = [float(kind((right + 1) / 20)), None]
    assert not lost(before, right, 5.0)
    assert lost(before, right, 4.999)
    assert not lost(before, right + 1, 0.0)
    assert lost(before, right, 0.0)


def test_the_gate_is_exact_where_floats_are():
    assert not lost([1.0, None], 15, 25.0)  # a quarter, no bit of which is lost
    assert lost([1.0, None], 10, 25.0)


@pytest.mark.parametrize(("cat", "dog", "lynx"), [(20, 20, 8), (20, 15, 7), (19, 16, 7)])
def test_the_gate_lets_pass_a_new_class_of_exactly_half_of_the_mean(cat, dog, lynx):
    y = np.repeat([0, 1, 2], 20)

    def refused(lynx):
        answers = [0] * cat + [2] * (20 - cat) + [1] * dog + [2] * (20 - dog)
        answers += [2] * lynx + [0] * (20 - lynx)
        return update_report.refusal(told(answers, y, before=(0.0, 0.0)), 0.0) is not None

    assert not refused(lynx) and refused(lynx - 1)  # lynx = (cat + dog + lynx) / 6, in samples


def test_the_gate_refuses_a_new_class_below_half_of_the_mean_where_enough_was_seen():
    y = [0] * 5 + [1] * 5 + [2] * 5
    weak = told([0] * 5 + [1] * 5 + [0] * 4 + [2], y, before=(1.0, 1.0))  # lynx 20 %, all 73 %
    assert "lynx (20.0 %)" in update_report.refusal(weak, 2.0)
    fine = told([0] * 5 + [1] * 5 + [0] * 3 + [2] * 2, y, before=(1.0, 1.0))  # 40 of 80 %
    assert update_report.refusal(fine, 2.0) is None
    unseen = told([0] * 5 + [1] * 5 + [0] * 4, y[:-1], before=(1.0, 1.0))  # four samples, all wrong
    assert update_report.refusal(unseen, 2.0) is None


def test_a_first_update_has_no_old_classes_to_lose():
    shares = np.eye(3)[[0, 1, 2]]
    found = update_report.report(HeldOutAnswers(shares, np.arange(3), "hand"), LABELS, 0, None)
    assert found["old"] is None and found["lost"] == [] and found["new_classes"] == LABELS
    assert update_report.refusal(found, 0.0) is None
