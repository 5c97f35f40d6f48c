"""Answers by means of kept samples: none at first, then by distance, and served alone."""

import pytest
import torch

from evergrow.methods import SCR, ICaRL
from tests.methods.learners import attached, task


@pytest.mark.parametrize(("method", "memory"), [(ICaRL, "exemplars"), (SCR, "past")])
def test_means_are_of_what_is_kept_and_are_served_alone(method, memory):
    model = attached(method(memory=4), classes=2)
    x = torch.tensor([[3.0, 0.0], [0.0, 5.0]])
    assert torch.equal(model.scores(x), model.net(x)), "the head answers while there is no mean"
    assert model.serving() == {} and model.warnings() == []
    model.remember(task([[1.0, 0.0]], [0], old=2, total=2))
    assert model.means is None, "nothing was learnt yet"
    assert len(getattr(model, memory)) == 1 and model.samples is getattr(model, memory)
    model.take_means()
    assert model.scores(x)[:, 0].tolist() == [0.0, -2.0]  # |(1, 0) - (0, 1)|^2 = 2
    assert model.scores(x)[:, 1].tolist() == [-torch.inf, -torch.inf]
    assert model.warnings() != []
    model.remember(task([[0.0, 1.0]], [1], old=2, total=2))
    assert model.scores(x).tolist() == [[0.0, -2.0], [-2.0, 0.0]]
    twin = attached(method(memory=4), classes=2)
    twin.serve(model.serving())
    assert torch.equal(twin.scores(x), model.scores(x))
