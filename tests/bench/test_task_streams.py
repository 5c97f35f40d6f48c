"""Which rows come when."""

import numpy as np
import pytest

from evergrow.bench.task_streams import Cut, by_domain, class_order, cut, hold_out
from evergrow.errors import DataError, SettingError

Y = np.repeat(np.arange(6), 20)  # six classes of twenty
TEST = np.repeat(np.arange(6), 5)


def labels_of(found):
    return [sorted(set(Y[rows].tolist())) for rows in found.train]


@pytest.mark.parametrize("changes", [{}, {"blurry": 0.2}, {"returning": 0.5}, {"batch": 10}])
def test_every_sample_comes_once_and_is_asked_about_once(changes):
    found = cut(Y, TEST, Cut(2, **changes), seed=3)
    assert sorted(np.concatenate(found.train).tolist()) == list(range(120))
    assert sorted(np.concatenate(found.test).tolist()) == list(range(30))
    assert sorted(label for task in found.classes for label in task) == list(range(6))
    for task, rows in zip(found.classes, found.test, strict=True):
        assert set(TEST[rows].tolist()) == set(task)


def test_the_seed_decides_and_nothing_else():
    np.random.seed(1)
    before = np.random.get_state()[1].tolist()
    one, two = (cut(Y, TEST, Cut(2, blurry=0.1), seed=5) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one.train, two.train, strict=True))
    assert np.random.get_state()[1].tolist() == before
    other = cut(Y, TEST, Cut(2, blurry=0.1), seed=6)
    assert one.classes != other.classes


def test_the_first_task_may_be_larger_and_the_last_one_smaller():
    assert class_order(Y, Cut(2, first=3, shuffled=False)) == ((0, 1, 2), (3, 4), (5,))
    assert class_order(Y, Cut(4, shuffled=False)) == ((0, 1, 2, 3), (4, 5))


def test_orders_of_classes_differ_by_seed_and_hold_all():
    orders = {class_order(Y, Cut(1), seed) for seed in range(20)}
    assert len(orders) > 15
    assert all(sorted(c for (c,) in order) == list(range(6)) for order in orders)


def test_blurry_tasks_share_classes_and_most_samples_are_at_home():
    found = cut(Y, TEST, Cut(2, shuffled=False, blurry=0.25))
    for k, rows in enumerate(found.train):
        assert np.isin(Y[rows], found.classes[k]).sum() == 30  # two classes of twenty, less 25 %
    away = [c for k, rows in enumerate(found.train) for c in Y[rows] if c not in found.classes[k]]
    assert len(away) == 30


def test_classes_that_return_come_after_their_own_task_never_before():
    found = cut(Y, TEST, Cut(2, shuffled=False, returning=0.5))
    assert labels_of(found) == [[0, 1], [0, 1, 2, 3], [0, 1, 2, 3, 4, 5]]
    assert len(found.train[0]) == 20
    assert np.isin(Y[found.train[2]], [4, 5]).sum() == 40  # the last ones have nowhere to return


def test_a_long_tail_falls_by_a_constant_factor():
    y = np.repeat(np.arange(3), 100)
    found = cut(y, np.arange(3), Cut(1, imbalance=25))
    sizes = sorted(np.bincount(y[np.concatenate(found.train)]).tolist())
    assert sizes == [4, 20, 100]
    assert sum(found.sizes) == 3  # the test samples stay


def test_a_tail_leaves_one_sample_of_each_class():
    found = cut(np.repeat([0, 1], 3), [0, 1], Cut(1, imbalance=1000))
    assert sorted(len(rows) for rows in found.train) == [1, 3]


def test_a_stream_arrives_in_batches_of_one_task_after_the_other():
    found = cut(Y, TEST, Cut(3, batch=25))
    assert [len(rows) for rows in found.arrivals(0)] == [25, 25, 10]
    assert np.array_equal(np.concatenate(found.arrivals(0)), found.train[0])
    assert [len(rows) for rows in cut(Y, TEST, Cut(3)).arrivals(0)] == [60]


def test_conditions_deal_all_classes_to_every_task():
    names = ("as it is", "dark", "inverted")
    found = cut(Y, TEST, Cut(conditions=names), seed=1)
    assert sorted(found.conditions) == sorted(names)
    assert [len(rows) for rows in found.train] == [40, 40, 40] and found.sizes == [10, 10, 10]
    assert sorted(np.concatenate(found.train).tolist()) == list(range(120))


def test_domains_that_are_given_are_tasks():
    train, test = ["b", "a", "b", "a"], ["a", "b", "b"]
    found = by_domain([0, 1, 1, 1], (train, test), Cut(shuffled=False))
    assert [sorted(rows.tolist()) for rows in found.train] == [[1, 3], [0, 2]]
    assert [rows.tolist() for rows in found.test] == [[0], [1, 2]]
    assert found.classes == ((1,), (0, 1))


def test_labels_that_are_words_are_cut_too():
    y = np.array(["dog", "cat", "owl", "cat"], dtype=object)
    found = cut(y, np.array(["owl"], dtype=object), Cut(1, shuffled=False))
    assert found.classes == (("cat",), ("dog",), ("owl",)) and found.sizes == [0, 0, 1]


def test_a_test_label_that_no_task_teaches_is_not_asked_about():
    assert sum(cut([0, 1], [0, 1, 2], Cut(1)).sizes) == 2


def test_a_share_of_every_class_is_held_out():
    y = np.repeat(np.arange(3), [100, 10, 1])
    learn, held = hold_out(y, 0.2, seed=1)
    assert np.bincount(y[held], minlength=3).tolist() == [20, 2, 0]
    assert sorted([*learn, *held]) == list(range(111))
    assert not np.array_equal(held, hold_out(y, 0.2, seed=2)[1])


def test_one_task_is_no_scenario():
    with pytest.raises(DataError, match="more than one task"):
        cut(Y, TEST, Cut(6))


@pytest.mark.parametrize(
    "changes",
    [
        {"classes_per_task": 0},
        {"first": -1},
        {"blurry": 1.0},
        {"blurry": 0.5, "returning": 0.5},
        {"imbalance": 0.5},
        {"batch": -1},
        {"test_share": 1.5},
    ],
)
def test_numbers_out_of_range_are_refused(changes):
    with pytest.raises(SettingError):
        Cut(**changes)
