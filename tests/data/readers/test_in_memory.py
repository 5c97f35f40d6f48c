"""Lists of images, paths and rows, and arrays that are lists."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evergrow.data.readers.in_memory import from_array_or_list, from_list
from evergrow.data.readers.read_options import ReadOptions
from evergrow.errors import BadFilesError, DataError

UNLABELLED = ReadOptions(need_labels=False)


def test_an_array_of_texts_along_one_axis_is_a_list():
    chunk = from_array_or_list(np.array(["a cat", "a dog"]), ReadOptions(y=[0, 1]))
    assert chunk.kind == "text" and chunk.take(np.array([1])) == ["a dog"]
    assert (
        from_array_or_list(np.ones((2, 3)), ReadOptions(y=[0, 1]), where=" of x.npy").kind
        == "table"
    )


def test_strings_are_paths_where_they_end_like_images_or_all_are_files(tmp_path):
    for name in ("a.png", "c.png"):
        Image.new("L", (2, 2)).save(tmp_path / name)
    (tmp_path / "a.png").rename(tmp_path / "b")
    assert from_list([str(tmp_path / "b")], UNLABELLED).kind == "image"
    assert from_list([str(tmp_path / "b"), "words"], UNLABELLED).kind == "text"
    with pytest.raises(BadFilesError, match="one.png: no such file"):
        from_list([str(tmp_path / "c.png"), "one.png"], UNLABELLED)
    with pytest.raises(DataError, match="may be image files .'one.png'"):
        from_list(["one.png", "two.jpg"], UNLABELLED)
    with pytest.raises(BadFilesError, match="no such file"):
        from_list(["one.png", "two"], ReadOptions(paths="X", need_labels=False))
    assert from_list(["one", "two.jpg"], UNLABELLED).kind == "text"
    assert from_list([str(tmp_path / "b")], ReadOptions(text="x", need_labels=False)).kind == "text"


def test_sizes_are_the_one_or_the_smallest_and_the_largest():
    pictures = [Image.new("L", size) for size in ((4, 9), (3, 3), (20, 2))]
    assert from_list(pictures, UNLABELLED).seen.sizes == ((3, 3), (2, 20))
    assert from_list(pictures[:1], UNLABELLED).seen.sizes == ((9, 4),)
    assert from_list([np.zeros((9, 4))], UNLABELLED).seen.from_files is False


def test_labels_are_checked_before_files_are_decoded(tmp_path):
    with pytest.raises(DataError, match=r"inconsistent numbers of samples: \[2, 1\]"):
        from_list([Path("none.png")] * 2, ReadOptions(y=[1]))
    with pytest.raises(DataError, match="requires y"):
        from_list([Path("none.png")] * 2, ReadOptions())
