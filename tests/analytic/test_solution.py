import math

import pytest
import torch
from sklearn.datasets import load_digits

from evergrow.analytic import solution
from evergrow.analytic.feature_statistics import FeatureStatistics
from evergrow.analytic.leave_one_out import lda_scores
from evergrow.analytic.penalty import GRID
from evergrow.errors import DataError, SettingError


def blobs(sizes, width=12, spread=12.0, seed=0):
    """int8 rows about a random centre for each class, with correlated noise."""
    rng = torch.Generator().manual_seed(seed)
    centres = torch.randn(len(sizes), width, generator=rng) * 18
    mixing = torch.randn(width, width, generator=rng) / width**0.5
    y = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    noise = torch.randn(len(y), width, generator=rng) @ mixing
    q = (centres[y] + spread * noise).round().clamp(-127, 127).to(torch.int8)
    return q, y


def summed(q, y, k, keep=20):
    stats = FeatureStatistics(q.shape[1], keep)
    stats.grow(k)
    stats.add(q, y)
    return stats


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
    solved = solution.lda(summed(q, torch.tensor([0, 0, 1, 1]), 2), penalty=1.0, correct=False)
    # means (2, 0) and (-2, 0); deviations (-1, 1), (1, -1), (1, 1), (-1, -1): scatter 4 I, S = 2 I;
    # the unit is 2, so S + penalty = 2 I + 2 I, R = I / 4: weights m / 4, biases -4 / 8.
    assert torch.allclose(solved.weight, torch.tensor([[0.5, -0.5], [0.0, 0.0]]))
    assert torch.allclose(solved.bias, torch.tensor([-0.5, -0.5]))


def test_ridge_agrees_with_a_case_worked_by_hand():
    q = torch.tensor([[0], [2], [4], [6]], dtype=torch.int8)
    solved = solution.ridge(summed(q, torch.tensor([0, 0, 1, 1]), 2), penalty=0.25)
    # centred: x = -3 -1 1 3, squares sum to 20, penalty 5; class 1: x (y - 1/2) sums to 4: 4 / 25
    assert torch.allclose(solved.weight, torch.tensor([[-0.16, 0.16]]))
    assert torch.allclose(solved.bias, torch.tensor([0.5 + 3 * 0.16, 0.5 - 3 * 0.16]))


def test_ncm_finds_the_nearest_mean():
    q, y = blobs([9, 30, 5])
    means = torch.stack([q[y == c].double().mean(0) for c in range(3)])
    nearest = torch.cdist(q.double(), means).argmin(1)
    assert torch.equal(solution.ncm(summed(q, y, 3)).scores(q).argmax(1), nearest)


def judged_scores(monkeypatch, stats, **settings):
    """Leave-one-out scores as `lda` computed them, with the noises it used, and its view."""
    seen = {}

    def spy(products, held, noises, pooled):
        seen.update(held=held, noises=noises, pooled=pooled)
        seen["scores"] = lda_scores(products, held, noises, pooled)
        return seen["scores"]

    monkeypatch.setattr(solution, "lda_scores", spy)
    settings.pop("ncm", None)
    seen["solution"] = solution.lda(stats, **settings)
    return seen


@pytest.mark.parametrize("sizes", [[7, 6, 5], [2, 9, 3], [3, 3]])
@pytest.mark.parametrize("width", [4, 12, 40])
def test_lda_left_out_equals_a_refit_without_the_row(monkeypatch, sizes, width):
    q, y = blobs(sizes, width)
    k, stats = len(sizes), summed(q, y, len(sizes))
    view = solution._View(stats)
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
        c: solution.lda(few, 0.01, correct=c).scores(q[804:]).argmax(1) == 2 for c in (True, False)
    }
    assert found[True].double().mean() > found[False].double().mean() + 0.1


@pytest.mark.parametrize("penalty", [0.001, 0.1, 3.0])
def test_ridge_left_out_equals_a_refit_without_the_row(monkeypatch, penalty):
    q, y = blobs([6, 5, 9], width=8)
    stats, seen = summed(q, y, 3), {}
    monkeypatch.setattr(
        solution, "judge", lambda scores, *rest: seen.update(scores=scores) or real(scores, *rest)
    )
    solution.ridge(stats, penalty)
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
    assert solution.ridge(summed(q, y, 3)).penalty == min(losses, key=losses.get)


def test_fewer_samples_ask_for_a_larger_penalty():
    many, few = blobs([600] * 4, width=60, spread=40), blobs([6] * 4, width=60, spread=40)
    assert solution.lda(summed(*few, 4)).penalty > solution.lda(summed(*many, 4)).penalty


def test_the_temperature_calibrates():
    q, y = blobs([400] * 3, width=10, spread=60)
    solved = solution.lda(summed(q[::2], y[::2], 3, keep=200))
    p = (solved.scores(q[1::2]) / solved.temperature).softmax(1)
    right = p.argmax(1) == y[1::2]
    assert abs(p.max(1).values.mean() - right.double().mean()) < 0.06


def test_priors_by_count_favour_the_frequent():
    q, y = blobs([500, 20], width=4, spread=60)
    stats = summed(q, y, 2)
    even, counted = (
        solution.lda(stats, 0.1),
        solution.lda(stats, 0.1, prior="counts"),
    )  # two classes
    gap = (counted.bias - even.bias)[0] - (counted.bias - even.bias)[1]
    assert gap == pytest.approx(math.log(25), rel=1e-5)
    assert torch.equal(even.weight, counted.weight)
    with pytest.raises(SettingError, match="'equal' or 'counts'"):
        solution.lda(stats, prior="uniform")
    with pytest.raises(SettingError, match="auto, gaussian, regression"):
        solution.lda(stats, rule="quadratic")


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
    by_rule = {rule: solution.lda(stats, 0.3, rule=rule) for rule in solution.RULES}
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
            solution.lda(stats, 1e-4, rule="regression"),
            solution.ridge(stats, 1e-4),
            solution.lda(stats, 1e-4, rule="gaussian"),
        )
    ]
    alike = [float((answers[0] == other).double().mean()) for other in answers[1:]]
    assert alike[0] > 0.99 and alike[0] > alike[1]


def test_a_class_of_few_rows_leaves_the_gaussian_rule_alone():
    q, y = heavy([40] * 5 + [4])
    few = solution.lda(summed(q, y, 6), 0.01, rule="regression")
    assert torch.equal(few.weight, solution.lda(summed(q, y, 6), 0.01, rule="gaussian").weight)


def test_recalls_left_out_of_the_regression_foretell_those_of_new_rows():
    q, y = heavy([1000] * 5)
    solved = solution.lda(summed(q[::2], y[::2], 5, keep=200), rule="regression")
    new = (solved.scores(q[1::2]).argmax(1) == y[1::2]).double().mean()
    assert solved.judged.macro == pytest.approx(float(new), abs=0.03)


SOLVERS = [solution.ncm, solution.lda, solution.ridge]


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(
    "sizes", [[1], [5], [1, 1], [2, 1], [1, 1, 1, 1], [2, 0, 2], [7, 0], [8, 1], [4, 5], [5, 5]]
)
@pytest.mark.parametrize("constant", [False, True])
def test_small_cases_have_finite_weights(solver, sizes, constant):
    q, y = blobs(sizes, width=9)  # n = 1, 2, p - 1, p, p + 1 among them
    if constant:
        q[:] = 3
    solved = solver(summed(q, y, len(sizes)))
    empty = torch.tensor(sizes) == 0
    assert solved.weight.isfinite().all() and math.isfinite(solved.penalty)
    assert math.isfinite(solved.temperature) and solved.temperature > 0
    assert (solved.bias[empty] == -torch.inf).all() and solved.bias[~empty].isfinite().all()
    assert not empty[solved.scores(q).argmax(1)].any()


@pytest.mark.parametrize("solver", SOLVERS)
def test_wide_features_are_solved_in_single_precision(solver):
    q, y = blobs([30, 3, 1], width=1100)
    solved = solver(summed(q, y, 3))
    assert solved.weight.isfinite().all()
    assert (solved.scores(q).argmax(1) == y).double().mean() > 0.9


def test_without_kept_rows_the_noise_comes_from_the_sums():
    q, y = blobs([200, 200, 10], width=20)
    without, kept = (solution.lda(summed(q, y, 3, keep), 0.01, rule="gaussian") for keep in (0, 20))
    assert without.judged.rows == 0 and math.isnan(without.judged.macro)
    assert torch.equal(without.weight, kept.weight)
    assert without.bias[2] == pytest.approx(float(kept.bias[2]), abs=0.6)
    assert solution.lda(summed(q, y, 3, keep=0)).penalty in GRID


@pytest.mark.parametrize("solver", SOLVERS)
def test_nothing_learnt_cannot_be_solved(solver):
    q, y = blobs([3, 3])
    stats = summed(q, y, 2)
    stats.subtract(q, y)
    with pytest.raises(DataError, match="learn something first"):
        solver(stats)


def test_rows_subtracted_that_were_never_learnt_are_refused():
    q, y = blobs([5, 5])
    stats = summed(q // 8, y, 2)
    stats.subtract(q[::5], y[::5])
    with pytest.raises(DataError, match="had not been learnt"):
        solution.lda(stats)


def test_solving_draws_nothing_and_changes_nothing():
    q, y = blobs([9, 9, 4], width=30)
    stats = summed(q, y, 3)
    before, state = torch.random.get_rng_state(), stats.state()
    first, second = solution.lda(stats), solution.lda(stats)
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.equal(first.weight, second.weight) and torch.equal(first.bias, second.bias)
    assert all(torch.equal(a, b) for a, b in zip(state["gram"], stats.state()["gram"], strict=True))


def test_recalls_left_out_foretell_those_of_new_rows():
    q, y = blobs([1000] * 5, width=20, spread=45)
    solved = solution.lda(summed(q[::2], y[::2], 5, keep=200))
    new = (solved.scores(q[1::2]).argmax(1) == y[1::2]).double().mean()
    assert solved.judged.rows == 1000
    assert solved.judged.macro == pytest.approx(float(new), abs=0.03)
    assert solved.judged.macro == pytest.approx(float(solved.judged.accuracy.mean()))
