"""The gate: what it refuses, exactly at its points too, and what it cannot judge."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from evergrow import GrowingClassifier, load
from evergrow.backbones import MLP
from evergrow.errors import GateError
from evergrow.model import gate, update_report
from evergrow.model.update_report import HeldOutAnswers

LABELS = ["cat", "dog", "lynx"]


def told(answers, y, before=(1.0, 0.5)):
    shares = np.full((len(y), 3), 0.1)
    shares[np.arange(len(y)), answers] = 0.8
    return update_report.report(HeldOutAnswers(shares, np.array(y), "hand"), LABELS, 2, before)


@pytest.mark.parametrize(("points", "stays"), [(24.9, False), (25.1, True)])
def test_the_gate_counts_points_of_mean_recall(points, stays):
    found = told([0, 2, 1, 2], [0, 0, 1, 2], before=(1.0, 1.0))  # 100 -> 75 %
    assert (gate.refusal(found, points) is None) is stays


def lost(before, right, points):
    """Whether a gate refuses: the recall of one old class before, `right` of 20 samples after."""
    shares = np.eye(2)[[0] * right + [1] * (20 - right)]
    found = update_report.report(
        HeldOutAnswers(shares, np.zeros(20, int), "hand"), ["cat", "dog"], 2, before
    )
    return gate.refusal(found, points) is not None


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
        return gate.refusal(told(answers, y, before=(0.0, 0.0)), 0.0) is not None

    assert not refused(lynx) and refused(lynx - 1)  # lynx = (cat + dog + lynx) / 6, in samples


def test_the_gate_refuses_a_new_class_below_half_of_the_mean_where_enough_was_seen():
    y = [0] * 5 + [1] * 5 + [2] * 5
    weak = told([0] * 5 + [1] * 5 + [0] * 4 + [2], y, before=(1.0, 1.0))  # lynx 20 %, all 73 %
    assert "lynx (20.0 %)" in gate.refusal(weak, 2.0)
    fine = told([0] * 5 + [1] * 5 + [0] * 3 + [2] * 2, y, before=(1.0, 1.0))  # 40 of 80 %
    assert gate.refusal(fine, 2.0) is None
    unseen = told([0] * 5 + [1] * 5 + [0] * 4, y[:-1], before=(1.0, 1.0))  # four samples, all wrong
    assert gate.refusal(unseen, 2.0) is None


def test_a_first_update_has_no_old_classes_to_lose():
    shares = np.eye(3)[[0, 1, 2]]
    found = update_report.report(HeldOutAnswers(shares, np.arange(3), "hand"), LABELS, 0, None)
    assert found["old"] is None and found["lost"] == [] and found["new_classes"] == LABELS
    assert gate.refusal(found, 0.0) is None


digits = load_digits()


X, Y = (digits.images * 15).astype(np.uint8), digits.target


FIRST, SECOND = Y < 3, (Y >= 3) & (Y < 6)


def learner(method="er", **more):
    given = {"epochs": 3, "validation": 20} | more
    return GrowingClassifier(MLP(hidden=(32,)), method, **given)


def test_a_gate_lets_no_costly_update_be_saved(tmp_path):
    model = learner("finetune").partial_fit(X[FIRST], Y[FIRST])
    model.save(tmp_path / "model", gate=2.0)
    model.partial_fit(X[SECOND], Y[SECOND])
    with pytest.raises(GateError, match="old classes fall") as refused:
        model.save(tmp_path / "model", gate=2.0)
    assert refused.value.report["old"] < 0.1
    assert load(tmp_path / "model").classes_.tolist() == [0, 1, 2]


def test_a_gate_that_cannot_see_refuses(tmp_path):
    model = learner(validation=0).partial_fit(X[FIRST], Y[FIRST])
    model.partial_fit(X[SECOND], Y[SECOND])
    with pytest.raises(GateError, match="cannot tell"):
        model.save(tmp_path / "model", gate=50.0)
    assert not (tmp_path / "model").exists()
