import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from evergrow.data.readers.single_samples import (
    Gathered,
    as_encoded,
    gather_items,
    is_pair,
    read_one,
)
from evergrow.errors import DataError

PICTURE = Image.fromarray(np.arange(60, dtype=np.uint8).reshape(4, 5, 3))
PIXELS = np.asarray(PICTURE).transpose(2, 0, 1)


def png():
    file = io.BytesIO()
    PICTURE.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    "value",
    [
        PICTURE,
        png(),
        {"bytes": png(), "path": None},
        np.asarray(PICTURE),
        PIXELS,
        torch.from_numpy(PIXELS.copy()),
        PIXELS / 255,
        torch.from_numpy(PIXELS / 255),
        PIXELS.tolist() and np.asarray(PICTURE, dtype=np.float32) / 255,
    ],
)
def test_one_picture_however_it_comes_has_the_same_pixels(value):
    kind, record, _ = read_one(value)
    assert kind == "image"
    np.testing.assert_array_equal(record, PIXELS)


def test_paths_are_decoded(tmp_path):
    (tmp_path / "a.png").write_bytes(png())
    for value in (tmp_path / "a.png", {"path": str(tmp_path / "a.png"), "bytes": None}):
        np.testing.assert_array_equal(read_one(value)[1], PIXELS)


def test_other_kinds_are_told_apart():
    assert read_one([1, 2, 3])[0] == "table"
    assert read_one(np.ones(3))[1].dtype == np.float32
    assert read_one("some words") == ("text", "some words", False)
    assert read_one(torch.ones(3, 4, 4), own=True)[0] == "tensor"
    assert read_one(torch.ones(3, 4, 4))[0] == "image"
    assert read_one(torch.arange(3), own=True)[1].dtype == np.int64


def test_colour_images_3_pixels_wide_are_read_by_tensors_convention():
    x = torch.arange(27, dtype=torch.uint8).reshape(3, 3, 3)
    np.testing.assert_array_equal(read_one(x)[1], x.numpy())
    with pytest.raises(DataError, match="channels may come first or last"):
        read_one(x.numpy())


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (3, "sample 4 is a int, expected an image or a row of numbers. Reshape your data"),
        (torch.tensor(3.0), "sample 4 is a Tensor"),
        (b"hello", "sample 4: the image cannot be used: it is text, not an image"),
        (Path("nowhere.png"), "sample 4: the image cannot be used: it no such file|no such file"),
        ([[1], [1, 2]], "sample 4 holds rows of unequal length"),
        (np.array([1, np.nan]), "sample 4: Input X contains NaN"),
        (np.full((8, 8), 16.0), "sample 4: image arrays are uint8 in 0..255 or float in 0..1"),
    ],
)
def test_a_sample_that_cannot_be_used_is_named(value, message):
    with pytest.raises(DataError, match=message):
        read_one(value, where="sample 4")


def test_records_are_of_one_kind_and_tables_of_one_shape():
    with pytest.raises(DataError, match="sample 1 is table data .*unlike those before it .image"):
        gather_items([PICTURE, np.ones(3)])
    with pytest.raises(
        DataError, match=r"sample 1 is table data \(float32, shape \(2,\)\).*shape \(3,\)"
    ):
        gather_items([np.ones(3), np.ones(2)])
    with pytest.raises(DataError, match="float32.*int64|int64.*float32"):
        gather_items([torch.ones(3), torch.arange(3)], own=True)
    assert gather_items([PICTURE, np.zeros((9, 9))]).shapes == {(3, 4, 5), (1, 9, 9)}


def test_bytes_of_0_and_1_alone_are_refused_but_other_images_are_not():
    with pytest.raises(DataError, match="holds only 0 and 1"):
        gather_items([np.zeros((4, 4), np.uint8), np.ones((4, 4), np.uint8)])
    gather_items([np.zeros((4, 4), np.uint8)])
    gather_items([np.ones((4, 4), np.uint8), np.full((4, 4), 2, np.uint8)])
    gather_items([np.full((4, 4), 1 / 255)])
    gather_items([Image.new("L", (4, 4), 1)])
    gather_items([torch.ones(4, 4, dtype=torch.bool)])


def test_images_need_not_be_kept():
    found = Gathered(keep=False)
    found.add(PICTURE, "cat")
    found.finish()
    assert (found.values, found.labels, found.from_files) == ([], ["cat"], True)
    with pytest.raises(DataError, match="0 sample"):
        Gathered().finish()


def test_pairs_and_encoded_images_are_told_from_rows():
    assert is_pair((PICTURE, 1)) and is_pair((Path("a"), 1)) and is_pair(("a", 1))
    assert not is_pair((1, 2)) and not is_pair([PICTURE, 1]) and not is_pair((PICTURE, 1, 2))
    assert as_encoded({"image": 1}) is None and as_encoded({}) is None and as_encoded("a") is None
