"""A model folder that knows two classes of points."""

import pytest

from evergrow.commands import learn

from .points import PLAIN, saved


@pytest.fixture
def model(tmp_path):
    learn.learn(tmp_path / "model", saved(tmp_path / "first.npz", "a", "b"), PLAIN)
    return tmp_path / "model"
