"""Answers as people read them."""

import sys

from evergrow import display


def test_a_cell_may_hold_a_tab_or_a_new_line(capsys):
    display.table(["a", "b"], [["x\ty", "1\n2"]])
    assert capsys.readouterr().out == "a\tb\nx y\t1 2\n"


def test_at_a_terminal_tables_are_aligned_and_brackets_are_no_markup(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    display.table(["class", "samples"], [["[red]cat[/red]", 5], ["dog", 1234]], right=(1,))
    lines = capsys.readouterr().out.splitlines()
    assert any("[red]cat[/red]" in line for line in lines)
    assert not any("\t" in line for line in lines)


def test_sizes_are_in_the_unit_that_fits():
    assert [display.size(n) for n in (0, 999, 1500, 2_000_000, 3_100_000_000)] == [
        "0 bytes",
        "999 bytes",
        "1.5 kB",
        "2.0 MB",
        "3.1 GB",
    ]
