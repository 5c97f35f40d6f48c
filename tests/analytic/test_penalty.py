import pytest
import torch

from evergrow.analytic.penalty import GRID, at_least, choose_penalty, least
from evergrow.errors import DataError

WIDE, NARROW = 10_000, 5


def falling_to(best, tried=None):
    """An attempt whose single loss is least at `best`; what it finds is the penalty itself."""

    def attempt(value):
        if tried is not None:
            tried.append(value)
        return torch.tensor([abs(GRID.index(value) - GRID.index(best)) + 1.0]), value

    return attempt


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("best", GRID)
def test_the_least_loss_is_found(width, best):
    assert choose_penalty(falling_to(best), width, scarce=False) == (best, best)


def test_wide_features_try_few_penalties_and_each_once():
    tried = []
    choose_penalty(falling_to(3e-3, tried), WIDE, scarce=False)
    assert sorted(tried) == [1e-3, 3e-3, 1e-2, 1e-1]


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_with_fewer_rows_than_features_no_small_penalty_is_tried(width):
    tried = []
    assert choose_penalty(falling_to(1e-4, tried), width, scarce=True)[0] == 0.1
    assert min(tried) == 0.1


def test_a_penalty_that_rounding_forbids_is_passed_over():
    attempt = falling_to(1e-3)
    assert choose_penalty(lambda v: attempt(v) if v >= 1 else None, WIDE, scarce=False)[0] == 1.0
    assert at_least(lambda v: (torch.zeros(1), v) if v >= 1 else None, 0.02)[0] == pytest.approx(2)
    for solve in (
        lambda: choose_penalty(lambda v: None, WIDE, False),
        lambda: at_least(lambda v: None, 1),
    ):
        with pytest.raises(DataError, match="sums that no rows can have"):
            solve()


def test_without_losses_the_start_is_kept():
    assert choose_penalty(lambda v: (torch.zeros(0), v), WIDE, scarce=False)[0] == 0.1
    assert choose_penalty(lambda v: (torch.tensor([torch.nan]), v), NARROW, scarce=False)[0] == 0.1


def test_a_smaller_penalty_wins_unless_rows_tell_it_from_the_best():
    noisy = torch.tensor([0.4, -0.2, -0.4, 0.3, -0.1, 0.1])
    best = torch.full((6,), 1.0)
    assert least({1.0: best, 0.1: best + 0.01 + noisy}) == 0.1
    assert least({1.0: best, 0.1: best + 0.3 + noisy}) == 1.0
    assert least({1.0: best + 0.01 + noisy, 0.1: best}) == 0.1
