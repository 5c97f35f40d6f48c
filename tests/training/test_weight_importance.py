"""Penalties on weights: gradients of each sample are the same, whichever way they are taken."""

import pytest
import torch
from torch import nn

from evergrow.nn.network import Body, Inputs, Network
from evergrow.training.weight_importance import QuadraticPenalty, learning, mean_gradients


class Small(Body):
    """Layers of several kinds, one of them used twice, one working in place."""

    width, block_rows = 4, 0

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv1d(1, 2, 3), nn.BatchNorm1d(2)
        self.twice, self.once = nn.Linear(8, 8), nn.Linear(8, 4)

    def forward(self, x):
        x = self.norm(self.conv(x[:, None])).relu().flatten(1)
        return torch.relu_(self.once(self.twice(self.twice(x).relu())))


def network() -> Network:
    torch.manual_seed(0)
    net = Network(Small(), Inputs("tensor"))
    net.head.grow(3, torch.Generator().manual_seed(0))
    return net


@pytest.mark.parametrize("size", [torch.square, torch.abs])
@pytest.mark.parametrize("upto", [None, "once"])
def test_mean_gradients_are_those_of_one_sample_at_a_time(size, upto):
    net = network()
    weights = learning(net, upto)
    net.eval()
    x, y = torch.randn(5, 6), torch.randint(3, (5, 1))
    found = mean_gradients(
        net, weights, [(x[:3], y[:3]), (x[3:], y[3:])], nn.functional.cross_entropy, size
    )
    assert found.keys() == weights.keys()
    assert not any(sums.requires_grad for sums in found.values())
    assert ("backbone.conv.weight" in found) == (upto is None)
    expected = {name: torch.zeros_like(w) for name, w in weights.items()}
    for i in range(5):
        loss = nn.functional.cross_entropy(net(x[i : i + 1]), y[i])
        grads = torch.autograd.grad(loss, list(weights.values()))
        for name, g in zip(weights, grads, strict=True):
            expected[name] += size(g) / 5
    for name in weights:
        torch.testing.assert_close(found[name], expected[name], atol=1e-6, rtol=1e-4)


def test_the_pull_is_a_term_once_there_is_a_spring():
    springs, w = QuadraticPenalty(), torch.tensor([2.0, 0.0])
    logits, y, classes = torch.zeros(1, 3), torch.tensor([1]), torch.tensor([0, 1])
    held = springs.held({"w": w}, 0.5, 0.1)
    terms = springs.terms(logits, y, classes, held)
    assert list(terms) == ["new"] and terms["new"].exp().item() == pytest.approx(2.0)
    springs.hold({"w": w}, {"w": torch.tensor([4.0, 1.0])})
    moved = torch.tensor([3.0, 2.0])  # 0.5 * (4 * 1^2 + 1 * 2^2) = 4
    held = springs.held({"w": moved}, 0.5, 0.1)
    assert springs.terms(logits, y, classes, held)["keep"].item() == pytest.approx(4.0)
