"""Random Fourier features: columns lifted so that a linear rule on them is a kernel method.

Rahimi and Recht 2007, "Random Features for Large-Scale Kernel Machines" (Gaussian kernel). Two
things bring the kernel nearer with as many features: cosine and sine of each frequency (Sutherland
and Schneider 2015, "On the Error of Random Fourier Features", arXiv:1506.02785) and frequencies
that are orthogonal in blocks (Yu et al. 2016, "Orthogonal Random Features", arXiv:1610.09072).
"""

from dataclasses import dataclass
from math import pi
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..errors import SettingError
from ..nn.network import Body
from .base import Backbone

_ORTHOGONAL = 1_024  # columns: of more, blocks would take long to make orthogonal


class Cosines(Body):
    """(n, d) standardised columns -> (n, width) values in [-1, 1], cos(x W + b).

    limit: values are brought within it; a column that has
    hardly varied in the first task would drown all others when it does.
    """

    trains, scale = False, 127.0
    frequencies: Tensor
    phases: Tensor

    def __init__(self, frequencies: Tensor, phases: Tensor, limit: float):
        super().__init__()
        self.width, self.limit = len(phases), limit
        self.register_buffer("frequencies", frequencies)
        self.register_buffer("phases", phases)

    def forward(self, x: Tensor) -> Tensor:
        inside = x.clamp(-self.limit, self.limit)
        return torch.addmm(self.phases, inside, self.frequencies).cos_()


@dataclass
class Fourier(Backbone):
    """width: how many features.  bandwidth: of the kernel, in sqrt(columns) standard deviations.

    limit: deviations from its mean beyond which a column's value counts as this.

    >>> from evergrow.data.read import Seen
    >>> lift = Fourier(width=500)
    >>> lift.build(lift.prepare(Seen("table", shape=(16,))), torch.Generator()).width
    500
    """

    reads: ClassVar[tuple[str, ...]] = ("table",)
    width: int = 4000
    bandwidth: float = 0.7
    limit: float = 8.0

    def __post_init__(self) -> None:
        if self.width < 1 or self.bandwidth <= 0 or self.limit <= 0:
            raise SettingError(
                f"width={self.width}, bandwidth={self.bandwidth}, limit={self.limit}: all "
                "must be positive."
            )

    def build(self, prepared: dict[str, Any], rng: torch.Generator) -> Body:
        spread = prepared.get("spread", prepared["columns"])
        bandwidth = self.bandwidth * max(spread, 1) ** 0.5
        drawn = directions(prepared["columns"], -(-self.width // 2), rng) / bandwidth
        phases = torch.zeros(self.width)
        phases[drawn.shape[1] :] = -pi / 2  # cosines, then sines
        return Cosines(torch.cat([drawn, drawn], 1)[:, : self.width], phases, self.limit)


def directions(columns: int, n: int, rng: torch.Generator) -> Tensor:
    """(columns, n) Gaussian vectors; each block of as many as there are columns is orthogonal.

    Source: Yu et al. 2016, arXiv:1610.09072: orthogonal rows times norms of Gaussian vectors.

    >>> w = directions(3, 5, torch.Generator().manual_seed(0))
    >>> w.shape, round(float(w[:, 0] @ w[:, 1]), 5) == 0
    (torch.Size([3, 5]), True)
    """
    if not 0 < columns <= _ORTHOGONAL:
        return torch.randn(columns, n, generator=rng)
    blocks = torch.randn(-(-n // columns), columns, columns, generator=rng)
    lengths: Tensor = torch.randn(columns, n, generator=rng).norm(dim=0)
    q: Tensor = torch.linalg.qr(blocks)[0]
    return q.transpose(0, 1).reshape(columns, -1)[:, :n] * lengths
