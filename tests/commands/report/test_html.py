"""A report as one HTML file."""

import sys

import pytest

from evergrow.commands.report import charts, html
from evergrow.commands.report.html import Page, Pair, Section, Table
from evergrow.errors import SettingError


def test_all_that_a_page_holds_is_in_the_html_as_text():
    chart = charts.bars("Seconds <spent>", ("version", "s"), ["1"], {"seconds": [2.0]})
    pair = Pair("cat", "dog", "3 of 9", [("cats & dogs", [html.embedded(b"png")])])
    sections = [
        Section("First", "A note.", [chart], Table(["a", "b"], [["x<y", 2]], (1,)), ["a point"]),
        Section("Second", pairs=[pair]),
    ]
    text = html.html(Page("A title", "A subtitle", [("classes", "5")], sections))
    for part in (
        "A title",
        "A subtitle",
        "A note.",
        "x&lt;y",
        "a point",
        "3 of 9",
        "cats &amp; dogs",
    ):
        assert part in text
    assert "Seconds &lt;spent&gt;" in text and "data:image/png;base64,cG5n" in text


def test_a_page_needs_its_extra(monkeypatch):
    sections = [Section("A", charts=[charts.bars("B", ("", ""), [], {})])]
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    with pytest.raises(SettingError, match=r"evergrow\[report\]"):
        html.html(Page("", "", [], sections))


def test_a_page_without_charts_needs_no_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "plotly", None)
    text = html.html(Page("A <title>", "", [], [Section("B", points=["c & d"])]))
    assert "A &lt;title&gt;" in text and "c &amp; d" in text
    assert "<script>" not in text and len(text) < 10_000
