"""Small learners whose every number can be worked out by hand."""

import torch
from torch import Tensor, nn

from evergrow.data.task import Task, Tensors
from evergrow.methods.base import Method
from evergrow.nn.network import Body, Inputs, Network
from evergrow.training.random_generators import Generators
from evergrow.training.settings import Training


class Plane(Body):
    """The identity on the plane."""

    width, trains, block_rows, scale = 2, False, 0, 1.0

    def forward(self, x: Tensor) -> Tensor:
        return x


def attached(method: Method, classes: int = 3, **how) -> Method:
    """On the plane, `classes` rows of a head whose weights are all zero: every logit is 0."""
    net = Network(Plane(), Inputs("tensor"))
    net.head.grow(classes, torch.Generator())
    nn.init.zeros_(net.head.weight)
    method.attach(net, Training(**{"epochs": 1, "batch_size": 1, "lr": 0.1, **how}), Generators(0))
    return method


def task(x, y, old: int, total: int, number: int = 0) -> Task:
    return Task(Tensors(torch.tensor(x, dtype=torch.float32)), torch.tensor(y), old, total, number)
