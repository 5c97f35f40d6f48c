"""Packages that only an extra brings: imported where they are needed, or said how to get them."""

from importlib import import_module
from typing import Any

from ..errors import SettingError


def optional(module: str, extra: str, what: str) -> Any:
    """A module of an optional package.  what: needs it, for the message.

    Raises SettingError, with the command that installs it, where it is missing.

    >>> optional("math", "all", "arithmetic").floor(2.5)
    2
    >>> optional("no_such_package.part", "images", "backbone x")
    Traceback (most recent call last):
    ...
    evergrow.errors.SettingError: backbone x needs no-such-package, which is not installed: pip \
install 'evergrow[images]'.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = (error.name or module).partition(".")[0].replace("_", "-")
        raise SettingError(
            f"{what} needs {package}, which is not installed: pip install 'evergrow[{extra}]'."
        ) from None
