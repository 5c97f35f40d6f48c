"""iCaRL against numbers worked out by hand."""

from dataclasses import replace

import pytest
import torch

from evergrow.methods import ICaRL
from evergrow.training import loop
from tests.methods.learners import attached, task

FIRST = task([[3.0, 4.0], [5.0, 0.0], [0.0, 2.0]], [0, 0, 1], old=0, total=2)


def test_targets_are_labels_in_new_columns_and_old_outputs_in_old_ones():
    method = attached(ICaRL(memory=4))
    with torch.no_grad():
        method.net.head.bias[0] = torch.tensor(3.0).log()  # sigmoids of the old: 3/4 and 1/2
    steps = method.learn(task([[0.0, 1.0]], [2], old=2, total=3, number=1))
    loss = next(steps)["all"]
    q = torch.tensor([0.75, 0.5])
    entropy = -(q * q.log() + (1 - q) * (1 - q).log()).sum()
    torch.testing.assert_close(loss.detach(), (entropy + torch.tensor(2.0).log()) / 3)
    (gradient,) = torch.autograd.grad(loss, [method.net.head.bias])
    torch.testing.assert_close(gradient, torch.tensor([0.0, 0.0, -0.5 / 3]))


def test_an_old_class_that_returns_learns_from_its_labels():
    method = attached(ICaRL(memory=4), classes=2)
    steps = method.learn(task([[0.0, 1.0]], [0], old=2, total=2, number=1))
    (gradient,) = torch.autograd.grad(next(steps)["all"], [method.net.head.bias])
    torch.testing.assert_close(gradient, torch.tensor([-0.25, 0.0]))  # half of 0.5 - 1; as it was


def test_the_nearest_mean_of_unit_features_wins():
    method = attached(ICaRL(memory=4), classes=2)
    loop.train(method, FIRST)
    # class 0: the unit mean of (.6, .8) and (1, 0) is (2, 1) / sqrt 5; class 1: (0, 1)
    expected = torch.tensor([[2 / 5**0.5, 1 / 5**0.5], [0.0, 1.0]])
    torch.testing.assert_close(method.means, expected)
    scores = method.scores(torch.tensor([[0.0, 7.0]]))
    torch.testing.assert_close(scores, torch.tensor([[2 / 5**0.5 - 2, 0.0]]))


def test_exemplars_are_chosen_after_training_and_the_teacher_let_go():
    method = attached(ICaRL(memory=2), classes=2)
    sizes = [len(method.exemplars) for _ in method.learn(FIRST)]
    assert sizes == [0, 0, 0] and method.exemplars.y.tolist() == [0, 1]
    assert method.teacher is None


def test_exemplars_are_learnt_beside_new_data():
    for replay, lengths in ((0, [3, 3]), (2, [1 + 2, 1 + 2])):
        method = attached(ICaRL(memory=3, replay=replay), classes=2, batch_size=8)
        loop.train(method, FIRST)
        method.grow(2, 3)
        seen = []  # rows through the network, and through the old one
        method.net.register_forward_hook(lambda _, x, y, seen=seen: seen.append(len(x[0])))
        next(method.learn(task([[1.0, 1.0]], [2], old=2, total=3, number=1)))
        assert seen == lengths


def test_too_small_a_memory_is_refused_before_training():
    with pytest.raises(ValueError, match="memory=1 is less"):
        next(attached(ICaRL(memory=1)).learn(FIRST))


def test_a_class_without_exemplars_is_named():
    method = attached(ICaRL(memory=4), classes=2)
    loop.train(method, task([[1.0, 0.0]], [1], old=0, total=2))
    assert method.warnings()[0].startswith("1 of 2 classes have no sample")
    assert method.scores(torch.tensor([[1.0, 0.0]])).tolist() == [[-torch.inf, 0.0]]


def test_a_network_learnt_elsewhere_needs_samples_of_its_classes():
    with pytest.raises(ValueError, match="none of 2 of the classes"):
        next(attached(ICaRL()).learn(task([[1.0, 1.0]], [2], old=2, total=3)))


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="replay=-1"):
        ICaRL(replay=-1)


def test_in_a_stream_the_old_network_stays_and_knows_its_own_columns_alone():
    method = attached(ICaRL(memory=6), boundary="new classes")
    method.exemplars.remember(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 1]))
    loop.train(method, task([[1.0, 1.0]], [2], old=2, total=3))
    teacher = method.teacher
    assert teacher.n_classes == 2 and torch.equal(teacher.head.weight, torch.zeros(2, 2))
    later = replace(task([[1.0, 1.0]], [2], old=3, total=3, number=1), boundary=False)
    loop.train(method, later)
    assert method.teacher is teacher
