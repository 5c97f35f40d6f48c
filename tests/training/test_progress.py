"""The progress bar: late, on standard error, gone at the end; nothing where nobody looks."""

import io

from rich.console import Console

from evergrow.training import progress


def drawn(bar: progress.Bar, monkeypatch) -> io.StringIO:
    """What the bar writes, as at a terminal."""
    paper = io.StringIO()
    real = progress.bar_on_stderr

    def on_paper(*columns, **settings):
        made = real(*columns, **settings)
        made.live.console = Console(file=paper, force_terminal=True, width=120)
        return made

    monkeypatch.setattr(progress, "bar_on_stderr", on_paper)
    return paper


def test_a_bar_shows_share_terms_and_rate(monkeypatch):
    bar = progress.Bar(patience=0)
    paper = drawn(bar, monkeypatch)
    bar.start(10)
    bar.step({"new": 0.25, "replay": 1.5}, n=4)
    bar.close()
    assert "learning" in paper.getvalue() and "40%" in paper.getvalue()
    assert "new 0.25" in paper.getvalue() and "replay 1.5" in paper.getvalue()
    assert "steps/s" in paper.getvalue()


def test_a_loop_that_goes_on_begins_where_it_was_and_counts_its_own_steps(monkeypatch):
    monkeypatch.setattr(progress.time, "monotonic", iter(range(99)).__next__)
    bar = progress.Bar(patience=0)
    paper = drawn(bar, monkeypatch)
    bar.start(10, done=6)
    bar.step(n=2)
    bar.close()
    assert "80%" in paper.getvalue() and "2 steps/s" in paper.getvalue()


def test_a_short_loop_shows_nothing(monkeypatch):
    bar = progress.Bar(patience=1000)
    paper = drawn(bar, monkeypatch)
    bar.start(3)
    for _ in range(3):
        bar.step()
    bar.close()
    assert paper.getvalue() == ""


def test_nothing_is_drawn_where_standard_error_is_no_terminal():
    assert isinstance(progress.for_terminal(), progress.Silent)


def test_a_bar_may_be_closed_twice_and_started_again(monkeypatch):
    bar = progress.Bar(patience=0)
    drawn(bar, monkeypatch)
    for _ in range(2):
        bar.start(1)
        bar.step()
        bar.close()
        bar.close()
