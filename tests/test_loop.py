"""The loop: one step a loss, each example once an epoch, an optimizer that lives as it should."""

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from evergrow import loop
from evergrow.errors import SettingError
from evergrow.loop import Training
from evergrow.memory import Archive
from evergrow.methods import FineTune
from evergrow.randomness import Generators

sys.path.append(str(Path(__file__).parent / "methods"))
from learners import attached, task  # noqa: E402


def some(n: int = 10):
    return task([[float(i), 0.0] for i in range(n)], [i % 3 for i in range(n)], 0, 3)


def test_every_example_comes_once_an_epoch_in_another_order():
    method = attached(FineTune(), epochs=2, batch_size=4)
    seen = [b.raw[:, 0].tolist() for b in method.batches(some())]
    assert [len(b) for b in seen] == [4, 4, 2, 4, 4, 2]
    first, second = sum(seen[:3], []), sum(seen[3:], [])
    assert sorted(first) == sorted(second) == list(range(10)) and first != second


def test_a_memory_is_mixed_in():
    method = attached(FineTune(), batch_size=3)
    kept = Archive(Generators(0))
    kept.extend(torch.full((4, 2), 99.0), torch.tensor([0, 1, 2, 0]))
    batches = list(method.batches(some(5), mix=kept))
    assert sum(len(b.y) for b in batches) == 9
    rows = {(b.raw[i, 0].item(), b.y[i].item()) for b in batches for i in range(len(b.y))}
    assert {(99.0, 0), (99.0, 1), (99.0, 2), (4.0, 1)} <= rows


def test_the_backbone_may_learn_more_slowly():
    from evergrow.backbones import MLP
    from evergrow.network import Inputs, Network

    form = {"kind": "table", "columns": 2, "names": []}
    net = Network(MLP(hidden=(4,)).build(form, torch.Generator()), Inputs("tensor"))
    net.head.grow(2, torch.Generator())
    made = loop.optimizer(net, Training(lr=0.1, backbone_lr=0.01))
    assert [group["lr"] for group in made.param_groups] == [0.1, pytest.approx(0.001)]
    assert isinstance(loop.optimizer(net, Training(optimizer="adamw")), torch.optim.AdamW)


def test_each_stage_of_the_backbone_learns_at_a_share_of_the_one_above():
    from evergrow.backbones import MLP
    from evergrow.network import Inputs, Network

    form = {"kind": "table", "columns": 2, "names": []}
    body = MLP(hidden=(3, 4, 5)).build(form, torch.Generator())
    net = Network(body, Inputs("tensor"))
    net.head.grow(2, torch.Generator())
    made = loop.optimizer(net, Training(lr=0.1, backbone_lr=0.4, layer_decay=0.5))
    rates = {p.shape[0]: group["lr"] for group in made.param_groups for p in group["params"]}
    assert rates == pytest.approx({3: 0.01, 4: 0.02, 5: 0.04, 2: 0.1})


def test_learning_rates_rise_over_the_warm_up_and_fall_after_it():
    settings = {"lr": 0.8, "batch_size": 1, "epochs": 1, "warmup": 0.4, "schedule": "linear"}
    method = attached(FineTune(), **settings)
    rates = [method.optimizer.param_groups[0]["lr"] for _ in method.batches(some())]
    rise, fall = [0.2, 0.4, 0.6, 0.8], [0.8 * (1 - k / 6) for k in range(6)]
    assert rates == pytest.approx(rise + fall)


def test_batch_norm_may_rest_while_weights_learn():
    from evergrow.backbones import ConvNet
    from evergrow.network import Inputs, Network

    form = {"kind": "image", "channels": 1, "height": 8, "width": 8}
    net = Network(ConvNet().build(form, torch.Generator()), Inputs("image"))
    net.train()
    before = [m.running_mean.clone() for m in net._norms]
    assert before
    net.rest_norms()
    net.features(torch.rand(4, 1, 8, 8)).sum().backward()
    assert all(torch.equal(m.running_mean, was) for m, was in zip(net._norms, before, strict=True))
    assert all(p.grad is not None for m in net._norms for p in m.parameters())


@pytest.mark.parametrize(
    "wrong",
    [
        {"layer_decay": 0},
        {"warmup": 1.0},
        {"epochs": 0},
        {"lr": 0},
        {"backbone_lr": 0},
        {"backbone_lr": 20},
        {"optimizer": "adam"},
        {"momentum": 1.0},
        {"boundary": "x"},
    ],
)
def test_wrong_settings_are_refused_with_their_value(wrong):
    with pytest.raises(SettingError, match=str(next(iter(wrong.values())))):
        Training(**wrong)


def test_a_task_begins_with_a_fresh_optimizer_and_a_stream_goes_on():
    for boundary, fresh in (("task", True), ("new classes", False)):
        method = attached(FineTune(), boundary=boundary)
        loop.run(method, some())
        next(method.batches(some()))
        assert (len(method.optimizer.state) == 0) is fresh


def test_momentum_of_a_stream_grows_with_the_head():
    method = attached(FineTune(), boundary="new classes", classes=2)
    loop.run(method, task([[1.0, 0.0]], [0], 0, 2))
    before = method.moments["head.weight"]["momentum_buffer"].clone()
    method.grow(2, 3)
    next(method.batches(task([[1.0, 0.0]], [2], 2, 3)))
    now = method.optimizer.state[method.net.head.weight]["momentum_buffer"]
    assert torch.equal(now[:2], before) and torch.equal(now[2], torch.zeros(2))


def test_yielding_without_batches_is_explained():
    class Hasty(FineTune):
        def learn(self, task):
            yield {"new": self.net.head.weight.sum()}

    with pytest.raises(SettingError, match=r"self\.batches"):
        loop.run(attached(Hasty()), some())


def test_nothing_to_learn_is_explained():
    class Idle(FineTune):
        def learn(self, task):
            for _ in self.batches(task):
                yield {"new": torch.zeros(())}

    with pytest.raises(SettingError, match="nothing can learn"):
        loop.run(attached(Idle()), some())


def test_chosen_parameters_of_the_backbone_learn_at_its_rate_and_frozen_ones_do_not():
    net = nn.Module()
    net.head, net.backbone = nn.Linear(1, 1, bias=False), nn.Linear(1, 1)
    net.backbone.bias.requires_grad_(False)
    other = torch.zeros(1, requires_grad=True)
    chosen = [other, *net.backbone.parameters()]
    optimizer = loop.optimizer(net, loop.Training(lr=0.1, backbone_lr=0.1), chosen)
    groups = [([id(p) for p in g["params"]], g["lr"]) for g in optimizer.param_groups]
    slower = pytest.approx(0.01)
    assert groups == [([id(other)], 0.1), ([id(net.backbone.weight)], slower)]


@pytest.mark.parametrize(
    "schedule, shares",
    [
        ("constant", [1, 1, 1, 1]),
        ("linear", [1, 0.75, 0.5, 0.25]),
        ("cosine", [1, 0.853553, 0.5, 0.146447]),
        ("cooldown", [1, 1, 1, 0.5]),
    ],
)
def test_learning_rates_fall_as_scheduled(schedule, shares):
    method = attached(FineTune(), schedule=schedule, lr=0.2, backbone_lr=0.5)
    rates = []
    for _ in method.learn(task([[1.0, 0.0]] * 4, [0] * 4, old=0, total=3)):
        rates.append(method.optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.2 * share for share in shares], rel=1e-5)


def test_an_unknown_schedule_is_refused():
    with pytest.raises(SettingError, match="schedule='warm'.*cooldown"):
        Training(schedule="warm")
