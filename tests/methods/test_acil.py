"""ACIL: ridge regression without an intercept on random ReLU features, by sums that are exact."""

import numpy as np
import pytest
import torch

from evergrow.errors import SettingError
from evergrow.methods import ACIL
from tests.methods.learners import attached, task

rng = np.random.default_rng(0)
X = rng.integers(-60, 60, size=(60, 2)).astype(np.float32)
Y = (X.sum(1) > 0).astype(int) + (X[:, 0] > 20)


def learnt(**settings) -> ACIL:
    method = attached(ACIL(size=5, **settings), classes=0)
    method.learn(task(X.tolist(), Y.tolist(), 0, 3))
    return method


def test_scores_are_those_of_the_normal_equations():
    method = learnt(penalty=0.01)
    features = method.layer(torch.from_numpy(X).to(torch.int8)).double()
    gram = features.T @ features
    gamma = 0.01 * gram.diagonal().mean()
    target = torch.nn.functional.one_hot(torch.from_numpy(Y)).double()
    weight = torch.linalg.solve(gram + gamma * torch.eye(5).double(), features.T @ target)
    ours = method.scores(torch.from_numpy(X))
    torch.testing.assert_close(ours.double(), features @ weight, atol=1e-5, rtol=1e-4)


def test_learning_class_by_class_is_learning_at_once_bit_for_bit():
    whole, parts = learnt(), attached(ACIL(size=5), classes=0)
    parts.layer.fix(torch.from_numpy(X).to(torch.int8))
    for total, rows in ((1, Y == 0), (2, Y == 1), (3, Y == 2)):
        parts.learn(task(X[rows].tolist(), Y[rows].tolist(), total - 1, total))
    assert torch.equal(whole.sums.gram, parts.sums.gram)
    x = torch.from_numpy(X)
    assert torch.equal(whole.scores(x), parts.scores(x))


def test_a_failed_first_task_leaves_the_random_layer_unfixed():
    method = attached(ACIL(size=5), classes=0)
    method.fork(method.how, method.rng).learn(task(X.tolist(), Y.tolist(), 0, 3))
    assert method.layer.unit == 0 and len(method.sums.counts) == 0


def test_the_penalty_is_positive():
    with pytest.raises(SettingError, match="penalty=0"):
        ACIL(penalty=0)
