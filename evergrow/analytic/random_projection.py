"""A random layer: integer features in fixed random combinations, each made an integer again."""

import copy
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from ..errors import SettingError
from .integer_math import mix, product

_LARGEST = 6.0  # where the activation of a row ends, in root mean squares of the first rows
_COLUMNS = 512  # of the matrix made at once


class Projection:
    """(n, width) int8 rows -> (n, size) int8: an activation of fixed random combinations.

    The weights are near Gaussian integers, hashes of (seed, place): the same on every machine and
    never stored. The combinations are exact; their root mean square over the first rows, `unit`, is
    fixed once and is all that is remembered. A row's result does not depend on its batch.

    >>> layer = Projection(width=2, size=3, seed=0)
    >>> rows = torch.tensor([[100, -20]], dtype=torch.int8)
    >>> layer.fix(rows)
    >>> layer(rows).dtype, layer(rows).shape, bool((layer(rows) >= 0).all())
    (torch.int8, torch.Size([1, 3]), True)
    """

    def __init__(self, width: int, size: int, seed: int):
        if size < 1:
            raise SettingError(f"size={size}: random features, at least 1.")
        self.width, self.size, self.seed = width, size, seed
        self.unit = 0.0

    def fork(self) -> "Projection":
        """The same, to go on from: a unit that one fixes is not fixed in the other."""
        return copy.copy(self)

    def fix(self, q: Tensor) -> None:
        """Fix the unit from the first rows, once.  q: (n, width) int8."""
        if not self.unit and len(q):
            squares = self.combined(q[:1024]).double().square().mean()
            self.unit = float(squares.sqrt()) or 1.0

    def combined(self, q: Tensor) -> Tensor:
        """(n, size) int32: exact products of rows and weights."""
        weights = _weights(self.width, self.size, self.seed).to(q.device)
        return product(q, weights)

    def __call__(self, q: Tensor, activation: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """(n, size) int8. activation: of combinations in units; None is ReLU.

        Values up to 6 units are told apart; those of other activations lie in [-1, 1].
        """
        values = self.combined(q).double() / (self.unit or 1.0)
        if activation is None:
            return (values.clamp_(0, _LARGEST) * (127 / _LARGEST)).round_().to(torch.int8)
        return (activation(values).clamp_(-1, 1) * 127).round_().to(torch.int8)

    def state(self) -> dict[str, Any]:
        return {"unit": self.unit, "size": self.size, "seed": self.seed}

    def fill(self, state: dict[str, Any]) -> None:
        """Take over the unit.  Raises SettingError if the state is of another random layer."""
        if (state["size"], state["seed"]) != (self.size, self.seed):
            raise SettingError(
                f"size={self.size}, seed={self.seed}: this model's sums are of {state['size']} "
                f"random features of seed {state['seed']}; neither can change."
            )
        self.unit = state["unit"]


@lru_cache(maxsize=4)
def _weights(width: int, size: int, seed: int) -> Tensor:
    """(width, size) int8: each the sum of four even draws from -31.5..31.5."""
    start = torch.arange(width)[:, None] * size + (mix(torch.tensor(seed)) >> 1)
    parts = []
    for i in range(0, size, _COLUMNS):
        drawn = mix(start + torch.arange(i, min(size, i + _COLUMNS)))
        draws = torch.stack([(drawn >> shift) & 63 for shift in (0, 16, 32, 48)])
        parts.append((draws.sum(0) - 126).to(torch.int8))
    return torch.cat(parts, 1)
