import gzip
import struct

import numpy as np
import pytest

from evergrow.data.readers.idx import find_pair, find_parts, is_idx, read_idx
from evergrow.errors import DataError

CODES = {"uint8": 8, "int8": 9, "int16": 11, "int32": 12, "float32": 13, "float64": 14}


def write_idx(path, array):
    head = struct.pack(
        f">BBBB{array.ndim}I", 0, 0, CODES[array.dtype.name], array.ndim, *array.shape
    )
    data = head + array.astype(array.dtype.newbyteorder(">")).tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("dtype", CODES)
@pytest.mark.parametrize("name", ["a-idx3-ubyte", "a-idx3-ubyte.gz"])
def test_all_types_are_read_plain_and_packed(tmp_path, dtype, name):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    found = read_idx(write_idx(tmp_path / name, array))
    np.testing.assert_array_equal(found, array)
    assert found.dtype == dtype and found.dtype.isnative


def pair(folder, start="train-", end="-ubyte", separator="-"):
    images = write_idx(folder / f"{start}images{separator}idx3{end}", np.zeros((2, 4, 4), np.uint8))
    labels = write_idx(folder / f"{start}labels{separator}idx1{end}", np.array([1, 0], np.uint8))
    return images, labels


@pytest.mark.parametrize(
    ("end", "separator"), [("-ubyte", "-"), ("-ubyte.gz", "-"), ("-ubyte", ".")]
)
def test_either_file_names_the_pair(tmp_path, end, separator):
    images, labels = pair(tmp_path, end=end, separator=separator)
    assert find_pair(images) == (images, labels)
    assert find_pair(labels) == (images, labels)


def test_one_of_the_files_may_be_packed(tmp_path):
    images, labels = pair(tmp_path)
    packed = write_idx(labels.with_name(labels.name + ".gz"), read_idx(labels))
    labels.unlink()
    assert find_pair(images) == (images, packed)


def test_of_a_folder_train_is_taken_and_a_prefix_names_another(tmp_path):
    train, test = pair(tmp_path, "train-"), pair(tmp_path, "t10k-")
    assert find_pair(tmp_path) == train
    assert find_pair(tmp_path / "t10k") == test
    assert find_pair(tmp_path / "nothing") is None


def test_a_lone_pair_is_taken_whatever_its_name(tmp_path):
    assert find_pair(tmp_path) is None
    assert (found := pair(tmp_path, "emnist-")) and find_pair(tmp_path) == found


def test_several_pairs_without_train_are_listed(tmp_path):
    pair(tmp_path, "a-")
    pair(tmp_path, "b-")
    with pytest.raises(DataError, match="several pairs of idx files; pass one of them.*/a, .*/b"):
        find_pair(tmp_path)


def test_images_may_stand_alone_but_labels_may_not(tmp_path):
    images, labels = pair(tmp_path)
    labels.unlink()
    assert find_pair(images) == (images, None)
    images.unlink()
    alone = write_idx(tmp_path / "train-labels-idx1-ubyte", np.zeros(2, np.uint8))
    with pytest.raises(DataError, match="the images are not beside it"):
        find_pair(alone)


def test_other_files_are_no_idx(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n")
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"hello"))
    assert not is_idx(tmp_path / "a.csv") and not is_idx(tmp_path / "b.gz")
    assert not is_idx(tmp_path / "missing")
    assert find_pair(tmp_path / "a.csv") is None and find_pair(tmp_path) is None


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:-3], "promises 32 bytes, it holds 29"),
        (lambda data: data + b"x", "promises 32 bytes, it holds 32 and more"),
        (lambda data: data[:9], "is damaged"),
        (lambda data: b"", "is not an idx file"),
        (lambda data: b"PK" + data, "is not an idx file"),
        (lambda data: gzip.compress(data)[:-12], "cannot be read"),
        (lambda data: gzip.compress(data)[:20] + b"xxxxxxxx", "cannot be read"),
    ],
)
def test_damage_is_named(tmp_path, damage, message):
    path = pair(tmp_path)[0]
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=message):
        read_idx(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_idx(tmp_path / "a")


def test_train_and_t10k_are_found_together_or_not_at_all(tmp_path):
    assert find_parts(tmp_path) == {}
    train = pair(tmp_path)
    assert find_parts(tmp_path) == {}
    test = pair(tmp_path, start="t10k-")
    assert find_parts(tmp_path) == {"train": train, "t10k": test}
    test[1].unlink()
    assert find_parts(tmp_path) == {}
