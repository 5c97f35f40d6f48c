"""Pictures under other conditions."""

import pickle

import numpy as np
import pytest
from PIL import Image

from evergrow.bench import corruptions
from evergrow.data import read
from evergrow.errors import DataError, SettingError

PICTURE = np.array([[0, 100], [200, 255]], np.uint8)


def changed(name):
    return corruptions.CHANGES[name](PICTURE[None])[0]


def test_what_each_condition_does():
    assert changed("as it is").tolist() == [[0, 100], [200, 255]]
    assert changed("turned").tolist() == [[100, 255], [0, 200]]
    assert changed("inverted").tolist() == [[255, 155], [55, 0]]
    assert changed("dark").tolist() == [[0, 33], [66, 85]]


def test_noise_is_the_same_each_time_and_differs_by_picture():
    flat = np.full((1, 40, 40), 128, np.uint8)
    first, again = corruptions.CHANGES["noisy"](flat), corruptions.CHANGES["noisy"](flat)
    assert np.array_equal(first, again) and first.dtype == np.uint8
    assert 20 < first.std() < 30
    assert not np.array_equal(corruptions.CHANGES["noisy"](flat + 1) - 1, first)


def test_each_row_is_changed_by_its_own_task_whatever_it_is_asked_with(tmp_path):
    x = np.stack([np.full((4, 4), 90, np.uint8)] * 4)
    chunk = read.read(x, [0, 1, 0, 1])
    files = []
    for i, picture in enumerate(x):
        files.append(tmp_path / f"{i}.png")
        Image.fromarray(picture).save(files[-1])
    for whole in (chunk, read.read(files, [0, 1, 0, 1])):
        found = corruptions.under(whole, [np.array([3, 0]), np.array([1])], ["inverted", "dark"])
        assert [int(p.max()) for p in found.take(np.array([0, 1, 2, 3]))] == [165, 30, 90, 165]
        assert [int(p.max()) for p in found.subset(np.array([1, 3])).take(np.array([1, 0]))] == [
            165,
            30,
        ]
        assert found.name(1).endswith(", dark")
        assert len(pickle.loads(pickle.dumps(found))) == 4


def test_the_rows_of_a_part_are_counted_in_the_part():
    x = np.stack([np.full((4, 4), 90, np.uint8)] * 4)
    part = read.read(x, [0, 1, 0, 1]).subset(np.array([2, 3]))
    found = corruptions.under(part, [np.array([0])], ["dark"])
    assert [int(p.max()) for p in found.take(np.arange(2))] == [30, 90]


def test_tables_have_no_conditions():
    with pytest.raises(DataError, match="table data"):
        corruptions.under(read.read(np.zeros((2, 3)), [0, 1]), [np.array([0])], ["dark"])


def test_an_unknown_condition_is_refused_with_those_there_are():
    chunk = read.read(np.full((1, 4, 4), 90, np.uint8), [0])
    with pytest.raises(SettingError, match="as it is, turned"):
        corruptions.under(chunk, [np.array([0])], ["foggy"])
