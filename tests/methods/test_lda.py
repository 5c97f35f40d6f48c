"""LDA against weights worked out by hand."""

import torch
from torch import nn

from evergrow import GrowingClassifier
from evergrow.methods import LDA
from tests.methods.learners import attached, task

# Two classes around (0, 0) and (10, 0), spread 1 along both axes:
# the pooled within-class covariance is 4/6 * I.
X = [[1, 0], [-1, 0], [0, 1], [0, -1], [11, 0], [9, 0], [10, 1], [10, -1]]
Y = [0] * 4 + [1] * 4


def learnt(**settings):
    method = attached(LDA(**settings), classes=0)
    method.learn(task(X, Y, 0, 2))
    return method


def test_scores_are_linear_discriminants():
    method = learnt(penalty=0.5, correct=False)
    # unit = 2/3; S = unit * I; weights = (S + 0.5 unit I)^-1 m = m, so scores are m'x - m'm / 2
    scores = method.scores(torch.tensor([[7.0, 3.0]]))
    torch.testing.assert_close(scores[0, 1] - scores[0, 0], torch.tensor(70.0 - 50.0))


def test_noise_is_taken_off_the_norm_of_a_small_class():
    method = attached(LDA(penalty=0.5), classes=0)
    method.learn(task(X, Y, 0, 2))
    plain = attached(LDA(penalty=0.5, correct=False), classes=0)
    plain.learn(task(X, Y, 0, 2))
    x = torch.tensor([[7.0, 3.0]])
    # R = (2/3 + 1/3)^-1 I = I. Each row, 1 from its mean, left out: 4/3 of its square,
    # S loses it (6 -> 5 degrees of freedom): (5/6) (4/3) / (1 - (4/3)/6) = 10/7.
    # That over n = 4 is taken off the norm, half of it reaches the score.
    gain = method.scores(x) - plain.scores(x)
    torch.testing.assert_close(gain, torch.full((1, 2), 5 / 28), rtol=1e-4, atol=1e-5)


def test_a_frequent_class_is_favoured_by_its_count_only_if_asked():
    method = attached(LDA(penalty=0.5, prior="counts", correct=False), classes=0)
    method.learn(task(X + X[:4], Y + Y[:4], 0, 2))  # 8 and 4
    equal = attached(LDA(penalty=0.5, correct=False), classes=0)
    equal.learn(task(X + X[:4], Y + Y[:4], 0, 2))
    x = torch.tensor([[7.0, 3.0]])
    gain = method.scores(x) - equal.scores(x)
    torch.testing.assert_close(gain[0, 0] - gain[0, 1], torch.tensor(2.0).log())


def test_the_first_task_may_be_one_sample():
    method = attached(LDA(), classes=0)
    method.learn(task([[3.0, 4.0]], [0], 0, 1))
    assert method.scores(torch.tensor([[0.0, 0.0]])).isfinite().all()


def test_the_first_rows_pass_the_network_once():
    seen = []

    class Body(nn.Flatten):
        def forward(self, x):
            seen.extend(x[x.any(-1).any(-1), 0, 0].tolist())  # rows of zeros fill up blocks
            return super().forward(x)

    x, y = torch.randn(1500, 1, 3), torch.arange(1500) % 2
    model = GrowingClassifier(Body(), "lda").partial_fit(x, y)
    assert sorted(seen) == sorted(x[:, 0, 0].tolist())
    assert model.learner_.sums.counts.tolist() == [750, 750]
