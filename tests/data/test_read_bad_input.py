"""What cannot be read is refused, and said how to mend."""

import struct

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch

from evergrow.data import preprocess
from evergrow.data.read import read
from evergrow.errors import BadFilesError, DataError

from .animals import COLOUR, LABELS, N, canonical, picture, write_folder

WRONG = [
    ("nowhere", "nowhere: no such file or folder; check the path"),
    (np.ones(3), "Reshape your data"),
    (np.float64(3), "Expected 2D array, got scalar"),
    (np.ones((0, 3)), r"0 sample\(s\)"),
    ([], r"0 sample\(s\)"),
    (pd.DataFrame({"a": []}), r"0 sample\(s\)"),
    (np.array([[np.inf, 1]] * 3), "infinity"),
    ([[1, 2], [3], [4]], "rows of unequal length"),
    (np.ones((3, 2), complex), "Complex data not supported"),
    (scipy.sparse.eye(3).tocsr(), "Sparse data was passed for X, but dense data is required"),
    (scipy.sparse.csr_array(np.eye(3)), r"Use '.toarray\(\)'"),
    (torch.eye(3).to_sparse(), "dense data is required"),
    (np.ones((3, 3, 3, 3)), "channels may come first or last"),
    (np.ones((3, 8, 8), np.uint8), "holds only 0 and 1"),
    (np.full((3, 8, 8), 16.0), r"divide X by its largest possible value \(X / 16\?\)"),
    (np.full((3, 8, 8), 255.0), "astype"),
    (np.ones((3, 2, 2, 2, 2)), "need a backbone of your own"),
    ({"a": [1, 2, 3]}, "X is a dict; pass X and y apart"),
    (b"abc", "X is a bytes"),
    (3, "X is a int; expected an array"),
    (None, "X is a NoneType; expected an array"),
    ([1, 2, 3], "Reshape your data"),
    ([None] * 3, "sample 0"),
    ([picture(COLOUR[0]), 3, 4], "sample 1 is a int"),
    (np.ones((4, 2)), r"inconsistent numbers of samples: \[4, 3\]"),
]


@pytest.mark.parametrize(("X", "message"), WRONG, ids=range(len(WRONG)))
def test_bad_input_is_refused_with_what_to_do(X, message):
    with pytest.raises(DataError, match=message) as caught:
        read(X, [0, 1, 2])
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed, but the target y is None"),
        ([1.0, np.nan], "contains NaN"),
        ([0.5, 1.5], "continuous"),
        (["a", ""], "empty label"),
        (["a", 1], "mix of str and int"),
        ([], "0 sample"),
        ([1, 2, 3], r"inconsistent numbers of samples: \[2, 3\]"),
    ],
)
def test_bad_labels_are_refused_for_every_source(tmp_path, y, message):
    paths = write_folder(tmp_path, COLOUR[:2], ["a", "b"])
    for X in (np.ones((2, 3)), COLOUR[:2], paths, pd.DataFrame({"a": [1, 2]}).to_numpy()):
        with pytest.raises(DataError, match=message):
            read(X, y)


def write_bad(root):
    """A folder of 12 good images and 6 bad ones."""
    paths = write_folder(root, COLOUR)
    data = paths[0].read_bytes()
    bad = {
        "cat/truncated.png": data[:60],
        "cat/zero.png": b"",
        "dog/text.png": b"not an image at all",
        "dog/flipped.png": data[:80] + bytes(60) + data[140:],
        "fox/huge.png": data[:16] + struct.pack(">II", 30000, 20000) + data[24:],
    }
    for name, content in bad.items():
        (root / name).write_bytes(content)
    (root / "fox" / "gone.png").symlink_to(root / "nowhere.png")
    return sorted([*bad, "fox/gone.png"])


def test_all_bad_files_of_a_folder_are_listed_before_anything_is_learnt(tmp_path):
    bad = write_bad(tmp_path)
    with pytest.raises(BadFilesError) as caught:
        read(tmp_path)
    assert [name for name, _ in caught.value.files] == [str(tmp_path / name) for name in bad]
    message = str(caught.value)
    assert message.startswith("6 of 18 files cannot be used:")
    assert "Nothing was done." in message  # a reader does not know whether it was to learn
    for words in ("is empty (0 bytes)", "is text, not an image", "no such file", "damaged"):
        assert words in message


def test_bad_files_are_passed_over_and_counted_where_asked(tmp_path):
    bad = write_bad(tmp_path)
    chunk = read(tmp_path, skip_bad=True)
    assert [name for name, _ in chunk.skipped] == [str(tmp_path / name) for name in bad]
    assert chunk.labels.tolist() == LABELS
    np.testing.assert_array_equal(canonical(chunk), COLOUR)
    paths = sorted(path for path in tmp_path.glob("*/*"))
    labels = [f"{path.parent.name}!" for path in paths]
    chunk = read(paths, labels, skip_bad=True)
    assert len(chunk.skipped) == 6 and chunk.labels.tolist() == [label + "!" for label in LABELS]


def test_files_that_go_away_while_learning_are_named(tmp_path):
    write_folder(tmp_path, COLOUR)
    chunk = read(tmp_path)
    (tmp_path / "cat" / "001.png").unlink()
    records = preprocess.Prepared(chunk, preprocess.spec(chunk.seen))
    assert records.take(torch.tensor([0, 5])).shape == (2, 3, 9, 11)
    with pytest.raises(BadFilesError, match="001.png: no such file"):
        records.take(torch.arange(N))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "holds no images"),
        (["a.png"], "one subfolder for each class was expected"),
        (["train/cat/a.png", "test/cat/b.png"], "parts of a data set"),
    ],
)
def test_folders_without_classes_are_refused(tmp_path, names, message):
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        picture(COLOUR[0]).save(tmp_path / name)
    with pytest.raises(DataError, match=message):
        read(tmp_path)
    with pytest.raises(DataError, match="and y was given as well"):
        read(tmp_path, [1])


def test_data_read_before_is_taken_as_it_is_but_needs_labels():
    chunk = read(COLOUR, need_labels=False)
    assert read(chunk, need_labels=False) is chunk
    with pytest.raises(DataError, match="requires y"):
        read(chunk)
