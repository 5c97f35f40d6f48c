"""The loop: one step a loss, each example once an epoch, an optimizer that lives as it should."""

import pytest
import torch

from evergrow.errors import SettingError
from evergrow.methods import FineTune
from evergrow.training import loop
from evergrow.training.random_generators import Generators
from evergrow.training.replay_buffer import Archive
from evergrow.training.settings import Training
from tests.methods.learners import attached, task


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


def norms(net) -> list[torch.nn.BatchNorm2d]:
    return [m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)]


def test_batch_norm_may_rest_while_weights_learn():
    from evergrow.backbones import ConvNet
    from evergrow.nn.network import Inputs, Network

    form = {"kind": "image", "channels": 1, "height": 8, "width": 8}
    net = Network(ConvNet().build(form, torch.Generator()), Inputs("image"))
    net.train()
    before = [m.running_mean.clone() for m in norms(net)]
    assert before
    net.rest_norms()
    net.features(torch.rand(4, 1, 8, 8)).sum().backward()
    assert all(torch.equal(m.running_mean, was) for m, was in zip(norms(net), before, strict=True))
    assert all(p.grad is not None for m in norms(net) for p in m.parameters())


def grown_mlp(method, **how):
    """Attached to an MLP of three stages, with three classes."""
    from evergrow.backbones import MLP
    from evergrow.nn.network import Inputs, Network

    form = {"kind": "table", "columns": 2, "names": []}
    body = MLP(hidden=(3, 4, 5)).build(form, torch.Generator().manual_seed(1))
    net = Network(body, Inputs("tensor"))
    net.head.grow(3, torch.Generator().manual_seed(2))
    method.attach(net, Training(**{"epochs": 1, "batch_size": 5, "lr": 0.1, **how}), Generators(0))
    return method


def moving(method, chunk) -> list[str]:
    """Shapes of the weight matrices that each step moved, the head's first class count last."""
    moved, before = [], None
    for terms in method.learn(chunk):
        before = [p.detach().clone() for p in method.net.parameters()]
        loop.step(method, terms)
        pairs = zip(before, method.net.parameters(), strict=True)
        moved.append([len(p) for was, p in pairs if p.dim() > 1 and not torch.equal(was, p)])
    return moved


def test_one_more_stage_learns_after_so_many_epochs_from_the_head_down():
    method = grown_mlp(FineTune(), epochs=8, batch_size=10, unfreeze=2, weight_decay=0.1)
    head, top, middle, whole = [3], [5, 3], [4, 5, 3], [3, 4, 5, 3]
    assert moving(method, some()) == [head, head, top, top, middle, middle, whole, whole]
    assert all(p.requires_grad for p in method.net.parameters())  # as it was before
    assert moving(method, some())[:3] == [head, head, top]  # in each task anew


def test_stages_that_join_keep_to_freeze_rates_and_schedule():
    how = {"freeze": "layers.0", "backbone_lr": 0.5, "layer_decay": 0.5, "schedule": "linear"}
    method = grown_mlp(FineTune(), epochs=4, batch_size=10, unfreeze=1, optimizer="adamw", **how)
    assert moving(method, some()) == [[3], [5, 3], [4, 5, 3], [4, 5, 3]]
    rates = {len(p): g["lr"] for g in method.optimizer.param_groups for p in g["params"]}
    assert rates == pytest.approx({3: 0.025, 5: 0.0125, 4: 0.00625})  # the last quarter


def test_frozen_norms_rest_in_every_stage():
    from evergrow.backbones import ConvNet
    from evergrow.nn.network import Inputs, Network

    form = {"kind": "image", "channels": 1, "height": 8, "width": 8}
    net = Network(ConvNet(base=2).build(form, torch.Generator()), Inputs("image"))
    net.head.grow(2, torch.Generator())
    method = FineTune()
    how = Training(epochs=5, batch_size=4, lr=0.1, unfreeze=1, freeze_norms=True)
    method.attach(net, how, Generators(0))
    before = [m.running_mean.clone() for m in norms(net)]
    chunk = task([[[[float(i + j) for i in range(8)]] * 8] for j in range(4)], [0, 1, 0, 1], 0, 2)
    loop.train(method, chunk)
    assert all(torch.equal(m.running_mean, b) for m, b in zip(norms(net), before, strict=True))
    method.how = Training(epochs=2, batch_size=4, lr=0.1, unfreeze=1)
    loop.train(method, chunk)
    changed = [not torch.equal(m.running_mean, b) for m, b in zip(norms(net), before, strict=True)]
    assert changed == [False, False, True]  # two epochs: the head, then the last stage too


@pytest.mark.parametrize("name", ["ewc", "si", "mas", "a-gem", "mir", "scr", "memo", "foster"])
def test_methods_that_look_at_weights_learn_on_while_stages_join(name):
    from evergrow import methods

    method = grown_mlp(methods.get(name), epochs=3, unfreeze=1)
    for k in range(2):
        loop.train(method, task([[float(i), 1.0] for i in range(12)], [k, k + 1] * 6, k, 3, k))
    assert all(p.isfinite().all() for p in method.net.parameters())


def test_weights_that_rest_have_no_importance_for_synaptic_intelligence():
    from evergrow.methods import SI

    method = grown_mlp(SI(), epochs=2, unfreeze=1)
    for k in range(2):  # stale gradients and springs are there the second time
        loop.train(method, task([[float(i), 1.0] for i in range(12)], [k, k + 1] * 6, 0, 3, k))
    importance = method.springs.importance
    resting = [name for name, v in importance.items() if not v.any()]
    assert resting == [f"backbone.layers.{i}.{part}" for i in (0, 2) for part in ("weight", "bias")]


def test_yielding_without_batches_is_explained():
    class Hasty(FineTune):
        def learn(self, task):
            yield {"new": self.net.head.weight.sum()}

    with pytest.raises(SettingError, match=r"self\.batches"):
        loop.train(attached(Hasty()), some())


def test_nothing_to_learn_is_explained():
    class Idle(FineTune):
        def learn(self, task):
            for _ in self.batches(task):
                yield {"new": torch.zeros(())}

    with pytest.raises(SettingError, match="nothing can learn"):
        loop.train(attached(Idle()), some())
