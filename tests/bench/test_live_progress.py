"""What a benchmark shows while it runs."""

import io
import sys

import pytest
from rich.console import Console

from evergrow.bench import live_progress
from evergrow.training import progress

ROW = {"method": "er", "backbone": "mlp", "seed": 1, "last": 0.5, "average": 0.75, "seconds": 2.0}


def test_where_nobody_looks_there_is_a_line_a_row(capsys):
    shown = live_progress.Board()
    shown.start(2, already=1)
    shown.begins("er on mlp, seed 1")
    shown.share(0.5)
    shown.step(ROW)
    shown.step(ROW | {"error": "no luck"})
    shown.close()
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "1 row is there already, not run again",
        "1/2  er on mlp, seed 1: last 50.0 %, average 75.0 %, 2.0 s",
        "2/2  er on mlp, seed 1: FAILED: no luck",
    ]


def test_a_terminal_has_a_bar_with_what_runs_and_the_time_left(monkeypatch):
    paper, real = io.StringIO(), live_progress.bar_on_stderr

    def on_paper(*columns, **settings):
        made = real(*columns, **settings)
        made.live.console = Console(file=paper, force_terminal=True, width=120)
        return made

    monkeypatch.setattr(live_progress, "bar_on_stderr", on_paper)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    shown = live_progress.Board()
    shown.start(4, already=0)
    shown.begins("er on mlp, seed 1")
    shown.share(0.5)
    shown.step(ROW)
    shown.close()
    text = paper.getvalue()
    assert "er on mlp, seed 1" in text and "1/4" in text and "left" in text
    assert "average 75.0 %" in text


@pytest.mark.parametrize("seen", [True, False])
def test_loops_draw_no_bars_below_another_display(monkeypatch, seen):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    if seen:
        assert isinstance(progress.for_terminal(), progress.Bar)
    else:
        with progress.silenced():
            assert isinstance(progress.for_terminal(), progress.Silent)
        assert isinstance(progress.for_terminal(), progress.Bar)
