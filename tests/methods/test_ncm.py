"""NCM against means worked out by hand."""

import torch

from evergrow.methods import NCM
from tests.methods.learners import attached, task


def test_the_nearest_mean_wins_and_ties_lie_half_way():
    method = attached(NCM(), classes=0)
    method.learn(task([[0.0, 0.0], [2.0, 0.0], [9.0, 0.0]], [0, 0, 1], 0, 2))  # means 1 and 9
    scores = method.scores(torch.tensor([[4.0, 0.0], [6.0, 0.0], [5.0, 0.0]]))
    assert scores.argmax(1).tolist()[:2] == [0, 1]
    torch.testing.assert_close(scores[2, 0], scores[2, 1])


def test_sums_are_all_that_is_kept_of_many_samples():
    method = attached(NCM(keep=1), classes=0)
    method.learn(task([[1.0, 2.0]] * 50, [0] * 50, 0, 1))
    state = method.sums.state()
    assert state["counts"].tolist() == [50] and len(state["kept"]) <= 1
