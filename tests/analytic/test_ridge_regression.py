"""Ridge regression, against a case worked by hand and refits without a row."""

import pytest
import torch

from evergrow.analytic import ridge_regression, solution
from evergrow.analytic.penalty import GRID
from tests.analytic.blobs import blobs, summed


def test_ridge_agrees_with_a_case_worked_by_hand():
    q = torch.tensor([[0], [2], [4], [6]], dtype=torch.int8)
    solved = ridge_regression.ridge(summed(q, torch.tensor([0, 0, 1, 1]), 2), penalty=0.25)
    # centred: x = -3 -1 1 3, squares sum to 20, penalty 5; class 1: x (y - 1/2) sums to 4: 4 / 25
    assert torch.allclose(solved.weight, torch.tensor([[-0.16, 0.16]]))
    assert torch.allclose(solved.bias, torch.tensor([0.5 + 3 * 0.16, 0.5 - 3 * 0.16]))


def left_rows(stats, q, y, c):
    """Which rows of q the kept rows of class c are, in the order kept."""
    kept = stats.kept
    return [int(((q == row).all(1) & (y == c)).nonzero()[0]) for row in kept.rows[kept.y == c]]


@pytest.mark.parametrize("penalty", [0.001, 0.1, 3.0])
def test_ridge_left_out_equals_a_refit_without_the_row(monkeypatch, penalty):
    q, y = blobs([6, 5, 9], width=8)
    stats, seen = summed(q, y, 3), {}
    monkeypatch.setattr(
        solution, "judge", lambda scores, *rest: seen.update(scores=scores) or real(scores, *rest)
    )
    ridge_regression.ridge(stats, penalty)
    order = [row for c in range(3) for row in left_rows(stats, q, y, c)]
    x = q.double()
    total = (x - x.mean(0)).T @ (x - x.mean(0))
    amount = penalty * total.diagonal().mean()
    for at, row in enumerate(order):
        rest = torch.arange(len(y)) != row
        a, t = x[rest], torch.nn.functional.one_hot(y[rest], 3).double()
        centred = a - a.mean(0)
        weight = torch.linalg.solve(
            centred.T @ centred + amount * torch.eye(8, dtype=torch.double),
            centred.T @ (t - t.mean(0)),
        )
        expected = t.mean(0) + (x[row] - a.mean(0)) @ weight
        assert torch.allclose(seen["scores"][at].double(), expected, atol=1e-8)


real = solution.judge


def test_the_penalty_of_ridge_minimises_generalized_cross_validation():
    q, y = blobs([20, 22, 8], width=30, spread=25)
    x, t = q.double() - q.double().mean(0), torch.nn.functional.one_hot(y, 3).double()
    t = t - t.mean(0)
    total, n = x.T @ x, len(y)
    losses = {}
    for penalty in GRID:
        ridged = total + penalty * total.diagonal().mean() * torch.eye(30, dtype=torch.double)
        hat = x @ torch.linalg.inv(ridged) @ x.T
        losses[penalty] = float(n * (t - hat @ t).square().sum() / (n - 1 - hat.trace()) ** 2)
    assert ridge_regression.ridge(summed(q, y, 3)).penalty == min(losses, key=losses.get)
