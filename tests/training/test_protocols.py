"""What the loop needs of a method, and those that watch it and do nothing."""

import pytest
import torch

from evergrow.methods import ER
from evergrow.training.protocols import Learner, Unsaved, Unwatched
from tests.methods.learners import attached


def test_a_method_has_all_that_the_loop_asks_for():
    method = attached(ER(memory=3))
    wanted = set(Learner.__annotations__) | {n for n in vars(Learner) if not n.startswith("_")}
    assert {name for name in wanted if not hasattr(method, name)} == set()


def test_nobody_watches_and_nothing_is_left_behind():
    watch = Unwatched()
    watch.start(3)
    watch.step({"new": float(torch.ones(()))})
    checkpoints = Unsaved()
    checkpoints.reached(lambda: pytest.fail("nobody asked how far it is"))
    assert checkpoints.last() is None
