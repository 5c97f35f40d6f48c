"""A class's metric: shrinkage, correlation and factor."""

import torch

from evergrow.analytic.mahalanobis import inverse_factor, shrunk, tukey

COVARIANCE = torch.tensor([[4.0, 1.0], [1.0, 2.0]]).double()


def test_a_correlation_has_unit_variances():
    found = shrunk(COVARIANCE, 2.0, 3.0, correlation=True)
    expected = 4 / (10 * 8) ** 0.5  # shrinkage gives [[10, 4], [4, 8]]
    torch.testing.assert_close(found, torch.tensor([[1, expected], [expected, 1]]).double())


def test_without_spread_the_metric_is_the_plain_one():
    assert torch.equal(shrunk(torch.zeros(3, 3), 1.0, 1.0, True), torch.eye(3))


def test_the_factor_inverts_and_a_singular_matrix_is_raised():
    factor = inverse_factor(COVARIANCE)
    torch.testing.assert_close(factor.T @ factor, torch.linalg.inv(COVARIANCE))
    assert inverse_factor(torch.ones(2, 2).double()).isfinite().all()


def test_power_one_leaves_integers_alone():
    q = torch.arange(-127, 128).to(torch.int8)
    assert torch.equal(tukey(q, 1.0).round(), q.float())
