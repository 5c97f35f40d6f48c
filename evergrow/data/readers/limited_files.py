"""Files that are read into memory: regular ones, plain or gzipped, up to a limit that users set."""

import gzip
import io
import os
import re
import stat
import zlib
from pathlib import Path
from typing import IO, Any

from ...errors import DataError, SettingError

VARIABLE = "EVERGROW_READ_LIMIT"
DEFAULT = 2 * 10**9  # bytes that the content of one file may take in memory
OF_TEXT = 4  # so many times the bytes of text are what its cells take
BLOCK = 1 << 20
UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def limit() -> int:
    """Bytes that a file may take.  Raises SettingError for a variable that says something else.

    >>> limit()
    2000000000
    """
    said = os.environ.get(VARIABLE, "").strip().upper().removesuffix("B")
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)", said)
    if said and match is None:
        raise SettingError(f"{VARIABLE}={os.environ[VARIABLE]!r}: expected bytes, such as 8GB.")
    return int(float(match[1]) * UNITS[match[2]]) if match else DEFAULT


def too_large(path: Path, size: int | None = None) -> DataError:
    """What is raised where a file takes more.  size: bytes that it would take, if known."""
    holds = "more than that" if size is None else f"{size / 1e9:,.1f} GB"
    return DataError(
        f"{path} takes {holds} in memory, and at most {limit() / 1e9:,.1f} GB of a file are read; "
        f"cut it into several, one to learn after another, or set {VARIABLE}=8GB to allow more."
    )


def refuse_special(path: Path) -> None:
    """Raise DataError where it is no regular file: a pipe would be waited for. OSError."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise DataError(f"{path} is a pipe or a device, not a file; save its content as a file.")


def open_limited(path: Path, times: int = 1) -> IO[bytes]:
    """A file to read, unpacked where it is gzipped; reading past the limit raises DataError.

    times: bytes that each byte takes.
    Raises as `refuse_special`.
    """
    refuse_special(path)
    most = limit() // times
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    raw: Any = gzip.open(path, "rb") if packed else open(path, "rb")
    return io.BufferedReader(Limited(raw, path, most), BLOCK)  # type: ignore[type-var]


def read_limited(path: Path, times: int = 1) -> bytes:
    """All of a file.  Raises as `open_limited`."""
    with open_limited(path, times) as file:
        return file.read()


class Limited(io.RawIOBase):
    """Another file, of which at most so many bytes are read."""

    def __init__(self, file: IO[bytes], path: Path, most: int):
        self.file, self.path, self.left = file, path, most

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        """Fill a buffer as far as there is something.  Raises DataError past the limit."""
        data = self.file.read(min(len(buffer), BLOCK))
        self.left -= len(data)
        if self.left < 0:
            raise too_large(self.path)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the other file too."""
        self.file.close()
        super().close()


UNREADABLE = (OSError, EOFError, zlib.error)  # what reading a damaged file raises
