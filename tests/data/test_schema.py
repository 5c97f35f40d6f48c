"""The form of inputs that the first chunk fixes."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from evergrow.data.read import Seen, read
from evergrow.data.schema import canonical_size, spec
from evergrow.data.schema_check import check_fits
from evergrow.errors import DataError, SettingError


def seen(*sizes, channels=1, from_files=False):
    return Seen("image", channels, sizes, from_files=from_files)


@pytest.mark.parametrize(
    ("sizes", "options", "expected"),
    [
        ([(28, 28)], {}, (28, 28)),
        ([(8, 64)], {}, (8, 64)),
        ([(65, 8)], {}, (32, 32)),
        ([(28, 28), (30, 28)], {}, (32, 32)),
        ([(28, 28)], {"limit": 20, "reduced": 16}, (16, 16)),
        ([(8, 8)], {"least": 24}, (24, 24)),
        ([(8, 12)], {"least": 24}, (24, 36)),
        ([(28, 28)], {"least": 24}, (28, 28)),
        ([(28, 28)], {"image_size": 10}, (10, 10)),
        ([(28, 28)], {"image_size": (10, 20)}, (10, 20)),
        ([(28, 28)], {"image_size": np.int64(10)}, (10, 10)),
        ([(28, 28)], {"image_size": [10, 20], "least": 24}, (10, 20)),
    ],
)
def test_the_canonical_size_is_asked_for_or_the_one_all_have_or_reduced(sizes, options, expected):
    assert canonical_size(seen(*sizes), **options) == expected


@pytest.mark.parametrize("size", [0, -3, 5000, (1, 2, 3), (1.5, 2), ("a", 1)])
def test_a_size_that_cannot_be_is_refused(size):
    with pytest.raises(SettingError, match="image_size="):
        canonical_size(seen((8, 8)), size)


def test_forms_are_plain_json():
    for chunk in (
        read(np.zeros((2, 8, 8)), need_labels=False),
        read(pd.DataFrame({"a": [1], "b": [2]}), need_labels=False),
        read(torch.zeros(2, 3, 4, 5), need_labels=False, own=True),
    ):
        form = spec(chunk.seen)
        assert json.loads(json.dumps(form)) == form
        check_fits(form, chunk, fixed_size=True)
    assert form == {"kind": "tensor", "shape": [3, 4, 5], "dtype": "float32"}


def test_texts_are_refused_as_long_as_no_backbone_reads_them():
    with pytest.raises(DataError, match="holds text data, and no backbone here reads it"):
        spec(Seen("text"))
