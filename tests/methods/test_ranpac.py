"""RanPAC: prototypes on random features; the penalty is chosen from the sums."""

import numpy as np
import pytest
import torch

from evergrow.methods import ACIL, RanPAC
from tests.methods.learners import attached, task


def test_scores_are_prototypes_times_the_inverse_of_gram_and_chosen_penalty():
    method = attached(RanPAC(size=6), classes=0)
    x = np.random.default_rng(0).integers(-60, 60, (50, 2)).tolist()
    y = [int(a > 0) for a, _ in x]
    assert method.learn(task(x, y, 0, 2)) is None  # no step is taken
    f = method.layer(torch.tensor(x).to(torch.int8)).double()
    gram, c = f.T @ f, f.T @ torch.nn.functional.one_hot(torch.tensor(y)).double()
    chosen = method.solution().penalty * gram.diagonal().mean()
    expected = f @ torch.linalg.solve(gram + chosen * torch.eye(6).double(), c)
    ours = method.scores(torch.tensor(x, dtype=torch.float32))
    torch.testing.assert_close(ours.double(), expected, atol=1e-5, rtol=1e-4)
    losses = []  # generalized cross-validation, written out
    for value in (1e-4, 1e-2, 1.0, method.solution().penalty):
        hat = f @ torch.linalg.solve(
            gram + value * gram.diagonal().mean() * torch.eye(6).double(), f.T
        )
        left = torch.nn.functional.one_hot(torch.tensor(y)).double()
        losses.append(float((left - hat @ left).square().sum() / (50 - hat.trace()) ** 2))
    assert losses[-1] == pytest.approx(min(losses))


def test_without_adaptation_it_is_acil_with_another_penalty():
    first, second = attached(RanPAC(size=5), classes=0), attached(ACIL(size=5), classes=0)
    chunk = task([[3.0, 4.0], [-8.0, 1.0]], [0, 1], 0, 2)
    first.learn(chunk)
    second.learn(chunk)
    assert torch.equal(first.sums.gram, second.sums.gram)
