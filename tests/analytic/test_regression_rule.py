"""Reading discriminants out by regression: a case by hand, and what noise takes away."""

import pytest
import torch

from evergrow.analytic.leave_one_out import JudgedRows
from evergrow.analytic.regression_rule import fits, mixing

CORNERS = 6 * torch.eye(3) - 2  # Gram matrix of three means at the corners of a triangle, tr = 12


def held(n=(20.0, 20.0, 20.0), judged=2):
    y = torch.arange(len(n)).repeat_interleave(judged)
    return JudgedRows(y, torch.arange(len(y)) % judged, torch.tensor(n), 57.0)


def scattered(size):
    """z of two rows a class, at G e_c and as far on one side of it as on the other."""
    side = torch.tensor([1.0, -1.0, 0.0]) * size**0.5
    return torch.stack([CORNERS[c] + sign * side for c in range(3) for sign in (1, -1)])


def test_the_mixing_of_three_equal_classes_agrees_with_a_case_worked_by_hand():
    # |off|^2 = 2 * 6 = 12 = tr(G): s = 1. G / 3 is 2 in each direction: 1 / (1 + 2) of the centring
    found = mixing(CORNERS, torch.zeros(3), scattered(6.0), held())
    assert torch.allclose(found, (torch.eye(3) - 1 / 3) / 3, atol=1e-6)


def test_the_noise_of_means_is_no_part_of_where_classes_lie():
    # 3 more on the diagonal, all noise: G is as before; s = 12 / 18, for the trace grew by 6
    found = mixing(CORNERS + 3 * torch.eye(3), torch.full((3,), 3.0), scattered(6.0), held())
    assert torch.allclose(found, (torch.eye(3) - 1 / 3) / (2 / 3 + 2), atol=1e-6)


def test_wide_scatter_leaves_the_discriminants_as_they_are_but_for_a_factor():
    found = mixing(CORNERS, torch.zeros(3), scattered(6e6), held())
    uneven = mixing(
        torch.diag(torch.tensor([9.0, 1.0, 4.0])), torch.zeros(3), scattered(6e6), held()
    )
    assert torch.allclose(uneven / uneven[0, 0], found / found[0, 0], atol=1e-4)


@pytest.mark.parametrize(
    ("n", "judged", "fit"),
    [
        ((5.0, 5.0, 5.0), 1, True),
        ((5.0, 4.0, 5.0), 1, False),
        ((5.0, 5.0), 1, False),
        ((5.0, 5.0, 5.0), 0, False),
    ],
)
def test_it_takes_three_classes_of_five_rows_each_some_of_them_judged(n, judged, fit):
    assert fits(held(n, judged)) == fit
