"""Plain JSON: what comes out is what is read back."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from evergrow.storage.plain_json import plain


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ((1, (2.5, "a")), [1, [2.5, "a"]]),
        ({1: True, "b": None}, {"1": True, "b": None}),
        (np.float32(0.5), 0.5),
        (np.array(["a", None], dtype=object), ["a", None]),
        (np.array([1.0, np.inf]), [1.0, None]),
        (torch.arange(2), [0, 1]),
        (float("nan"), None),
        (torch.float32, "torch.float32"),
        (Path("a/b"), "a/b"),
        ({"deep": [{"x": (np.int64(3),)}]}, {"deep": [{"x": [3]}]}),
    ],
)
def test_a_value_becomes_what_json_gives_back(value, expected):
    found = plain(value)
    assert found == expected
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert plain(found) == found


def test_a_bool_stays_a_bool_and_an_int_an_int():
    assert plain(np.bool_(True)) is True
    assert type(plain(np.int64(3))) is int
