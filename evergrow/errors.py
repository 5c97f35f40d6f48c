"""What evergrow raises on purpose: one tree, messages say what was expected, what came, what to do.

EvergrowError
 ├─ NotFittedError     a question was asked before anything was learnt
 ├─ DataError          X, y or a file cannot be used
 │   └─ BadFilesError  some files cannot be read; all of them are listed at once
 ├─ SettingError       a parameter has a value that cannot be used
 ├─ ModelError         a model folder is missing, or not ours
 │   ├─ DamagedError   its content does not match its hashes
 │   ├─ FormatError    it was written in a format that this version does not know
 │   └─ LockedError    another process is writing to it
 ├─ GateError          an update was refused by its gate; the model is as it was
 └─ ContractError      a method breaks the contract of `evergrow.checks`
"""

from collections.abc import Sequence
from typing import Any

STOPPED = "interrupted; the model is as it was"  # what a user who interrupts is told


class EvergrowError(Exception):
    """Base class: catch this to catch anything evergrow raises on purpose."""


class NotFittedError(EvergrowError, ValueError, AttributeError):
    """A question was asked before anything was learnt."""


class DataError(EvergrowError, ValueError):
    """X, y or a file has a shape, type, label or content that cannot be used."""


class BadFilesError(DataError):
    """Some files cannot be read.  files: pairs of path and reason, all of them."""

    def __init__(self, files: Sequence[tuple[str, str]], total: int):
        self.files = list(files)
        lines = "\n".join(f"  {path}: {reason}" for path, reason in self.files)
        super().__init__(
            f"{len(self.files)} of {total} files cannot be used:\n{lines}\n"
            "Nothing was done. Mend or remove them, "
            "or pass over them with --skip-bad (skip_bad=True)."
        )


class SettingError(EvergrowError, ValueError):
    """A parameter has a value that cannot be used."""


class ModelError(EvergrowError):
    """A model folder is missing, or is not one."""


class DamagedError(ModelError):
    """A file of a model folder does not match the hash in its manifest."""


class FormatError(ModelError):
    """A model folder was written in a format that this version does not know."""


class LockedError(ModelError):
    """Another process is writing to the model folder."""


class GateError(EvergrowError):
    """An update was refused by its gate; the model is as it was.  report: what it did, if known."""

    def __init__(self, message: str, report: dict[str, Any] | None = None):
        self.report = report
        super().__init__(message)


class ContractError(EvergrowError, AssertionError):
    """A method breaks the contract of `evergrow.checks`."""
