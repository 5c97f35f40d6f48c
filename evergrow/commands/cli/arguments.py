"""What stands on the command line -> settings, data, and where a method of your own is found."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...data.source import Source
from ...model import options
from .. import learn as learning


def given_settings(**settings: Any) -> dict[str, Any]:
    """The options that were given, as parameters of the classifier."""
    parameters = {name: value for name, value in settings.items() if value is not None}
    for name, read in (("freeze", options.parse_freeze), ("image_size", options.parse_image_size)):
        if name in parameters:
            parameters[name] = read(parameters[name])
    return parameters


def sources_beside(data: Source, old: Path | None, auxiliary: Path | None) -> learning.Beside:
    """What comes beside data, read as it is."""
    others = (None if path is None else replace(data, data=path) for path in (old, auxiliary))
    return learning.Beside(*others)


def find_here(method: str | None) -> None:
    """Let MODULE:CLASS name a file in the working directory."""
    if method and ":" in method:
        sys.path.insert(0, os.getcwd())
