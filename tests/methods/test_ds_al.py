"""DS-AL: the main stream is ACIL, the second is fitted to its residuals, old columns cleansed."""

import numpy as np
import pytest
import torch

from evergrow.errors import SettingError
from evergrow.methods import ACIL, DSAL
from tests.methods.learners import attached, task

rng = np.random.default_rng(0)
X = rng.integers(-60, 60, size=(60, 2)).astype(np.float32)
Y = (X.sum(1) > 0).astype(int) + (X[:, 0] > 20)
TASKS = (((0, 1), 0, 2), ((2,), 2, 3), ((0, 2), 3, 3))


def chunk(labels, old, total):
    rows = np.isin(Y, labels)
    return task(X[rows].tolist(), Y[rows].tolist(), old, total)


def learnt(kind, **settings):
    method = attached(kind(size=5, **settings), classes=0)
    for labels, old, total in TASKS:
        method.learn(chunk(labels, old, total))
    return method


def by_hand(method: DSAL, ratio: float) -> torch.Tensor:
    """The paper's recursion in float64, with each stream's own normal equations."""

    def ridge(gram, target, penalty):
        return torch.linalg.solve(
            gram + penalty * gram.diagonal().mean() * torch.eye(5).double(), target
        )

    main_gram, main_target, gram, target = (torch.zeros(5, k).double() for k in (5, 3, 5, 3))
    for labels, _, _ in TASKS:
        rows = np.isin(Y, labels)
        q = torch.from_numpy(X[rows]).to(torch.int8)
        m, s = method.layer(q).double(), method.layer(q, torch.tanh).double()
        one_hot = torch.nn.functional.one_hot(torch.from_numpy(Y[rows]), 3).double()
        main_gram += m.T @ m
        main_target += m.T @ one_hot
        residual = one_hot - m @ ridge(main_gram, main_target, method.penalty)
        residual[:, [c for c in range(3) if c not in labels]] = 0
        gram += s.T @ s
        target += s.T @ residual
    q = torch.from_numpy(X).to(torch.int8)
    main = method.layer(q).double() @ ridge(main_gram, main_target, method.penalty)
    more = method.layer(q, torch.tanh).double() @ ridge(gram, target, method.compensation)
    return main + ratio * more


@pytest.mark.parametrize("ratio", [1.0, 0.3])
def test_scores_are_main_plus_ratio_times_compensation(ratio):
    method = learnt(DSAL, ratio=ratio, penalty=0.05, compensation=0.2)
    ours = method.scores(torch.from_numpy(X)).double()
    torch.testing.assert_close(ours, by_hand(method, ratio), atol=1e-4, rtol=1e-4)


def test_without_compensation_it_is_acil():
    ours, acil = learnt(DSAL, ratio=0.0), learnt(ACIL)
    x = torch.from_numpy(X)
    torch.testing.assert_close(ours.scores(x), acil.scores(x))


def test_columns_of_earlier_classes_are_cleansed():
    method = attached(DSAL(size=5), classes=0)
    method.learn(chunk(*TASKS[0]))
    first = method.target.clone()
    method.learn(chunk(*TASKS[1]))
    assert torch.equal(method.target[:, :2], first) and (method.target[:, 2] != 0).any()


def test_a_failed_task_leaves_nothing_in_either_stream():
    method = attached(DSAL(size=5), classes=0)
    method.fork(method.how, method.rng).learn(chunk(*TASKS[0]))
    assert method.target.shape == (5, 0) and len(method.second.counts) == 0
    assert len(method.sums.counts) == 0 and method.layer.unit == 0


def test_the_ratio_is_not_negative():
    with pytest.raises(SettingError, match="ratio=-1"):
        DSAL(ratio=-1)
