"""Learning rates by stage and step, and the state of an optimizer in a stream."""

import pytest
import torch
from torch import nn

from evergrow.methods import FineTune
from evergrow.training import loop
from evergrow.training.optimizer import build_optimizer
from evergrow.training.settings import Training
from tests.methods.learners import attached, task


def some(n: int = 10):
    return task([[float(i), 0.0] for i in range(n)], [i % 3 for i in range(n)], 0, 3)


def test_the_backbone_may_learn_more_slowly():
    from evergrow.backbones import MLP
    from evergrow.nn.network import Inputs, Network

    form = {"kind": "table", "columns": 2, "names": []}
    net = Network(MLP(hidden=(4,)).build(form, torch.Generator()), Inputs("tensor"))
    net.head.grow(2, torch.Generator())
    made = build_optimizer(net, Training(lr=0.1, backbone_lr=0.01))
    assert [group["lr"] for group in made.param_groups] == [0.1, pytest.approx(0.001)]
    assert isinstance(build_optimizer(net, Training(optimizer="adamw")), torch.optim.AdamW)


def test_each_stage_of_the_backbone_learns_at_a_share_of_the_one_above():
    from evergrow.backbones import MLP
    from evergrow.nn.network import Inputs, Network

    form = {"kind": "table", "columns": 2, "names": []}
    body = MLP(hidden=(3, 4, 5)).build(form, torch.Generator())
    net = Network(body, Inputs("tensor"))
    net.head.grow(2, torch.Generator())
    made = build_optimizer(net, Training(lr=0.1, backbone_lr=0.4, layer_decay=0.5))
    rates = {p.shape[0]: group["lr"] for group in made.param_groups for p in group["params"]}
    assert rates == pytest.approx({3: 0.01, 4: 0.02, 5: 0.04, 2: 0.1})


def test_a_task_begins_with_a_fresh_optimizer_and_a_stream_goes_on():
    for boundary, fresh in (("task", True), ("new classes", False)):
        method = attached(FineTune(), boundary=boundary)
        loop.train(method, some())
        next(method.batches(some()))
        assert (len(method.optimizer.state) == 0) is fresh


def test_momentum_of_a_stream_grows_with_the_head():
    method = attached(FineTune(), boundary="new classes", classes=2)
    loop.train(method, task([[1.0, 0.0]], [0], 0, 2))
    before = method.moments["head.weight"]["momentum_buffer"].clone()
    method.grow(2, 3)
    next(method.batches(task([[1.0, 0.0]], [2], 2, 3)))
    now = method.optimizer.state[method.net.head.weight]["momentum_buffer"]
    assert torch.equal(now[:2], before) and torch.equal(now[2], torch.zeros(2))


def test_chosen_parameters_of_the_backbone_learn_at_its_rate_and_frozen_ones_do_not():
    net = nn.Module()
    net.head, net.backbone = nn.Linear(1, 1, bias=False), nn.Linear(1, 1)
    net.backbone.bias.requires_grad_(False)
    other = torch.zeros(1, requires_grad=True)
    chosen = [other, *net.backbone.parameters()]
    optimizer = build_optimizer(net, Training(lr=0.1, backbone_lr=0.1), chosen)
    groups = [([id(p) for p in g["params"]], g["lr"]) for g in optimizer.param_groups]
    slower = pytest.approx(0.01)
    assert groups == [([id(other)], 0.1), ([id(net.backbone.weight)], slower)]
