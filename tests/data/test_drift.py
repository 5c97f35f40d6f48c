"""What inputs look like, and when they look unlike."""

import json

import pytest
import torch

from evergrow.data.dataset import Seen
from evergrow.data.drift import COLUMN_FAR, FAR, TIMES, differences, summarise
from evergrow.data.task import Tensors

IMAGE = {"kind": "image", "classes": 2, "sizes": [[8, 8]], "mean": [0.3], "std": [0.2], "high": 1.0}
TABLE = {"kind": "table", "classes": 3, "sizes": [], "mean": [0, 5.0], "std": [1, 1], "high": 9.0}


def test_images_are_looked_at_by_channel_in_units_of_what_the_network_reads():
    x = torch.zeros(12, 2, 2, 1, dtype=torch.uint8)
    x[:, 1, 0] = 255
    found = summarise(Tensors(x), Seen("image", 2, ((2, 1),)), classes=3)
    assert found == json.loads(json.dumps(found))
    assert (found["mean"], found["std"], found["high"]) == ([0.0, 0.5], [0.0, 0.5], 1.0)
    assert (found["sizes"], found["classes"]) == ([[2, 1]], 3)


def test_a_table_is_looked_at_by_column_and_a_tensor_as_a_whole():
    x = torch.tensor([[1.0, -4.0], [3.0, -4.0]]).repeat(5, 1)
    assert summarise(Tensors(x), Seen("table", shape=(2,)))["mean"] == [2.0, -4.0]
    assert summarise(Tensors(x), Seen("tensor", shape=(2,)))["mean"] == [-1.0]


def test_records_all_over_a_chunk_are_looked_at_and_few_of_them():
    asked = []

    class Counting(Tensors):
        def take(self, rows):
            asked.extend(rows.tolist())
            return super().take(rows)

    summarise(Counting(torch.zeros(100_000, 3)), Seen("table", shape=(3,)))
    assert len(asked) == 128 and asked[0] == 0 and asked[-1] == 99_999


def test_a_handful_of_records_says_nothing():
    assert summarise(Tensors(torch.zeros(9, 3)), Seen("table", shape=(3,))) is None
    assert differences(None, IMAGE) == differences(IMAGE, None) == []


@pytest.mark.parametrize(
    "change, word",
    [
        ({"mean": [0.3 + 1.1 * FAR * 0.2]}, "mean"),
        ({"std": [0.2 * 1.1 * TIMES]}, "std"),
        ({"std": [0.2 / TIMES / 1.1]}, "std"),
        ({"high": 1.1 * TIMES}, "largest value"),
        ({"high": 1 / TIMES / 1.1}, "largest value"),
        ({"sizes": [[28, 28]]}, "28 x 28 pixels, they were of 8 x 8"),
        ({"sizes": [[2, 2], [6, 6]]}, "2 x 2 to 6 x 6"),
    ],
)
def test_what_differs_is_named(change, word):
    (line,) = differences(IMAGE, IMAGE | change)
    assert word in line


@pytest.mark.parametrize(
    "change",
    [
        {"mean": [0.3 + 0.9 * FAR * 0.2]},
        {"std": [0.2 * 0.9 * TIMES]},
        {"sizes": [[8, 9]]},
        {"sizes": [[4, 4], [28, 28]]},
        {"kind": "tensor"},
    ],
)
def test_what_is_like_enough_is_not(change):
    assert differences(IMAGE, IMAGE | change) == []


def test_a_column_in_other_units_is_noticed_among_several_classes_alone():
    moved = TABLE | {"mean": [0, 5.0 + 1.1 * COLUMN_FAR]}
    assert "column 2" in differences(TABLE, moved)[0]
    assert differences(TABLE, moved | {"classes": 2}) == []
    assert "1 more columns" in differences(TABLE, TABLE | {"std": [9, 9]})[0]
