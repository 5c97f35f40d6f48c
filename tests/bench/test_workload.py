"""What a benchmark is run on."""

import numpy as np
import pytest

from evergrow.bench import evaluation
from evergrow.bench.task_streams import Cut
from evergrow.bench.workload import Subject, changes
from evergrow.commands.learn import Source
from evergrow.errors import DataError, SettingError


@pytest.fixture
def file(tmp_path):
    y = np.repeat(np.arange(7), 4)
    np.savez(tmp_path / "mine.npz", x=np.eye(7)[y], y=y)
    return tmp_path / "mine.npz"


def test_a_name_is_a_scenario_and_its_cut_may_be_changed():
    digits = Subject("digits-5x2", changes(["first=4", "imbalance=10"]))
    assert (digits.cut().first, digits.cut().classes_per_task) == (4, 2)
    assert digits.name(digits.load()) == "digits-5x2 first=4 imbalance=10.0"


def test_data_of_ones_own_is_named_by_its_file_and_cut(file):
    for given in (file, str(file), Source(file)):
        mine = Subject(given, {"classes_per_task": 2})
        assert mine.name(mine.load()) == "mine-4x2"
    first = Subject(file, {"classes_per_task": 2, "first": 5})
    assert first.name(first.load()) == "mine-2x2 first=5"


def test_arrays_are_data_too():
    mine = Subject((np.zeros((4, 2)), [0, 0, 1, 1]), {"classes_per_task": 1})
    data = mine.load()
    assert len(data.train) == 4 and data.test is None and mine.name(data) == "data-2x1"


def test_a_test_part_is_read_beside_it(file):
    data = Subject(file, {"classes_per_task": 2}, test=Source(file)).load()
    assert data.test is not None and len(data.test) == 28


def test_own_data_needs_to_be_told_how_it_is_cut(file):
    with pytest.raises(SettingError, match="--classes-per-task"):
        Subject(file).cut()


def test_domains_that_are_given_are_tasks_of_all_classes():
    y = np.arange(40) % 2
    x = (np.eye(2)[y] + np.arange(40)[:, None]).astype(np.float32)
    given = Subject((x, y), domains=["old"] * 20 + ["new"] * 20)
    data = given.load()
    assert given.name(data) == "data-2 domains"
    found = evaluation.stream(data, given.cut(), seed=0)
    assert found.scenario.classes == ((0, 1), (0, 1)) and found.scenario.sizes == [4, 4]
    for task, asked in zip(found.scenario.train, found.scenario.test, strict=True):
        learnt = found.data.train.take(task).max(1) > 20.5
        held = found.data.test.take(asked).max(1) > 20.5
        assert len(set(learnt.tolist()) | set(held.tolist())) == 1


def test_domains_of_a_test_part_are_given_beside():
    x, y = np.zeros((4, 2)), [0, 1, 0, 1]
    data = Subject((x, y), test=(x, y), domains=(["a", "a", "b", "b"], ["b", "b", "b", "a"])).load()
    assert evaluation.stream(data, Cut(shuffled=False), 0).scenario.sizes == [1, 3]
    with pytest.raises(DataError, match="one for each of 4 samples"):
        Subject((x, y), domains=["a"]).load()


def test_what_is_neither_a_name_nor_a_path_is_refused(tmp_path):
    with pytest.raises(SettingError, match="there is no scenario .*none.*digits-5x2"):
        Subject(tmp_path / "none", {"classes_per_task": 2}).cut()


@pytest.mark.parametrize("words", [["blury=1"], ["first=many"], ["first=1", "first=2"], ["first"]])
def test_words_that_say_no_cut_are_refused(words):
    with pytest.raises(SettingError, match="--cut|first"):
        changes(words)
