"""Weight aligning against numbers worked out by hand."""

import pytest
import torch

from evergrow.methods import WA
from evergrow.nn.head import align
from evergrow.training import loop
from tests.methods.learners import attached, task

ROWS = torch.tensor([[3.0, 4.0], [0.0, 1.0], [0.0, 12.0]])


def test_new_rows_get_the_mean_norm_of_old_ones():
    method = attached(WA())
    method.net.head.weight.data = ROWS.clone()
    align([method.net.head.weight], 2)  # gamma = ((5 + 1) / 2) / 12
    expected = torch.tensor([[3.0, 4.0], [0.0, 1.0], [0.0, 3.0]])
    torch.testing.assert_close(method.net.head.weight.data, expected)


def test_terms_are_weighed_by_the_share_of_old_classes():
    method = attached(WA(memory=6, temperature=4.0))
    terms = next(method.learn(task([[0.0, 1.0]], [2], old=2, total=3)))
    log2, log3 = torch.tensor(2.0).log(), torch.tensor(3.0).log()
    torch.testing.assert_close(terms["new"].detach(), log3 / 3)
    torch.testing.assert_close(terms["keep"].detach(), log2 * 2 / 3)  # not times 4 squared


def test_the_first_task_has_nothing_to_keep_nor_to_align():
    method = attached(WA(memory=3))
    terms = []
    for step in method.learn(task([[1.0, 0.0]], [0], old=0, total=3)):
        terms.append(list(step))
        method.net.head.weight.data = ROWS.clone()
    assert terms == [["new"]]
    assert torch.equal(method.net.head.weight.data, ROWS)
    assert method.exemplars.y.tolist() == [0]


def test_a_task_of_old_classes_aligns_nothing_and_a_later_one_does():
    for old, gain in ((3, 1.0), (2, 3 / 12)):
        method = attached(WA(memory=3))
        for _ in method.learn(task([[1.0, 0.0]], [2], old=old, total=3)):
            method.net.head.weight.data = ROWS.clone()
        torch.testing.assert_close(method.net.head.weight.data[2], ROWS[2] * gain)


def test_weights_stay_positive_if_asked():
    method = attached(WA(memory=3, positive=True), lr=1.0, momentum=0.0)
    loop.train(method, task([[1.0, 0.0]], [0], old=0, total=3))
    assert method.net.head.weight.tolist()[1:] == [[0.0, 0.0]] * 2  # not below


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="temperature=0"):
        WA(temperature=0)
