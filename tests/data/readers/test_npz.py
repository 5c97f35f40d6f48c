import numpy as np
import pytest

from evergrow.data.readers.npz import read_npz
from evergrow.errors import DataError

X, Y = np.arange(6.0).reshape(3, 2), np.array([1, 0, 1])


@pytest.mark.parametrize("inputs", ["x", "X", "images", "data", "features"])
@pytest.mark.parametrize("labels", ["y", "labels", "targets"])
def test_usual_keys_are_found(tmp_path, inputs, labels):
    np.savez(tmp_path / "a.npz", **{inputs: X, labels: Y})
    x, y = read_npz(tmp_path / "a.npz")
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y, Y)


def test_labels_are_named_or_not_needed(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, x=X, kind=np.array(["a", "b", "c"]))
    assert read_npz(path, label="kind")[1].tolist() == ["a", "b", "c"]
    assert read_npz(path, need_labels=False)[1] is None
    np.save(tmp_path / "a.npy", X)
    assert read_npz(tmp_path / "a.npy", need_labels=False)[1] is None


def save(path, **arrays):
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": X}, r"has no labels \(expected one key of y, .*its keys are: x\. Name .* label="),
        ({"y": Y}, "has no inputs .*its keys are: y"),
        ({"x_train": X, "y_train": Y}, "its keys are: x_train, y_train"),
        ({"x": X, "y": Y[:2]}, r"inconsistent numbers of samples.*3 in 'x' and 2 in 'y'"),
        ({"x": X, "y": Y + 0.5}, r"continuous. 'y' of .*a.npz holds 1.5"),
        ({"x": np.array([None, 1]), "y": Y[:2]}, "cannot be read .*save arrays of numbers"),
    ],
)
def test_what_is_missing_or_wrong_is_named(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=message):
        read_npz(tmp_path / "a.npz")


def test_a_key_that_is_not_there_and_a_lone_array_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", x=X, y=Y)
    with pytest.raises(DataError, match="expected one key of 'kind'.*x, y"):
        read_npz(tmp_path / "a.npz", label="kind", need_labels=False)
    np.save(tmp_path / "a.npy", X)
    with pytest.raises(DataError, match="holds one array and no labels"):
        read_npz(tmp_path / "a.npy")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", b"hello"])
def test_a_damaged_file_is_refused(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(DataError, match="a.npz cannot be read"):
        read_npz(tmp_path / "a.npz")


def test_a_file_cut_short_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.arange(1000.0), y=np.arange(1000))
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(DataError, match="cannot be read"):
        read_npz(path)
