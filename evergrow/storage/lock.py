"""One writer at a time, across processes; who is refused learns who writes."""

import contextlib
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import LockedError, ModelError

if TYPE_CHECKING:
    from filelock import BaseFileLock


class Lock:
    """A lock on a folder, let go by the system when its process ends, however it ends.

    path: the folder; made when the lock is taken, and unmade by `discard`.
    """

    def __init__(self, path: Path):
        self.path = path
        self._lock: BaseFileLock | None = None
        self._made = False

    @property
    def held(self) -> bool:
        """Whether this thread has it through this object."""
        return self._lock is not None and self._lock.is_locked

    def acquire(self, timeout: float) -> None:
        """timeout: seconds to wait.  LockedError: another has it.  ModelError: not writable."""
        import filelock

        self._lock = self._lock or filelock.FileLock(self.path / "lock")
        try:
            self._take(self._lock, timeout)
        except filelock.Timeout:
            raise LockedError(
                f"{self.path} is being written to by {self._holder()}. Wait for it to end and try "
                "again; predicting works meanwhile."
            ) from None
        except OSError as error:
            self._unmake()
            raise ModelError(f"{self.path} cannot be written to: {error.strerror}.") from error
        with contextlib.suppress(OSError):  # a courtesy to those who are refused
            me = f"process {os.getpid()} on {socket.gethostname()}"
            (self.path / "lock").write_text(f"{me} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")

    def _take(self, lock: "BaseFileLock", timeout: float) -> None:
        for attempt in range(100):
            self._made = not self.path.exists()
            self.path.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(timeout=timeout)
                return
            except FileNotFoundError:  # whoever made the folder has just unmade it
                if attempt == 99:
                    raise

    def _holder(self) -> str:
        try:
            return (self.path / "lock").read_text() or "another process"
        except (OSError, ValueError):
            return "another process"

    def discard(self) -> None:
        """Take away the lock's file, and the folder if it was made for it and is empty."""
        with contextlib.suppress(OSError):
            (self.path / "lock").unlink()
        self._unmake()

    def _unmake(self) -> None:
        if self._made:
            with contextlib.suppress(OSError):
                self.path.rmdir()

    def release(self) -> None:
        assert self._lock is not None
        self._lock.release()
