"""The penalty of a solution: from a short fixed grid, by losses that add up over judged rows."""

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

from torch import Tensor

from ..errors import DataError

# In units of the mean variance of a feature.
GRID = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0, 10.0)
_START = 0.1  # where the search starts, and ends downwards if features outnumber rows
_WHOLE_WIDTH = 128  # up to so many features the whole grid is tried

Fit = TypeVar("Fit")
Attempt = Callable[[float], tuple[Tensor, Fit] | None]


def choose_penalty(attempt: Attempt[Fit], width: int, scarce: bool) -> tuple[float, Fit]:
    """A penalty of the grid, and what was found with it.

    attempt: penalty -> (losses (m,), found), None where rounding forbids it. scarce: fewer rows
    than features; small penalties are then not tried. Without losses the start is kept.
    Raises DataError where no penalty can be computed.
    """
    tried: dict[float, tuple[Tensor, Fit]] = {}

    def loss(value: float) -> float:
        if value not in tried and (fit := attempt(value)) is not None:
            tried[value] = fit
        return float(tried[value][0].sum()) if value in tried else math.inf

    _search(loss, GRID[GRID.index(_START) if scarce else 0 :], width <= _WHOLE_WIDTH)
    if not tried:
        raise DataError(
            "Expected sums of rows, got sums that no rows can have; "
            "were rows subtracted that had not been learnt?"
        )
    value = least({value: losses for value, (losses, _) in tried.items()})
    return value, tried[value][1]


def at_least(attempt: Attempt[Fit], penalty: float) -> tuple[float, Fit]:
    """What is found with the penalty asked for, or tenfold until rounding lets it be computed."""
    for i in range(12):
        solved = attempt(penalty * 10**i)
        if solved is not None:
            return penalty * 10**i, solved[1]
    raise DataError(
        f"With penalty {penalty} nothing can be solved: expected sums of rows, got sums that no "
        "rows can have; were rows subtracted that had not been learnt?"
    )


def _search(loss: Callable[[float], float], grid: Sequence[float], whole: bool) -> None:
    """Try every penalty if asked to; else go by twos while the loss falls, then one step."""

    def at(i: int) -> float:
        return loss(grid[i]) if 0 <= i < len(grid) else math.inf

    best = grid.index(_START)
    at(best)
    for i in range(len(grid)) if whole else ():
        at(i)
    for step in (-2, 2):
        while at(best + step) < at(best):
            best += step
    at(best - 1 if at(best - 2) < at(best + 2) else best + 1)


def least(tried: dict[float, Tensor]) -> float:
    """The smallest penalty whose loss is within half a standard error of the least.

    The error is of the difference, paired by rows: a few rows cannot tell neighbours apart, and
    the many in the sums need little penalty. After the rule of Breiman, Friedman, Olshen and Stone
    1984, Classification and Regression Trees, 3.4.3; half an error is ours. One loss: the least.

    >>> import torch
    >>> losses = {0.1: torch.tensor([0.2, 0.3]), 1.0: torch.tensor([0.3, 0.19])}
    >>> least(losses), min(losses, key=lambda value: float(losses[value].sum()))
    (0.1, 1.0)
    """
    if _START in tried and bool(tried[_START].sum().isnan()):
        return _START
    best = min(tried, key=lambda value: (float(tried[value].sum()), value))

    def near(value: float) -> bool:
        gap = tried[value] - tried[best]
        return float(gap.sum()) <= 0.5 * float((gap - gap.mean()).square().sum().sqrt())

    if len(tried[best]) < 2:
        return best if len(tried[best]) or _START not in tried else _START
    return min(value for value in tried if value == best or near(value))
