"""Data sets and loaders, whichever way they hold their items."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from evergrow.data.readers.dataset_reader import from_dataset, from_iterable, is_torch
from evergrow.data.readers.read_options import ReadOptions
from evergrow.errors import DataError

X = torch.arange(12, dtype=torch.float32).reshape(4, 3)
Y = torch.tensor([0, 1, 0, 1])


def test_tensors_of_a_data_set_are_taken_as_they_are():
    chunk = from_dataset(TensorDataset(X, Y), ReadOptions())
    assert np.array_equal(chunk.take(np.arange(4)), X.numpy())
    assert chunk.labels.tolist() == [0, 1, 0, 1]
    apart = from_dataset(TensorDataset(X), ReadOptions(y=list("abab")))
    assert apart.labels.tolist() == list("abab")


def test_a_loader_is_run_through_once_in_batches_or_not():
    for size in (3, None):
        chunk = from_iterable(DataLoader(TensorDataset(X, Y), batch_size=size), ReadOptions())
        assert chunk.labels.tolist() == [0, 1, 0, 1] and len(chunk) == 4


def test_an_empty_data_set_is_refused():
    with pytest.raises(DataError, match="X is empty"):
        from_dataset([], ReadOptions())


def test_what_is_of_torch_is_known():
    assert is_torch(X, "", "Tensor") and not is_torch(X.numpy(), "", "Tensor")
    assert is_torch(DataLoader(TensorDataset(X)), "utils.data", "DataLoader")
