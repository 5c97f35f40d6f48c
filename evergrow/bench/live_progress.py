"""What a benchmark shows while it runs, on standard error: finished rows, and the time left."""

import sys
from typing import TYPE_CHECKING, Any

from ..formatting import percent
from ..training.progress import bar_on_stderr

if TYPE_CHECKING:
    from rich.progress import Progress


class SilentBoard:
    """Shows nothing.

    >>> silent = SilentBoard()
    >>> silent.start(2, 0); silent.begins("er"); silent.share(0.5); silent.step({}); silent.close()
    """

    def start(self, total: int, already: int) -> None: ...

    def begins(self, what: str) -> None: ...

    def share(self, done: float) -> None: ...

    def step(self, row: dict[str, Any]) -> None: ...

    def close(self) -> None: ...


class Board(SilentBoard):
    """A line for each row that is finished; at a terminal a bar below, with the time left."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._total = self._done = 0

    def start(self, total: int, already: int) -> None:
        """`total` rows are to be made; `already` are there."""
        self._total, self._done = total, 0
        if already:
            self._say(f"{already} {_rows(already)} there already, not run again")
        if total and sys.stderr.isatty():
            from rich.progress import MofNCompleteColumn, TimeElapsedColumn, TimeRemainingColumn

            shown = MofNCompleteColumn(), TimeElapsedColumn(), "left", TimeRemainingColumn()
            self._bar = bar_on_stderr(*shown, period=1e9)  # rows are few and slow
            self._bar.add_task("", total=total)
            self._bar.start()

    def begins(self, what: str) -> None:
        """What is run now, in words."""
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], description=what)

    def share(self, done: float) -> None:
        """The share of the present row that is done, in [0, 1]."""
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=self._done + done)

    def step(self, row: dict[str, Any]) -> None:
        """A row is finished, or has failed."""
        self._done += 1
        self.share(0)
        self._say(f"{self._done}/{self._total}  {line(row)}")

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _say(self, text: str) -> None:
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            print(text, file=sys.stderr, flush=True)


def line(row: dict[str, Any]) -> str:
    """A finished row in a line, or why it failed.

    >>> line({"method": "er", "backbone": "mlp", "seed": 1, "last": 0.5, "average": 0.75,
    ...       "seconds": 2.0})
    'er on mlp, seed 1: last 50.0 %, average 75.0 %, 2.0 s'
    """
    named = f"{row['method']} on {row['backbone']}, seed {row['seed']}: "
    if "error" in row:
        return f"{named}FAILED: {row['error']}"
    shares = f"last {percent(row['last'])}, average {percent(row['average'])}"
    return f"{named}{shares}, {row['seconds']:.1f} s"


def _rows(n: int) -> str:
    return "row is" if n == 1 else "rows are"
