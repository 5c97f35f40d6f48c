"""No backbone: inputs are features. For embeddings computed elsewhere, or the plainest baseline."""

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..nn.network import Body
from .base import Backbone


class Flatten(Body):
    """(n, ...) -> (n, product of the rest)."""

    trains, block_rows = False, 0

    def __init__(self, width: int, scale: float | None):
        super().__init__()
        self.width, self.scale = width, scale

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1).float()


def shape_of(prepared: dict[str, Any]) -> tuple[int, ...]:
    """Shape of one canonical input."""
    if prepared["kind"] == "image":
        return prepared["channels"], prepared["height"], prepared["width"]
    return (prepared["columns"],) if prepared["kind"] == "table" else tuple(prepared["shape"])


@dataclass
class Nothing(Backbone):
    """Pixels, columns or embeddings as they are; table columns standardised by the first task.

    >>> from evergrow.data.read import Seen
    >>> form = Nothing().prepare(Seen("table", shape=(3,)))
    >>> Nothing().build(form, torch.Generator()).width
    3
    """

    reads: ClassVar[tuple[str, ...]] = ("image", "table", "tensor")

    def build(self, prepared: dict[str, Any], rng: torch.Generator) -> Body:
        # Pixels lie in 0..1, standardised columns mostly within 4.
        scales = {"image": 127.0, "table": 127 / 4}
        return Flatten(prod(shape_of(prepared)), scales.get(prepared["kind"]))
