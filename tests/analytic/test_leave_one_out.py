import math

import pytest
import torch

from evergrow.analytic.leave_one_out import JudgedRows, judge


def held(y):
    y = torch.tensor(y)
    place = torch.arange(len(y)) - torch.searchsorted(y, y)
    return JudgedRows(y, place, torch.full((int(y.max()) + 1,), 50.0), 100.0)


def test_the_temperature_makes_the_likelihood_largest():
    scores = torch.tensor([[9.0, 0], [8, 0], [0, 3], [1, 9], [0, 7], [6, 0]])
    found = judge(scores, held([0, 0, 0, 1, 1, 1]), torch.ones(2))

    def nll(t):
        return -float((scores / t).log_softmax(1)[range(6), [0, 0, 0, 1, 1, 1]].mean())

    assert found.nll == pytest.approx(nll(found.temperature), rel=1e-5)
    assert found.nll < min(nll(found.temperature * 1.02), nll(found.temperature / 1.02))


def test_rows_that_are_all_right_do_not_make_it_certain():
    scores = torch.tensor([[90.0, 0], [80, 0], [0, 30], [0, 90]])
    found = judge(scores, held([0, 0, 1, 1]), torch.ones(2))
    sure = (scores / found.temperature).softmax(1).max(1).values.mean()
    assert float(sure) == pytest.approx(1 - 1 / 6, abs=1e-3)


def test_classes_count_alike_however_many_rows_they_have():
    scores = torch.tensor([[1.0, 0], [1, 0], [1, 0], [1, 0]])
    found = judge(scores, held([0, 0, 0, 1]), torch.ones(2))
    assert found.recall.tolist() == [1.0, 0.0]
    assert found.nll == pytest.approx(math.log(2), abs=1e-3)  # right half the time: no confidence
    by_rows = judge(scores, held([0, 0, 0, 1]), torch.tensor([3.0, 1.0]))
    assert (by_rows.temperature < found.temperature) and by_rows.brier.sum() < found.brier.sum()


def test_the_brier_score_is_that_of_the_formula():
    scores = torch.tensor([[0.0, 0.0], [0.0, 0.0]])
    found = judge(scores, held([0, 1]), torch.ones(2))
    assert found.brier.tolist() == [0.25, 0.25] and found.temperature == 1.0
