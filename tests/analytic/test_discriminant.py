"""Nearest means and LDA, against cases worked by hand and refits without a row."""

import math

import pytest
import torch
from sklearn.datasets import load_digits

from evergrow.analytic import discriminant, ridge_regression, solution
from evergrow.analytic.leave_one_out import lda_scores
from evergrow.analytic.penalty import GRID
from evergrow.errors import SettingError
from tests.analytic.blobs import blobs, summed


def plain_lda(q, y, k, ridge, noises=None):
    """Textbook LDA in double; ridge is added to the scatter. Weights (p, k), biases, R, means."""
    x = q.double()
    n = torch.bincount(y, minlength=k).double()
    means = torch.stack([x[y == c].mean(0) for c in range(k)])
    d = x - means[y]
    freedom = max(1.0, len(y) - k)
    inverse = freedom * torch.linalg.inv(
        d.T @ d + ridge * torch.eye(x.shape[1], dtype=torch.double)
    )
    weight = inverse @ means.T
    square = (means * weight.T).sum(1)
    square = square if noises is None else square - noises / n
    return weight, -0.5 * square, inverse, means


def test_lda_agrees_with_a_case_worked_by_hand():
    q = torch.tensor([[1, 1], [3, -1], [-1, 1], [-3, -1]], dtype=torch.int8)
    solved = discriminant.lda(summed(q, torch.tensor([0, 0, 1, 1]), 2), penalty=1.0, correct=False)
    # means (2, 0) and (-2, 0); deviations (-1, 1), (1, -1), (1, 1), (-1, -1): scatter 4 I, S = 2 I;
    # the unit is 2, so S + penalty = 2 I + 2 I, R = I / 4: weights m / 4, biases -4 / 8.
    assert torch.allclose(solved.weight, torch.tensor([[0.5, -0.5], [0.0, 0.0]]))
    assert torch.allclose(solved.bias, torch.tensor([-0.5, -0.5]))


def test_ncm_finds_the_nearest_mean():
    q, y = blobs([9, 30, 5])
    means = torch.stack([q[y == c].double().mean(0) for c in range(3)])
    nearest = torch.cdist(q.double(), means).argmin(1)
    assert torch.equal(discriminant.ncm(summed(q, y, 3)).scores(q).argmax(1), nearest)


def judged_scores(monkeypatch, stats, **settings):
    """Leave-one-out scores as `lda` computed them, with the noises it used, and its view."""
    seen = {}

    def spy(products, held, noises, pooled):
        seen.update(held=held, noises=noises, pooled=pooled)
        seen["scores"] = lda_scores(products, held, noises, pooled)
        return seen["scores"]

    monkeypatch.setattr(discriminant, "lda_scores", spy)
    settings.pop("ncm", None)
    seen["solution"] = discriminant.lda(stats, **settings)
    return seen


@pytest.mark.parametrize("sizes", [[7, 6, 5], [2, 9, 3], [3, 3]])
@pytest.mark.parametrize("width", [4, 12, 40])
def test_lda_left_out_equals_a_refit_without_the_row(monkeypatch, sizes, width):
    q, y = blobs(sizes, width)
    k, stats = len(sizes), summed(q, y, len(sizes))
    view = solution.ClassView(stats)
    seen = judged_scores(monkeypatch, stats, penalty=0.3, rule="gaussian")
    ridge = 0.3 * view.unit * view.freedom
    order = [row for c in range(k) for row in left_rows(stats, q, y, c)]
    for at, row in enumerate(order):
        rest = torch.arange(len(y)) != row
        noises = seen["noises"].double().clone()
        noises[y[row]] = refit_noise(q[rest], y[rest], int(y[row]), k, ridge, seen["pooled"])
        weight, bias, _, _ = plain_lda(q[rest], y[rest], k, ridge, noises)
        expected = q[row].double() @ weight + bias
        got = seen["scores"][at].double()
        got, expected = got - got.mean(), expected - expected.mean()  # a common shift means nothing
        assert torch.allclose(got, expected, rtol=1e-7, atol=1e-7)


def left_rows(stats, q, y, c):
    """Which rows of q the kept rows of class c are, in the order kept."""
    kept = stats.kept
    return [int(((q == row).all(1) & (y == c)).nonzero()[0]) for row in kept.rows[kept.y == c]]


def refit_noise(q, y, c, k, ridge, pooled):
    """E[d'R d] of class c by refitting without each of its rows, and two rows of `pooled`."""
    own = []
    for row in (y == c).nonzero()[:, 0].tolist():
        n = int((y == c).sum())
        if n < 2:
            continue
        rest = torch.arange(len(y)) != row
        _, _, inverse, means = plain_lda(q[rest], y[rest], k, ridge)
        d = q[row].double() - means[c]
        own.append(float(d @ inverse @ d) * (n - 1) / n)  # less what the noise of the mean adds
    return (sum(own) + 2 * pooled) / (len(own) + 2)


def test_the_noise_of_means_is_taken_off_so_that_a_small_class_is_not_passed_over():
    q, y = blobs([400, 400, 204], width=60, spread=110)
    few = summed(q[:804], y[:804], 3)
    found = {
        c: discriminant.lda(few, 0.01, correct=c).scores(q[804:]).argmax(1) == 2
        for c in (True, False)
    }
    assert found[True].double().mean() > found[False].double().mean() + 0.1


def test_priors_by_count_favour_the_frequent():
    q, y = blobs([500, 20], width=4, spread=60)
    stats = summed(q, y, 2)
    even, counted = discriminant.lda(stats, 0.1), discriminant.lda(stats, 0.1, prior="counts")
    gap = (counted.bias - even.bias)[0] - (counted.bias - even.bias)[1]
    assert gap == pytest.approx(math.log(25), rel=1e-5)
    assert torch.equal(even.weight, counted.weight)
    with pytest.raises(SettingError, match="'equal' or 'counts'"):
        discriminant.lda(stats, prior="uniform")
    with pytest.raises(SettingError, match="auto, gaussian, regression"):
        discriminant.lda(stats, rule="quadratic")


def heavy(sizes, width=60, seed=0):
    """Rows about a centre for each class, each stretched by a factor of its own: heavy tails."""
    rng = torch.Generator().manual_seed(seed)
    y = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    centres = torch.randn(len(sizes), width, generator=rng) / 2
    rows = centres[y] + torch.randn(len(y), width, generator=rng)
    rows = rows * torch.randn(len(y), 1, generator=rng).exp()
    return (rows * 10).round().clamp(-127, 127).to(torch.int8), y


def digits(part):
    """Pixels of scikit-learn's digits as rows."""
    x, y = load_digits(return_X_y=True)
    return torch.from_numpy((x[part] * 7).astype("int8")), torch.from_numpy(y[part])


@pytest.mark.parametrize("better", ["gaussian", "regression"])
def test_the_rule_that_does_better_on_rows_left_out_does_better_on_new_ones(better):
    if better == "gaussian":
        (q, y), (fresh, truth) = digits(slice(0, 1000)), digits(slice(1000, None))
    else:
        q, y = heavy([540] * 12)
        q, y, fresh, truth = q[::13], y[::13], q[1::2], y[1::2]
    stats = summed(q, y, int(y.max()) + 1)
    by_rule = {rule: discriminant.lda(stats, 0.3, rule=rule) for rule in discriminant.RULES}
    assert torch.equal(by_rule["auto"].weight, by_rule[better].weight)
    right = {
        r: float((s.scores(fresh).argmax(1) == truth).double().mean()) for r, s in by_rule.items()
    }
    assert right[better] == max(right.values()) > min(right.values()) + 0.02


def test_regression_agrees_with_ridge_where_classes_are_equal_and_many_rows_were_learnt():
    q, y = heavy([2000] * 6)
    stats, fresh = summed(q[::2], y[::2], 6), q[1::2]
    answers = [
        made.scores(fresh).argmax(1)
        for made in (
            discriminant.lda(stats, 1e-4, rule="regression"),
            ridge_regression.ridge(stats, 1e-4),
            discriminant.lda(stats, 1e-4, rule="gaussian"),
        )
    ]
    alike = [float((answers[0] == other).double().mean()) for other in answers[1:]]
    assert alike[0] > 0.99 and alike[0] > alike[1]


def test_a_class_of_few_rows_leaves_the_gaussian_rule_alone():
    q, y = heavy([40] * 5 + [4])
    few = discriminant.lda(summed(q, y, 6), 0.01, rule="regression")
    assert torch.equal(few.weight, discriminant.lda(summed(q, y, 6), 0.01, rule="gaussian").weight)


def test_recalls_left_out_of_the_regression_foretell_those_of_new_rows():
    q, y = heavy([1000] * 5)
    solved = discriminant.lda(summed(q[::2], y[::2], 5, keep=200), rule="regression")
    new = (solved.scores(q[1::2]).argmax(1) == y[1::2]).double().mean()
    assert solved.judged.macro == pytest.approx(float(new), abs=0.03)


def test_without_kept_rows_the_noise_comes_from_the_sums():
    q, y = blobs([200, 200, 10], width=20)
    without, kept = (
        discriminant.lda(summed(q, y, 3, keep), 0.01, rule="gaussian") for keep in (0, 20)
    )
    assert without.judged.rows == 0 and math.isnan(without.judged.macro)
    assert torch.equal(without.weight, kept.weight)
    assert without.bias[2] == pytest.approx(float(kept.bias[2]), abs=0.6)
    assert discriminant.lda(summed(q, y, 3, keep=0)).penalty in GRID
