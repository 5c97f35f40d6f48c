"""Ridge regression against scikit-learn's, and one-hot regression's own weakness."""

import numpy as np
import torch
from sklearn.linear_model import Ridge as Peer

from evergrow.methods import Ridge
from tests.methods.learners import attached, task

rng = np.random.default_rng(0)
X = rng.integers(-20, 20, size=(60, 2)).astype(np.float32)
Y = (X.sum(1) > 0).astype(int) + (X[:, 0] > 10)


def test_scores_are_those_of_a_centred_ridge_regression():
    method = attached(Ridge(penalty=0.1), classes=0)
    method.learn(task(X.tolist(), Y.tolist(), 0, 3))
    spread = ((X - X.mean(0)) ** 2).sum() / 2  # mean feature variance times samples
    peer = Peer(alpha=0.1 * spread).fit(X, np.eye(3)[Y])
    ours = method.scores(torch.from_numpy(X))
    np.testing.assert_allclose(ours, peer.predict(X), atol=1e-4)


def test_chunks_give_the_same_sums_as_one():
    whole, parts = (attached(Ridge(), classes=0) for _ in range(2))
    whole.learn(task(X.tolist(), Y.tolist(), 0, 3))
    for rows in np.split(rng.permutation(60), 6):
        parts.learn(task(X[rows].tolist(), Y[rows].tolist(), 0, 3))
    a, b = whole.sums.state(), parts.sums.state()
    assert torch.equal(a["counts"], b["counts"]) and torch.equal(a["sums"], b["sums"])
    assert all(torch.equal(p, q) for p, q in zip(a["gram"], b["gram"], strict=True))
