"""Answers as people read them."""

import sys

from evergrow.commands.cli import display
from tests.benchmark_rows import row


def test_a_cell_may_hold_a_tab_or_a_new_line(capsys):
    display.table(["a", "b"], [["x\ty", "1\n2"]])
    assert capsys.readouterr().out == "a\tb\nx y\t1 2\n"


def test_at_a_terminal_tables_are_aligned_and_brackets_are_no_markup(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    display.table(["class", "samples"], [["[red]cat[/red]", 5], ["dog", 1234]], right=(1,))
    lines = capsys.readouterr().out.splitlines()
    assert any("[red]cat[/red]" in line for line in lines)
    assert not any("\t" in line for line in lines)


def test_of_a_benchmark_what_failed_is_shown_below_the_table(capsys):
    rows = [row(last=0.5, average=0.75)]
    failed = {"method": "er", "backbone": "mlp", "seed": 1, "error": "no luck"}
    answer = {"rows": rows, "failed": [failed], "skipped": [["a", "b"]], "folder": "out"}
    display.benchmarked(answer)
    said = capsys.readouterr().out
    assert "er\tmlp\t50.0\t75.0" in said
    assert "1 bad files passed over" in said
    assert "failed: er on mlp, seed 1: no luck" in said and "out/rows.csv" in said


def test_methods_stand_under_their_family_at_a_terminal(capsys, monkeypatch):
    def entry(name, family, needs):
        rest = {"keeps": "images", "paper": "Someone 2020", "line": "Does it."}
        return {"name": name, "family": family, "needs": needs, **rest}

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "120")
    given = [entry("a", "one", ""), entry("b", "one", ""), entry("c", "two", "luck")]
    display.methods_table({"methods": given})
    lines = [line.strip() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert [line.split()[0] for line in lines[2:]] == ["ONE", "a", "b", "TWO", "c"]
    assert "images (needs: luck)" in lines[-1] and lines[-1].endswith("Does it. Someone 2020")


def test_advice_names_its_rule_its_forecast_and_what_helps_and_the_outlook_is_no_warning(capsys):
    common = {"of": "all classes", "remedies": ["more"]}
    found = [
        {"rule": "few", "text": "too few.", "forecast": None} | common,
        {"rule": "outlook", "text": "well.", "forecast": [0.5, 0.9]} | common,
    ]
    display.advice(found)
    said = capsys.readouterr()
    assert said.out == "" and said.err == "few: too few.\n  would help: more\n"
    probe = {"features": 0.9, "trained": 0.8, "network": "mlp", "seconds": 3.2, "held": 50}
    answer = {"samples": 7, "classes": ["a"], "new_classes": ["a"], "advice": found, "reason": "so"}
    display.advised(answer | {"method": "lda", "backbone": "none", "probe": probe})
    out = capsys.readouterr().out
    assert "outlook: well. Forecast: 50 to 90 % of all classes." in out
    assert "90.0 % by features as they are, 80.0 % by mlp trained for 3 s, of 50" in out
