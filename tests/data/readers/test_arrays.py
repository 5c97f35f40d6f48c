import numpy as np
import pytest
import torch

from evergrow.data.readers import arrays
from evergrow.data.readers.arrays import from_array, from_tensor
from evergrow.data.readers.read_options import ReadOptions
from evergrow.errors import DataError


@pytest.mark.parametrize("dtype", ["float64", "float16", "int32", "uint8", "bool", "object"])
def test_tables_of_any_numbers_are_float32_rows(dtype):
    x = np.array([[0, 1], [1, 1]]).astype(dtype)
    kind, found = arrays.records(x)
    assert (kind, found.dtype, found.tolist()) == ("table", np.float32, [[0, 1], [1, 1]])


def test_a_clean_float32_table_is_not_copied():
    x = np.ones((3, 2), np.float32)
    assert arrays.records(x)[1] is x


def test_large_finite_numbers_are_fine_though_their_sum_is_not():
    x = np.full((10, 10), 3e38, np.float32)
    assert arrays.rows(x) is x


@pytest.mark.parametrize(
    ("x", "dtype"),
    [
        (np.ones((2, 3)), "float32"),
        (np.ones((2, 3, 4, 5)), "float32"),
        (np.ones((2, 3, 4, 5), np.float16), "float32"),
        (np.ones((2, 3), np.int32), "int64"),
        (np.ones((2, 3), np.uint8), "float32"),
        (np.ones((2, 3), bool), "float32"),
    ],
)
def test_own_networks_get_tensors_of_any_shape_as_they_are(x, dtype):
    kind, found = arrays.records(x, own=True)
    assert (kind, found.dtype.name, found.shape) == ("tensor", dtype, x.shape)
    np.testing.assert_array_equal(found, x)


def test_images_in_bytes_stay_images_for_own_networks_too():
    kind, found = arrays.records(np.ones((2, 8, 8, 3), np.uint8), own=True)
    assert (kind, found.shape) == ("image", (2, 3, 8, 8))


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize(
    ("x", "message"),
    [
        (
            np.ones(3),
            r"Expected 2D array, got 1D array instead:\narray=\[1. 1. 1.\].\nReshape your data",
        ),
        (np.array(3.0), "Expected 2D array, got scalar array instead"),
        (
            np.ones((0, 4)),
            r"Found array with 0 sample\(s\) \(shape=\(0, 4\)\) while a minimum of 1",
        ),
        (
            np.ones((4, 0)),
            r"Found array with 0 feature\(s\) \(shape=\(4, 0\)\) while a minimum of 1",
        ),
        (np.array([[1, np.nan]]), r"contains NaN \(first: row 0, column 1\)"),
        (np.array([[1.0], [-np.inf]]), r"contains infinity.*float32.*first: row 1, column 0"),
        (np.array([[1e300, 0]]), r"too large for dtype\('float32'\)"),
        (np.array([[1j, 0]]), "Complex data not supported"),
        (np.array([["a", "b"]]), "should hold numbers, it has dtype <U1"),
        (np.array([["a", 1]], object), "values that are none"),
        (np.array([[None, 1]], object), r"contains NaN \(first: row 0, column 0\)"),
        (np.array([["2020-01-01"]], "datetime64[D]"), "dtype datetime64"),
        (np.zeros((2, 2), [("a", int)]), "should hold numbers"),
        (np.ma.array([[1.0, 2.0]], mask=[[True, False]]), "masked in 1 places"),
    ],
)
def test_what_is_no_table_is_refused(x, own, message):
    with pytest.raises(DataError, match=message):
        arrays.records(x, own)


def test_an_unused_mask_does_not_matter():
    found = arrays.records(np.ma.array([[1.0, 2.0]], mask=False))[1]
    assert type(found) is np.ndarray and found.tolist() == [[1, 2]]


def test_names_of_columns_are_in_the_message():
    with pytest.raises(DataError, match="row 0, column 'age'"):
        arrays.rows(np.array([[1, np.nan]]), ["size", "age"])


def test_nan_in_a_tensor_is_named_by_its_place():
    x = np.zeros((2, 3, 4, 4))
    x[1, 2, 0, 3] = np.nan
    with pytest.raises(DataError, match="row 1, column 2, 0, 3"):
        arrays.records(x, own=True)


def test_torch_tensors_of_all_sorts_become_arrays():
    assert arrays.from_torch(torch.ones(2, requires_grad=True)).dtype == np.float32
    assert arrays.from_torch(torch.ones(2, dtype=torch.bfloat16)).dtype == np.float32
    assert arrays.from_torch(torch.ones(2, dtype=torch.float16)).dtype == np.float16
    conjugated = torch.tensor([1j]).conj()
    assert arrays.from_torch(conjugated).tolist() == [-1j]
    with pytest.raises(DataError, match="dense data is required"):
        arrays.from_torch(torch.eye(3).to_sparse())


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
