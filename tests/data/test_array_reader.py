"""Arrays and tensors, axes told apart."""

import numpy as np
import pytest
import torch

from evergrow.data.readers.array_reader import from_array, from_tensor
from evergrow.data.readers.read_options import ReadOptions
from evergrow.errors import DataError

UNLABELLED = ReadOptions(need_labels=False)


def test_tensors_are_read_channels_first():
    x = torch.arange(2 * 27, dtype=torch.uint8).reshape(2, 3, 3, 3)
    np.testing.assert_array_equal(from_tensor(x, UNLABELLED).take(np.arange(2)), x.numpy())
    with pytest.raises(DataError, match="channels may come first or last"):
        from_array(x.numpy(), UNLABELLED)


def test_what_was_seen_is_kept_with_the_array():
    images = from_array(np.full((3, 8, 9), 200, np.uint8), UNLABELLED)
    assert (images.kind, images.seen.channels, images.seen.sizes) == ("image", 1, ((8, 9),))
    table = from_array(np.ones((3, 4), np.float32), UNLABELLED, where=" of x.npy")
    assert (table.kind, table.seen.shape, table.name(1)) == ("table", (4,), "row 1 of x.npy")
