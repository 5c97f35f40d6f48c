"""Herding and the exemplars it chooses, against numbers worked out by hand."""

import pytest
import torch

from evergrow.data.task import Task, Tensors
from evergrow.errors import SettingError
from evergrow.nn.network import Body, Inputs, Network
from evergrow.training.exemplars import Exemplars, herding, nearest, unit_means
from evergrow.training.random_generators import Generators


class Plane(Body):
    """The identity on the plane."""

    width = 2

    def forward(self, x):
        return x


def task(x, y, total):
    return Task(Tensors(torch.tensor(x)), torch.tensor(y), 0, total)


def angles(*degrees):
    a = torch.tensor(degrees).deg2rad()
    return torch.stack([a.cos(), a.sin()], 1)


def test_herding_keeps_the_running_mean_close_to_the_mean():
    # the mean of all is (.442, .653); 40 degrees is nearest to it alone (.33). With it, 80 degrees
    # gives the mean (.470, .814), at .16; 100 gives (.296, .814), at .22; 0 gives .55
    assert herding(angles(0.0, 40.0, 80.0, 100.0), 2).tolist() == [1, 2]


def test_herding_looks_at_directions_alone():
    features = angles(0.0, 40.0, 80.0, 100.0) * torch.tensor([[9.0], [1.0], [0.1], [4.0]])
    assert herding(features, 4).tolist() == herding(angles(0.0, 40.0, 80.0, 100.0), 4).tolist()


def test_a_new_class_costs_each_old_one_its_last():
    kept = Exemplars(6, None, Generators(0))
    kept.choose(task(angles(0.0, 40.0, 80.0, 100.0).tolist(), [0, 0, 0, 0], 1), lambda x: x)
    first = kept.x[:3].clone()
    assert len(kept) == 4
    kept.choose(task([[1.0, 0.0]] * 5, [1] * 5, 2), lambda x: x)
    assert kept.y.tolist() == [0, 0, 0, 1, 1, 1]
    assert torch.equal(kept.x[:3], first)


def test_a_returning_class_is_chosen_from_old_and_new():
    kept = Exemplars(1, None, Generators(0))
    kept.choose(task([[1.0, 0.0]], [0], 1), lambda x: x)
    kept.choose(task(angles(80.0, 85.0).tolist(), [0, 0], 1), lambda x: x)
    assert torch.allclose(kept.x, angles(80.0))  # the mean of 0, 80 and 85 degrees: at 58


def test_means_are_of_unit_vectors_of_unit_length_and_nan_without_a_sample():
    net = Network(Plane(), Inputs("tensor"))
    net.head.grow(3, torch.Generator())
    kept = Exemplars(4, None, Generators(0))
    assert unit_means(kept, net).isnan().all()
    kept.remember(torch.tensor([[3.0, 0.0], [0.0, 5.0]]), torch.tensor([1, 1]))
    means = unit_means(kept, net)
    assert means[[0, 2]].isnan().all()
    torch.testing.assert_close(means[1], torch.tensor([0.5, 0.5]).sqrt())


def test_a_class_without_a_mean_is_never_nearest():
    means = torch.tensor([[torch.nan, torch.nan], [-1.0, 0.0]])
    scores = nearest(torch.tensor([[2.0, 0.0]]), means)
    assert scores.tolist() == [[-torch.inf, -4.0]]


def test_what_is_remembered_comes_first_and_is_shared_evenly():
    kept = Exemplars(4, None, Generators(0))
    kept.choose(task([[1.0, 0.0]] * 9, [1] * 9, 2), lambda x: x)
    assert kept.y.tolist() == [1, 1]
    kept.remember(torch.full((7, 2), 5.0), torch.tensor([0] * 6 + [1]))
    assert kept.y.tolist() == [0, 0, 1, 1]
    assert kept.x[2].tolist() == [5.0, 5.0]


def test_less_than_one_exemplar_a_class_is_refused():
    with pytest.raises(SettingError, match="memory=1 is less than one exemplar"):
        Exemplars(1, None, Generators(0)).choose(task([[1.0, 0.0]] * 2, [0, 1], 2), lambda x: x)
