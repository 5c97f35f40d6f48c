"""EWC: the Fisher, the springs and their sum, each against numbers worked out by hand."""

from dataclasses import replace

import pytest
import torch

from evergrow import GrowingClassifier
from evergrow.checks import blobs, net
from evergrow.methods import EWC
from evergrow.training import loop
from tests.methods.learners import attached, task


def learnt(method: EWC) -> EWC:
    """One sample (2, 0) a class, classes 0 and 1; the springs are made, the weights stay at 0."""
    method.how = replace(method.how, batch_size=2, lr=1e-12)
    loop.train(method, task([[2.0, 0.0], [2.0, 0.0]], [0, 1], 0, 2))
    return method


def test_the_fisher_is_the_mean_squared_gradient_of_the_models_own_answers():
    method = learnt(attached(EWC(), classes=2))
    # answers are (1/2, 1/2): whatever label is drawn, d log p / d logits is (+-1/2, -+1/2)
    fisher = method.springs.importance
    torch.testing.assert_close(fisher["head.weight"], torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
    torch.testing.assert_close(fisher["head.bias"], torch.tensor([0.25, 0.25]))


def test_labels_come_from_the_model_not_from_the_data():
    method = attached(EWC(), classes=2)
    with torch.no_grad():
        method.net.head.bias[1] = 40.0  # sure of class 1: its own answers have gradient 0
    loop.train(method, task([[0.0, 0.0]] * 2, [1, 0], 0, 2))
    assert method.springs.importance["head.bias"].max() < 1e-6


def test_a_moved_weight_is_pulled_by_half_of_strength_times_fisher_times_square():
    method = learnt(attached(EWC(strength=6.0), classes=2))
    with torch.no_grad():
        method.net.head.weight[0, 0] += 3.0
    method.how = replace(method.how, lr=0.1)
    method.grow(2, 3)  # the new row has no springs
    terms = next(method.learn(task([[0.0, 1.0]], [2], 2, 3, 1)))
    torch.testing.assert_close(terms["keep"].detach(), torch.tensor(6.0 / 2 * 1.0 * 9))


@pytest.mark.parametrize("separate, force", [(False, 2 * 3.5 * -2), (True, 2 * (1 * 2 + 3 * -2))])
def test_two_tasks_pull_online_to_the_latest_weights_and_separately_each_to_its_own(
    separate, force
):
    """Fisher 1 at anchor 0, then 3 (online: 1 * decay 0.5 + 3) at anchor 4; the weight is at 2."""
    method = attached(EWC(separate=separate, decay=0.5), classes=2)
    w = {"w": torch.zeros(1)}
    decay = 1.0 if separate else method.decay
    for at, fisher in ((0.0, 1.0), (4.0, 3.0)):
        w["w"].fill_(at)
        method.springs.hold(w, {"w": torch.full((1,), fisher)}, decay, separate)
    w["w"].fill_(2.0)
    weights, anchors, importances = method.springs.held(w, 1.0, lr=0.01)
    found = 2 * importances[0] * (weights[0] - anchors[0])
    assert found.item() == pytest.approx(force)


def test_the_first_task_has_no_springs_and_a_stream_makes_them_when_classes_come():
    method = attached(EWC(), classes=2)
    chunk = task([[2.0, 0.0]], [0], 0, 2)
    assert list(next(method.learn(chunk))) == ["new"]
    loop.train(method, replace(chunk, old=2, boundary=False))
    assert not method.springs


def test_any_strength_can_be_asked_for():
    X, y = blobs()
    model = GrowingClassifier(net, EWC(strength=1e12), epochs=3, lr=0.05)
    for labels in ("ca", "de"):
        rows = [label in labels for label in y]
        model.partial_fit(X[rows], y[rows])
    assert torch.isfinite(model.net_.head.weight).all()


def test_frozen_weights_have_no_springs():
    X, y = blobs()
    model = GrowingClassifier(net, "ewc", epochs=1, freeze=True).partial_fit(X, y)
    assert list(model.learner_.springs.importance) == ["head.weight", "head.bias"]
