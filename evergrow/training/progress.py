"""A progress bar on standard error: share done, loss terms, rate, time left."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import ProgressColumn

_quiet: ContextVar[bool] = ContextVar("quiet", default=False)


class Progress(Protocol):
    """What a loop tells of its steps; used for one loop at a time, started again for the next."""

    def start(self, total: int, what: str = "learning", *, done: int = 0) -> None:
        """A loop of `total` steps begins, or goes on where `done` of them are behind it."""

    def step(self, terms: dict[str, float] | None = None, n: int = 1) -> None:
        """`n` steps are done; `terms` are the latest values of the loss terms, by name."""

    def close(self) -> None:
        """The loop is over, or was left."""


class Silent:
    """Shows nothing.

    >>> silent = Silent()
    >>> silent.start(10); silent.step({"new": 0.5}); silent.close()
    """

    def start(self, total: int, what: str = "learning", *, done: int = 0) -> None:
        pass

    def step(self, terms: dict[str, float] | None = None, n: int = 1) -> None:
        pass

    def close(self) -> None:
        pass


class Bar:
    """A bar that appears once a loop has lasted `patience` seconds, and goes when it ends."""

    def __init__(self, patience: float = 1.0):
        self.patience = patience
        self._bar: RichProgress | None = None
        self._total = self._done = self._before = 0
        self._began = 0.0
        self._what = ""

    def start(self, total: int, what: str = "learning", *, done: int = 0) -> None:
        self.close()
        self._total, self._done, self._before = total, done, done
        self._what, self._began = what, time.monotonic()

    def step(self, terms: dict[str, float] | None = None, n: int = 1) -> None:
        self._done += n
        seconds = time.monotonic() - self._began
        if self._bar is None and seconds >= self.patience:
            from rich.progress import TaskProgressColumn, TextColumn, TimeRemainingColumn

            terms_column = TextColumn("{task.fields[terms]}", style="cyan")
            shown = TaskProgressColumn(), terms_column, "{task.fields[rate]}", TimeRemainingColumn()
            self._bar = bar_on_stderr(*shown)
            self._bar.add_task(self._what, total=self._total, terms="", rate="")
            self._bar.start()
        if self._bar is not None:
            words = "  ".join(f"{name} {value:.3g}" for name, value in (terms or {}).items())
            rate = f"{(self._done - self._before) / seconds:,.0f} steps/s"
            task = self._bar.task_ids[0]
            self._bar.update(task, completed=self._done, terms=words, rate=rate)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def bar_on_stderr(*columns: "str | ProgressColumn", period: float = 30.0) -> "RichProgress":
    """A display that vanishes when it stops: what runs, a bar, then `columns`.

    columns: texts with fields of the task, as "{task.fields[rate]}"; or of rich's own.
    period: seconds by whose steps the time left is told.
    """
    from rich.console import Console
    from rich.progress import BarColumn
    from rich.progress import Progress as RichProgress

    return RichProgress(
        "{task.description}",
        BarColumn(),
        *columns,
        console=Console(stderr=True),
        transient=True,
        speed_estimate_period=period,
    )


def for_terminal() -> Progress:
    """A bar where standard error is a terminal; silence elsewhere, and within `silenced`.

    >>> type(for_terminal()).__name__  # tests write to a file
    'Silent'
    """
    seen = sys.stderr is not None and sys.stderr.isatty() and not _quiet.get()
    return Bar() if seen else Silent()


@contextmanager
def silenced() -> Iterator[None]:
    """No bars while the block runs: another display has the terminal."""
    before = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(before)
