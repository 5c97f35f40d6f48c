import pytest
import torch

from evergrow.errors import SettingError
from evergrow.storage import stored_values
from evergrow.storage.durable_files import Fault

STATE = {"t": torch.zeros(3, 2), "n": 4, "table": {"w": torch.ones(1)}, "yes": True}


def test_what_fits_is_given_back():
    assert stored_values.tensor(STATE, "t", torch.float32, (None, 2)) is STATE["t"]
    assert stored_values.whole(STATE, "n", most=4) == 4
    assert stored_values.tensors(STATE, "table") == STATE["table"]


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (lambda: stored_values.tensor(STATE, "gone", torch.float32, (3, 2)), "gone is missing"),
        (lambda: stored_values.tensor(STATE, "n", torch.float32, (3, 2)), "n is no tensor"),
        (lambda: stored_values.tensor(STATE, "t", torch.int64, (3, 2)), "expected torch.int64"),
        (lambda: stored_values.tensor(STATE, "t", torch.float32, (3,)), r"of shape \(3, 2\)"),
        (lambda: stored_values.tensor(STATE, "t", torch.float32, (4, None)), r"of \(4, 'any'\)"),
        (lambda: stored_values.whole(STATE, "n", least=5), "n is 4, expected a whole number in 5"),
        (lambda: stored_values.whole(STATE, "n", most=3), "n is 4"),
        (lambda: stored_values.whole(STATE, "yes"), "yes is True"),
        (lambda: stored_values.tensors(STATE, "t"), "t is no table of tensors"),
        (lambda: stored_values.tensors({"a": {"x": 1}}, "a"), "a is no table"),
        (lambda: stored_values.item([], "x"), "x is missing"),
    ],
)
def test_what_does_not_is_named(read, said):
    with pytest.raises(Fault, match=said):
        read()


def test_foreign_errors_name_the_part_and_ours_pass():
    with (
        pytest.raises(Fault, match=r"state makes no model \(KeyError: 'x'\)"),
        stored_values.part("state"),
    ):
        {}["x"]
    for error in (SettingError("so"), Fault("so"), MemoryError(), OSError()):
        with pytest.raises(type(error)), stored_values.part("state"):
            raise error
