"""One tree of exceptions: each is what a caller would expect, too."""

import pytest

from evergrow import errors


@pytest.mark.parametrize(
    ("name", "also"),
    [
        ("NotFittedError", (ValueError, AttributeError)),  # as scikit-learn's
        ("DataError", ValueError),
        ("BadFilesError", errors.DataError),
        ("SettingError", ValueError),
        ("DamagedError", errors.ModelError),
        ("FormatError", errors.ModelError),
        ("LockedError", errors.ModelError),
        ("ContractError", AssertionError),
    ],
)
def test_errors_are_those_that_a_caller_would_catch(name, also):
    kinds = also if isinstance(also, tuple) else (also,)
    assert all(issubclass(getattr(errors, name), kind) for kind in (*kinds, errors.EvergrowError))


def test_the_tree_in_the_docstring_names_all():
    for name, found in vars(errors).items():
        if isinstance(found, type) and issubclass(found, Exception):
            assert name in errors.__doc__


def test_all_bad_files_are_listed_and_kept():
    error = errors.BadFilesError([("a.png", "is empty"), ("b.png", "is no image")], total=9)
    assert error.files == [("a.png", "is empty"), ("b.png", "is no image")]
    assert "2 of 9 files" in str(error) and "  b.png: is no image" in str(error)


def test_a_gate_hands_over_its_report():
    assert errors.GateError("no").report is None
    assert errors.GateError("no", {"old": 0.5}).report == {"old": 0.5}
