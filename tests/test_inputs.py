from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from evergrow.errors import BadFilesError, DataError
from evergrow.inputs import How, from_array, from_frame, from_list, from_tensor

UNLABELLED = How(need_labels=False)


def test_labels_come_from_x_or_apart_or_are_not_needed():
    x = np.ones((2, 3))
    assert from_array(x, How(y=["a", "b"])).labels.tolist() == ["a", "b"]
    assert from_array(x, How(), np.array([1, 2])).labels.tolist() == [1, 2]
    assert from_array(x, UNLABELLED).labels is None
    with pytest.raises(DataError, match="requires y to be passed"):
        from_array(x, How())


def test_labels_given_apart_go_before_those_found():
    frame = pd.DataFrame({"a": [1, 2], "label": [3, 4]})
    chunk = from_frame(frame, How(y=[5, 6]))
    assert chunk.labels.tolist() == [5, 6] and chunk.seen.names == ("a", "label")


def test_tensors_are_read_channels_first():
    x = torch.arange(2 * 27, dtype=torch.uint8).reshape(2, 3, 3, 3)
    np.testing.assert_array_equal(from_tensor(x, UNLABELLED).take(np.arange(2)), x.numpy())
    with pytest.raises(DataError, match="channels may come first or last"):
        from_array(x.numpy(), UNLABELLED)


def test_strings_are_paths_where_they_end_like_images_or_the_first_is_a_file(tmp_path):
    Image.new("L", (2, 2)).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "b")
    assert from_list([str(tmp_path / "b")], UNLABELLED).kind == "image"
    with pytest.raises(BadFilesError, match="no such file"):
        from_list(["one.png", "two.jpg"], UNLABELLED)
    assert from_list(["one", "two.jpg"], UNLABELLED).kind == "text"
    assert from_list([str(tmp_path / "b")], How(text="x", need_labels=False)).kind == "text"


def test_sizes_are_the_one_or_the_smallest_and_the_largest():
    pictures = [Image.new("L", size) for size in ((4, 9), (3, 3), (20, 2))]
    assert from_list(pictures, UNLABELLED).seen.sizes == ((3, 3), (2, 20))
    assert from_list(pictures[:1], UNLABELLED).seen.sizes == ((9, 4),)
    assert from_list([np.zeros((9, 4))], UNLABELLED).seen.from_files is False


def test_labels_are_checked_before_files_are_decoded(tmp_path):
    with pytest.raises(DataError, match=r"inconsistent numbers of samples: \[2, 1\]"):
        from_list([Path("none.png")] * 2, How(y=[1]))
    with pytest.raises(DataError, match="requires y"):
        from_list([Path("none.png")] * 2, How())
