"""Exit codes are those that the documentation lists."""

import pytest

from evergrow.commands.cli import exit_codes
from evergrow.errors import DataError, GateError, LockedError, SettingError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GateError("lost"), 3),
        (SettingError("lr"), 2),
        (DataError("X"), 1),
        (LockedError("held"), 1),
        (OSError(28, "No space left"), 1),
        (ZeroDivisionError(), 1),
    ],
)
def test_exit_codes_are_those_of_the_documentation(error, code):
    assert exit_codes.exit_code(error) == code
