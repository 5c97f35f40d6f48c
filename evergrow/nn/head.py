"""A linear head that grows by rows, one a class, and the alignment of their norms."""

import torch
from torch import Tensor, nn


class LinearHead(nn.Module):
    """A linear layer whose rows are classes, in order of arrival; growing never moves a row.

    >>> head = LinearHead(4)
    >>> head.grow(2, torch.Generator().manual_seed(0)); first = head.weight.clone()
    >>> head.grow(3, torch.Generator().manual_seed(1)); torch.equal(head.weight[:2], first)
    True
    """

    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(0, width))
        self.bias = nn.Parameter(torch.empty(0))

    def grow(self, total: int, rng: torch.Generator) -> None:
        """Add random rows until there are `total`; rows already there keep their values."""
        old, width = self.weight.shape
        fresh = (torch.rand(total - old, width, generator=rng) * 2 - 1) / width**0.5
        self.extend(fresh, torch.zeros(total - old))

    def extend(self, weight: Tensor, bias: Tensor) -> None:
        """Append these rows: weight (m, width), bias (m,)."""
        self.weight = nn.Parameter(torch.cat([self.weight.data, weight.to(self.weight)]))
        self.bias = nn.Parameter(torch.cat([self.bias.data, bias.to(self.bias)]))

    def forget(self) -> None:
        """Lose every class; rows drawn by the next `grow` are fresh."""
        self.weight = nn.Parameter(self.weight.data[:0])
        self.bias = nn.Parameter(self.bias.data[:0])

    def forward(self, features: Tensor) -> Tensor:
        return nn.functional.linear(features, self.weight, self.bias)

    def cosines(self, features: Tensor) -> Tensor:
        """(n, classes) in [-1, 1], of each feature vector (n, width) with each row.

        Source: Gidaris and Komodakis 2018, "Dynamic Few-Shot Visual Learning without Forgetting",
        arXiv:1804.09458: rows of unit length, so that no class wins by the length of its row.
        """
        return nn.functional.normalize(features, dim=1) @ nn.functional.normalize(self.weight).T


@torch.no_grad()
def align(weights: list[Tensor], old: int) -> None:
    """Scale rows from `old` on, side by side over `weights`, to the mean norm of those before.

    Without rows before, or with new ones of zeros alone, nothing changes.

    Source: Zhao et al. 2020, "Maintaining Discrimination and Fairness in Class Incremental
    Learning", arXiv:1911.07053, weight aligning.

    >>> a, b = torch.tensor([[3.0], [6.0]]), torch.tensor([[4.0], [8.0]])
    >>> align([a, b], old=1)
    >>> a.tolist(), b.tolist()
    ([[3.0], [3.0]], [[4.0], [4.0]])
    """
    norms = torch.cat(weights, 1).norm(dim=1)
    if old and norms[old:].any():
        for weight in weights:
            weight[old:] *= norms[:old].mean() / norms[old:].mean()
