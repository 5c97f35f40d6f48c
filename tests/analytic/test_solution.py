"""What all solvers share: finite weights, a temperature, errors, nothing drawn."""

import math

import pytest
import torch

from evergrow.analytic import discriminant, ridge_regression
from evergrow.errors import DataError
from tests.analytic.blobs import blobs, summed


def test_fewer_samples_ask_for_a_larger_penalty():
    many, few = blobs([600] * 4, width=60, spread=40), blobs([6] * 4, width=60, spread=40)
    assert discriminant.lda(summed(*few, 4)).penalty > discriminant.lda(summed(*many, 4)).penalty


def test_the_temperature_calibrates():
    q, y = blobs([400] * 3, width=10, spread=60)
    solved = discriminant.lda(summed(q[::2], y[::2], 3, keep=200))
    p = (solved.scores(q[1::2]) / solved.temperature).softmax(1)
    right = p.argmax(1) == y[1::2]
    assert abs(p.max(1).values.mean() - right.double().mean()) < 0.06


SOLVERS = [discriminant.ncm, discriminant.lda, ridge_regression.ridge]


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(
    "sizes", [[1], [5], [1, 1], [2, 1], [1, 1, 1, 1], [2, 0, 2], [7, 0], [8, 1], [4, 5], [5, 5]]
)
@pytest.mark.parametrize("constant", [False, True])
def test_small_cases_have_finite_weights(solver, sizes, constant):
    q, y = blobs(sizes, width=9)  # n = 1, 2, p - 1, p, p + 1 among them
    if constant:
        q[:] = 3
    solved = solver(summed(q, y, len(sizes)))
    empty = torch.tensor(sizes) == 0
    assert solved.weight.isfinite().all() and math.isfinite(solved.penalty)
    assert math.isfinite(solved.temperature) and solved.temperature > 0
    assert (solved.bias[empty] == -torch.inf).all() and solved.bias[~empty].isfinite().all()
    assert not empty[solved.scores(q).argmax(1)].any()


@pytest.mark.parametrize("solver", SOLVERS)
def test_wide_features_are_solved_in_single_precision(solver):
    q, y = blobs([30, 3, 1], width=1100)
    solved = solver(summed(q, y, 3))
    assert solved.weight.isfinite().all()
    assert (solved.scores(q).argmax(1) == y).double().mean() > 0.9


@pytest.mark.parametrize("solver", SOLVERS)
def test_nothing_learnt_cannot_be_solved(solver):
    q, y = blobs([3, 3])
    stats = summed(q, y, 2)
    stats.subtract(q, y)
    with pytest.raises(DataError, match="learn something first"):
        solver(stats)


def test_rows_subtracted_that_were_never_learnt_are_refused():
    q, y = blobs([5, 5])
    stats = summed(q // 8, y, 2)
    stats.subtract(q[::5], y[::5])
    with pytest.raises(DataError, match="had not been learnt"):
        discriminant.lda(stats)


def test_solving_draws_nothing_and_changes_nothing():
    q, y = blobs([9, 9, 4], width=30)
    stats = summed(q, y, 3)
    before, state = torch.random.get_rng_state(), stats.state()
    first, second = discriminant.lda(stats), discriminant.lda(stats)
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.equal(first.weight, second.weight) and torch.equal(first.bias, second.bias)
    assert all(torch.equal(a, b) for a, b in zip(state["gram"], stats.state()["gram"], strict=True))


def test_recalls_left_out_foretell_those_of_new_rows():
    q, y = blobs([1000] * 5, width=20, spread=45)
    solved = discriminant.lda(summed(q[::2], y[::2], 5, keep=200))
    new = (solved.scores(q[1::2]).argmax(1) == y[1::2]).double().mean()
    assert solved.judged.rows == 1000
    assert solved.judged.macro == pytest.approx(float(new), abs=0.03)
    assert solved.judged.macro == pytest.approx(float(solved.judged.accuracy.mean()))
