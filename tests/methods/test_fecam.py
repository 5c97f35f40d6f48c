"""FeCAM: transform, shrinkage, correlation and distance, each worked out by hand."""

import pytest
import torch

from evergrow import GrowingClassifier
from evergrow.errors import SettingError
from evergrow.methods import FeCAM
from tests.methods.learners import attached, task

POINTS = [[100.0, 0.0], [60.0, 40.0], [80.0, -20.0], [40.0, 20.0]]  # of class 0


def learnt(**settings) -> FeCAM:
    method = attached(FeCAM(**settings), classes=0)
    method.learn(task([*POINTS, [0.0, 90.0]], [0] * 4 + [1], 0, 2))
    return method


@pytest.mark.parametrize("power", [1.0, 0.5])
def test_a_score_is_minus_the_distance_in_the_classs_own_correlation(power):
    def transformed(x):
        return x.sign() * (x.abs() / 127) ** power * 127

    method = learnt(power=power)
    plain = torch.tensor(POINTS).double()
    cov = torch.cov(transformed(plain).round().T)
    v1, v2 = cov.diagonal().mean(), cov[0, 1]
    shrunk = cov + v1 * torch.eye(2) + v2 * (1 - torch.eye(2))
    s = shrunk / shrunk.diagonal().sqrt()[:, None] / shrunk.diagonal().sqrt()
    mean = transformed(plain.mean(0))  # of the mean, as the authors do
    x = transformed(torch.tensor([30.0, 40.0]).double())
    away = x / x.norm() - mean / mean.norm()
    expected = -away @ torch.linalg.inv(s) @ away
    ours = method.scores(torch.tensor([[30.0, 40.0]]))[0]
    assert ours[0].item() == pytest.approx(expected.item(), rel=1e-5)


def test_one_sample_has_no_covariance_and_the_plain_distance_of_unit_vectors():
    method = learnt(power=1.0)
    ours = method.scores(torch.tensor([[30.0, 40.0]]))[0, 1]
    assert ours.item() == pytest.approx(-(0.6**2 + (0.8 - 1) ** 2), rel=1e-5)


def test_moments_are_of_transformed_rows_and_a_failed_task_leaves_none_of_its_own():
    method = learnt()
    transformed = [round(127 * (v / 127) ** 0.5) for v in (100, 60, 80, 40)]
    assert int(method.by_class.sums[0, 0]) == sum(transformed)
    assert method.plain[0].tolist() == [280, 40]
    method.fork(method.how, method.rng).learn(task([[1.0, 1.0]], [2], 2, 3))
    assert method.by_class.counts.tolist() == [4, 1] and len(method.plain) == 2


def test_many_features_are_refused():
    with pytest.raises(SettingError, match="5000 features"):
        GrowingClassifier(lambda: torch.nn.Linear(2, 5000), "fecam").partial_fit([[1.0, 2.0]], [0])
