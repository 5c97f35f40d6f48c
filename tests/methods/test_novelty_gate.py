"""The gate on the plane: metrics worked out by hand, what passes, what never moves."""

import pytest
import torch

from evergrow.errors import SettingError
from evergrow.methods import NoveltyGate
from tests.methods.learners import attached, task

AROUND = [[10.0, 11.0], [10.0, 9.0], [12.0, 10.0], [8.0, 10.0]]  # mean (10, 10)


def grown(**settings):
    """A head of 2 trained classes on the plane; class 2 came later, around (10, 10)."""
    method = attached(NoveltyGate(**settings), classes=2)
    with torch.no_grad():
        method.net.head.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    method.grow(2, 3)
    assert list(method.learn(task(AROUND, [2, 2, 2, 2], old=2, total=3))) == []
    return method


def test_the_metric_is_that_of_the_new_class():
    # scatter: (0 + 0 + 4 + 4, 1 + 1 + 0 + 0) = (8, 2) over 4 - 1 rows; mean variance 5/3
    solved = grown(penalty=0.6).solved()
    expected = torch.tensor([[1 / (8 / 3 + 1) ** 0.5, 0.0], [0.0, 1 / (2 / 3 + 1) ** 0.5]])
    torch.testing.assert_close(solved["near"], expected)
    torch.testing.assert_close(solved["near_centres"], 10 * expected.diagonal()[None])


def test_what_is_near_the_new_class_is_new_and_the_rest_goes_its_way():
    method = grown()
    x = torch.tensor([[10.0, 10.0], [90.0, 2.0], [-5.0, 60.0]])
    scores = method.scores(x)
    assert scores.argmax(1).tolist() == [2, 0, 1]
    assert torch.equal(scores[:, :2], method.net(x))


def test_the_share_accepted_is_that_of_the_rows_kept_each_left_out():
    method = attached(NoveltyGate(accept=0.5), classes=2)
    rows = torch.randn(200, 2, generator=torch.Generator().manual_seed(0)) * 10 + 50
    method.grow(2, 3)
    list(method.learn(task(rows.tolist(), [2] * 200, old=2, total=3)))
    passed = method.scores(rows.round()).argmax(1) == 2
    assert 0.4 < passed.float().mean() < 0.6


def test_no_weight_moves_and_no_sample_is_stored():
    method = grown()
    assert set(method.state()) == {"trained", "sums", "moments"}
    assert method.net.head.weight.tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert method.sums.kept.rows.dtype == torch.int8 and len(method.sums.kept.y) == 4


def test_samples_of_the_networks_own_classes_are_passed_over():
    method = grown()
    list(method.learn(task([[5.0, 5.0]], [0], old=3, total=3, number=1)))
    assert method.sums.counts.tolist() == [0, 0, 4]


def test_a_class_announced_at_the_first_task_is_learnt_by_the_gate_later():
    method = attached(NoveltyGate(), classes=0)
    method.grow(0, 3)
    for _ in method.learn(task([[1.0, 0.0], [0.0, 1.0]], [0, 1], old=0, total=3)):
        pass
    list(method.learn(task(AROUND, [2] * 4, old=3, total=3, number=1)))
    assert method.trained.tolist() == [0, 1] and method.sums.counts.tolist() == [0, 0, 4]


def test_one_sample_is_a_class():
    method = attached(NoveltyGate(), classes=2)
    method.grow(2, 3)
    list(method.learn(task([[7.0, -7.0]], [2], old=2, total=3)))
    scores = method.scores(torch.tensor([[7.0, -7.0]]))
    assert scores.isfinite().all() and scores.argmax() == 2


@pytest.mark.parametrize(
    "wrong", [{"accept": 0.0}, {"accept": 1.0}, {"penalty": 0.0}, {"energy": -1.0}, {"keep": 0}]
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingError, match=f"{next(iter(wrong))}={next(iter(wrong.values()))}"):
        NoveltyGate(**wrong)
