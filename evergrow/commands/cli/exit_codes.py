"""How a command ends: the exit code of each kind of error."""

from ...errors import GateError, SettingError

DONE, FAULT, USAGE, REFUSED, INTERRUPTED = 0, 1, 2, 3, 130


def exit_code(error: Exception) -> int:
    """3 where a gate refused, 2 where an option is at fault, else 1: the data or the model."""
    if isinstance(error, GateError):
        return REFUSED
    return USAGE if isinstance(error, SettingError) else FAULT
