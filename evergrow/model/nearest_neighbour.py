"""How well the nearest neighbour tells classes apart: what a few samples of each can teach."""

import torch
from torch import Tensor

VALUES = 4096  # of a sample that are compared, at most


@torch.no_grad()
def recall(x: Tensor, y: Tensor, classes: Tensor) -> float | None:
    """Mean recall in [0, 1] of these classes, each sample answered by the nearest other one.

    x: (n, ...) samples of any kind of class; y: (n,) columns.  None without samples of `classes`.
    Source: Cover and Hart 1967, "Nearest neighbor pattern classification", leaving one out.

    >>> x, y = torch.tensor([[0.0], [0.1], [5.0], [5.1], [0.2]]), torch.tensor([0, 0, 1, 1, 2])
    >>> recall(x, y, torch.tensor([0, 1, 2]))
    0.6666666666666666
    """
    flat = x.flatten(1).float()
    flat = flat[:, :: -(-flat.shape[1] // VALUES)]
    apart = torch.cdist(flat, flat)
    apart.fill_diagonal_(torch.inf)
    right = y[apart.argmin(1)] == y
    recalls = [
        float(right[y == column].double().mean()) for column in classes if (y == column).any()
    ]
    return sum(recalls) / len(recalls) if recalls else None
