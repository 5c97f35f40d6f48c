"""What closed-form methods share: sums, solved at the first question, left-out rows, a way back."""

import pytest
import torch

from evergrow.errors import SettingError
from evergrow.methods import NCM, Ridge
from tests.methods.learners import attached, task

X = [[1.0, 0.0], [3.0, 0.0], [0.0, 4.0], [0.0, 6.0]]
Y = [0, 0, 1, 1]


def learnt(method=None):
    method = attached(method or NCM(), classes=0)
    method.learn(task(X, Y, 0, 2))
    return method


def test_it_is_solved_at_the_first_question_after_a_change_and_once():
    method = learnt()
    first = method.solution()
    assert method.solution() is first
    method.learn(task([[9.0, 9.0]], [2], 2, 3))
    assert method.solution() is not first and method.solution().weight.shape == (2, 3)


def test_what_was_solved_is_no_part_of_the_state_and_is_served():
    method, twin = learnt(Ridge()), attached(Ridge(), classes=0)
    before = str(method.state())
    x = torch.tensor([[2.0, 1.0]])
    scores = method.scores(x)
    assert str(method.state()) == before
    twin.net.scale = method.net.scale
    twin.serve(method.serving())
    assert torch.equal(twin.scores(x), scores)
    assert torch.equal(twin.recalls(work=False), method.recalls(work=False))


def test_recalls_are_known_without_work_only_where_it_was_solved():
    method = learnt()
    assert method.recalls(work=False) is None
    assert method.recalls(work=True).tolist() == [1.0, 1.0]
    assert method.recalls(work=False).tolist() == [1.0, 1.0]
    assert attached(NCM(), classes=0).recalls(work=True) is None


def test_kept_rows_are_judged_with_their_columns():
    shares, y = learnt().left_out()
    assert y.tolist() == Y and (shares.argmax(1) == y).all()
    torch.testing.assert_close(shares.sum(1), torch.ones(4, dtype=shares.dtype))
    assert learnt(NCM(keep=0)).left_out() is None


def test_what_a_fork_learns_leaves_the_sums_as_they_were():
    method = learnt()
    sums = method.sums.sums.clone()
    twin = method.fork(method.how, method.rng)
    twin.grow(2, 3)
    twin.learn(task([[9.0, 9.0]], [2], 2, 3))
    assert twin.scores(torch.ones(1, 2)).shape == (1, 3)
    assert torch.equal(method.sums.sums, sums) and method.scores(torch.ones(1, 2)).shape == (1, 2)


def test_classes_learnt_elsewhere_need_samples():
    method = attached(NCM(), classes=2)
    with pytest.raises(SettingError, match="has none of 2 of the classes"):
        method.learn(task(X, [2, 2, 3, 3], 2, 4))


def test_a_number_of_rows_to_keep_that_is_none_is_refused():
    with pytest.raises(SettingError, match="keep=-1"):
        NCM(keep=-1)
