"""A head that grows never moves a row."""

import torch

from evergrow.nn.head import LinearHead


def test_growing_never_moves_a_row():
    head = LinearHead(3)
    head.grow(2, torch.Generator().manual_seed(0))
    before = head.weight.detach().clone(), head.bias.detach().clone()
    head.grow(5, torch.Generator().manual_seed(1))
    assert torch.equal(head.weight[:2], before[0]) and torch.equal(head.bias[:2], before[1])
    assert head(torch.zeros(4, 3)).shape == (4, 5)
