"""A report as one HTML file that needs nothing else: no network, no other file."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...storage.extras import optional

TEMPLATE = Path(__file__).with_name("report.html")


@dataclass(frozen=True)
class Table:
    """Rows under a header.  right: columns of numbers.

    marks: for each row "floor", "ceiling" or ""; none where rows are not marked.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[Any]]
    right: Sequence[int] = ()
    marks: Sequence[str] = ()


@dataclass(frozen=True)
class Pair:
    """Two classes that are confused.  images: PNG files in base64, with captions."""

    label: str
    predicted: str
    samples: str
    images: Sequence[tuple[str, Sequence[str]]] = ()


@dataclass(frozen=True)
class Section:
    """A part of the page.  charts: plotly figures."""

    title: str
    note: str = ""
    charts: Sequence[Any] = ()
    table: Table | None = None
    points: Sequence[str] = ()
    pairs: Sequence[Pair] = ()


@dataclass(frozen=True)
class Page:
    """A whole report.  tiles: the figures to see first, by name."""

    title: str
    subtitle: str
    tiles: Sequence[tuple[str, str]]
    sections: Sequence[Section] = field(default_factory=list)


def embedded(png: bytes) -> str:
    """A PNG file in base64."""
    return base64.b64encode(png).decode()


def html(page: Page) -> str:
    """The page with all that it needs.  SettingError: it has charts, and their extra is missing."""
    from jinja2 import Environment

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    sections = [
        vars(s) | {"charts": [(c.layout.meta["title"], c.to_json()) for c in s.charts]}
        for s in page.sections
    ]
    script = _plotly() if any(s.charts for s in page.sections) else ""
    return template.render(page=vars(page) | {"sections": sections}, plotly=script)


def _plotly() -> str:
    """The script that draws charts, as it stands inside a page."""
    from markupsafe import Markup

    script = optional("plotly.offline", "report", "a report with charts").get_plotlyjs()
    return Markup(script.replace("</script", "<\\/script"))  # noqa: S704 plotly's own
