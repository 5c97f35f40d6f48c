"""DGR: who draws, who labels, how old and new are weighed; worked out by hand."""

import pytest
import torch

from evergrow.errors import SettingError
from evergrow.methods import DGR
from evergrow.nn.vae import VAE
from tests.methods.learners import attached, task


def drawing(method, x):
    """A generator that draws `x` whatever the code is; one task has been learnt."""
    model = VAE(2, method.hidden, method.latent, floor=0.5)
    weights = {k: torch.zeros_like(v) for k, v in model.state_dict().items()}
    method.generator = weights | {"centre": torch.tensor(x), "variance": torch.tensor(1.0)}
    method.tasks, method.low, method.high = 1, -9.0, 9.0
    return method


def last(method, given):
    """The terms of the first step of the network, after the generator's."""
    return next(t for t in method.learn(given) if "new" in t)


NEW = task([[0.0, 1.0]], [2], old=2, total=3)


def test_the_old_network_says_what_is_drawn_and_shares_weigh_both():
    method = drawing(attached(DGR(replay=2, temperature=1.0, epochs=1)), [3.0, 0.0])
    with torch.no_grad():
        method.net.head.weight[0, 0] = 1.0  # logits of the drawn (3, 0) are (3, 0, 0)
    terms = last(method, NEW)
    e3 = torch.tensor(3.0).exp()
    old, now = torch.stack([e3, e3 / e3]) / (e3 + 1), torch.stack([e3, e3 / e3]) / (e3 + 2)
    torch.testing.assert_close(terms["replay"].detach(), -0.5 * (old * now.log()).sum())
    torch.testing.assert_close(terms["new"].detach(), 0.5 * torch.tensor(3.0).log())


def test_hard_labels_are_the_old_networks_best():
    method = drawing(attached(DGR(temperature=0.0, epochs=1)), [3.0, 0.0])
    with torch.no_grad():
        method.net.head.weight[1, 0] = 1.0
    e3 = torch.tensor(3.0).exp()
    expected = -0.5 * (e3 / (e3 + 2)).log()
    torch.testing.assert_close(last(method, NEW)["replay"].detach(), expected)


def test_the_generator_learns_what_its_predecessor_draws_by_the_share_of_tasks():
    method = drawing(attached(DGR(replay=1, epochs=1, hidden=3, latent=2)), [3.0, 0.0])
    method.tasks = 3  # this is the fourth
    given, noise = torch.tensor([[0.0, 1.0]]), torch.zeros(1, 2)
    twin = VAE(2, 3, 2, floor=0.5)
    twin.load_state_dict(method.generator)
    new = twin.loss(given, noise)
    old = twin.loss(torch.tensor([[3.0, 0.0]]), noise)
    terms = next(method.learn(NEW))
    torch.testing.assert_close(terms["generator"], 0.25 * new)
    torch.testing.assert_close(terms["generator of old"], 0.75 * old)


def test_the_first_task_replays_nothing_and_leaves_a_generator():
    method = attached(DGR(epochs=1))
    names = [list(terms) for terms in method.learn(task([[0.0, 1.0]], [0], 0, 1))]
    assert names == [["generator"], ["new"]]
    assert method.generator and method.tasks == 1
    assert (method.low, method.high) == (0.0, 1.0)


def test_what_is_drawn_stays_in_the_range_seen():
    method, seen = drawing(attached(DGR(replay=4)), [3.0, -3.0]), []
    method.low, method.high = 0.0, 1.0
    method.net.backbone.register_forward_pre_hook(lambda _, given: seen.append(given[0].tolist()))
    last(method, NEW)
    assert seen[:2] == [[[0.0, 1.0]], [[1.0, 0.0]] * 4]  # the batch, and what is drawn


@pytest.mark.parametrize("wrong", [{"replay": 0}, {"temperature": -1.0}, {"lr": 0.0}])
def test_settings_out_of_range_are_refused(wrong):
    name, value = next(iter(wrong.items()))
    with pytest.raises(SettingError, match=f"'{name}': {value}"):
        DGR(**wrong)
