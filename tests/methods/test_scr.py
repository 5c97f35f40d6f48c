"""SCR against numbers worked out by hand."""

import pytest
import torch

from evergrow.data.task import Batch
from evergrow.methods import SCR
from evergrow.training import loop
from evergrow.training.losses import supervised_contrastive
from tests.methods.learners import attached, task

PAST = torch.tensor([[1.0, 0.0]])


def plain(**settings):
    """Projects (a, b) to (max(a, 0), max(b, 0)) of unit length; its views are the inputs."""
    augment = settings.pop("augment", lambda x: x)
    method = attached(SCR(width=2, temperature=1.0, **settings), augment=augment)
    method.projection = [torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]) for _ in range(2)]
    return method


def test_views_of_a_class_attract_and_others_repel():
    method = plain(replay=1)
    method.past.add(Batch(PAST, torch.tensor([0]), PAST))
    terms = next(method.learn(task([[0.0, 3.0]], [2], old=1, total=3, number=1)))
    # four unit vectors, each one's partner at similarity 1 and two others at 0: log(1 + 2/e)
    expected = torch.tensor(1 + 2 / torch.e).log()
    torch.testing.assert_close(terms["contrast"].detach(), expected)


def test_one_view_is_the_sample_and_the_other_augmented():
    method, views = plain(augment=lambda x: x.flip(1)), []
    method.net.backbone.register_forward_pre_hook(lambda _, given: views.append(given[0].tolist()))
    terms = next(method.learn(task([[0.0, 3.0]], [0], old=0, total=3)))
    assert terms["contrast"].item() == 0.0  # one class, one partner: nothing to repel
    assert views == [[[0.0, 3.0]], [[3.0, 0.0]]]


def test_more_partners_are_averaged_outside_the_logarithm():
    x = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    loss = supervised_contrastive(x, torch.tensor([0, 0, 0]), 1.0)
    e = torch.e
    near, far = torch.tensor((e + 1) / e).log(), torch.tensor(e + 1).log()
    torch.testing.assert_close(loss, (2 * (near + far) / 2 + torch.tensor(2.0).log()) / 3)


def test_the_nearest_unit_mean_of_the_memory_wins():
    method = plain()
    loop.train(method, task([[3.0, 4.0], [5.0, 0.0], [0.0, 2.0]], [0, 0, 1], old=0, total=2))
    expected = torch.tensor([[2 / 5**0.5, 1 / 5**0.5], [0.0, 1.0]])
    torch.testing.assert_close(method.means[:2], expected)
    assert method.means[2].isnan().all()
    scores = method.scores(torch.tensor([[0.0, 7.0]]))
    torch.testing.assert_close(scores[0, 1], torch.tensor(0.0))
    assert scores[0, 2] == -torch.inf


def test_the_projection_learns_and_goes_on_from_there():
    method = attached(SCR(width=2), batch_size=2)
    before = [layer.clone() for layer in method.projection]
    x = [[1.0, 0.2], [0.2, 1.0], [0.8, 0.0]]
    loop.train(method, task(x, [0, 1, 0], old=0, total=3))
    assert not torch.equal(before[0], method.projection[0])
    assert not any(layer.requires_grad for layer in method.projection)
    assert len(method.past) == 3


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="temperature=0"):
        SCR(temperature=0)
