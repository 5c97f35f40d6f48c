"""Charts of a report, as plotly figures that read in dark and in light and on paper."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...storage.extras import optional

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Okabe and Ito 2008, Color universal design: told apart by colour-blind readers
COLOURS = ("#3b8fd1", "#e08a00", "#00a37a", "#d9603b", "#c46fa5", "#8a8f98", "#56b4e9", "#b5a000")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "cross", "x", "triangle-up", "star", "hexagon")
SHADES = [[0, "#f4f6fa"], [0.5, "#6ba6d6"], [1, "#0b3c6d"]]
MANY = 20  # labels of an axis, from which on they are small, so that each is there
Numbers = Sequence[float | None]


def figure(title: str, x: str, y: str, height: int = 360) -> "go.Figure":
    """An empty figure with named axes, on no background of its own.

    Raises SettingError where plotly is missing.
    """
    chart: go.Figure = optional("plotly.graph_objects", "report", "a report with charts").Figure()
    chart.update_layout(
        meta={"title": title},  # set as text above the chart, where it can break into lines
        height=height,
        margin={"l": 60, "r": 20, "t": 15, "b": 50},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 13},
        legend={"orientation": "h", "y": -0.25},
        xaxis={"title": x, "gridcolor": "rgba(128,128,128,.25)", "zeroline": False},
        yaxis={"title": y, "gridcolor": "rgba(128,128,128,.25)", "zeroline": False},
    )
    return chart


def lines(
    title: str,
    axes: tuple[str, str],
    x: Sequence[Any],
    series: Mapping[str, Numbers],
    margins: Mapping[str, Numbers] | None = None,
) -> "go.Figure":
    """Shares in [0, 1] along x, a line for each name; margins: half of an interval about each."""
    chart = figure(title, *axes)
    for i, (name, values) in enumerate(series.items()):
        spread = (margins or {}).get(name)
        error = _within(values, spread) if spread else None
        chart.add_scatter(
            x=list(x),
            y=list(values),
            name=name,
            mode="lines+markers",
            error_y=error,
            line={"color": COLOURS[i % len(COLOURS)], "dash": DASHES[i % len(DASHES)]},
            marker={"symbol": SYMBOLS[i % len(SYMBOLS)], "size": 8},
        )
    chart.update_yaxes(tickformat=".0%", rangemode="tozero", range=[0, 1.04])
    return chart


def _within(values: Numbers, spread: Numbers) -> dict[str, Any]:
    """Error bars of shares, which end at 0 and at 1."""
    pairs = [(v or 0.0, s or 0.0) for v, s in zip(values, spread, strict=True)]
    return {
        "symmetric": False,
        "array": [min(s, 1 - v) for v, s in pairs],
        "arrayminus": [min(s, v) for v, s in pairs],
        "thickness": 1,
        "width": 3,
    }


def heat(
    title: str,
    axes: tuple[str, str],
    columns: Sequence[str],
    rows: Sequence[str],
    values: Sequence[Numbers],
) -> "go.Figure":
    """Shares in [0, 1] in cells, the first row on top; None is left blank."""
    numbered = len(rows) * len(columns) <= 225
    chart = figure(title, *axes, height=min(120 + 34 * max(len(rows), 3), 900))
    texts = [["" if v is None else f"{100 * v:.0f}" for v in row] for row in values]
    chart.add_heatmap(
        x=list(columns),
        y=list(rows),
        z=[list(row) for row in values],
        text=texts,
        texttemplate="%{text}" if numbered else None,
        zmin=0,
        zmax=1,
        colorscale=SHADES,
        showscale=not numbered,  # a third of a phone's width; above, where there are no numbers
        colorbar={"tickformat": ".0%", "thickness": 8, "orientation": "h", "y": 1.0, "len": 0.6},
        hovertemplate="%{y}, %{x}: %{z:.1%}<extra></extra>",
        xgap=1,
        ygap=1,
    )
    labels = {"type": "category", "showgrid": False, "automargin": True}
    small = {"tickfont": {"size": 9}} if max(len(rows), len(columns)) > MANY else {}
    chart.update_xaxes(**labels, **small)
    chart.update_yaxes(autorange="reversed", dtick=1, **labels, **small)
    return chart


def calibration_curves(curves: Mapping[str, Sequence[Sequence[float]]]) -> "go.Figure":
    """Accuracy over confidence, by name: bins of [mean confidence, accuracy, samples]."""
    chart = figure("Calibration", "confidence", "accuracy")
    chart.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        name="perfect",
        line={"color": "rgba(128,128,128,.7)", "dash": "dot", "width": 1},
    )
    for i, (name, bins) in enumerate(curves.items()):
        most = max((b[2] for b in bins), default=1)
        chart.add_scatter(
            x=[b[0] for b in bins],
            y=[b[1] for b in bins],
            name=name,
            mode="lines+markers",
            line={"color": COLOURS[i % len(COLOURS)], "dash": DASHES[i % len(DASHES)]},
            marker={"size": [6 + 12 * (b[2] / most) ** 0.5 for b in bins]},
            customdata=[b[2] for b in bins],
            hovertemplate="sure %{x:.1%}, right %{y:.1%}, %{customdata} samples",
        )
    chart.update_xaxes(range=[0, 1.02], tickformat=".0%")
    chart.update_yaxes(range=[0, 1.04], tickformat=".0%")
    return chart


def bars(
    title: str, axes: tuple[str, str], x: Sequence[str], series: Mapping[str, Numbers]
) -> "go.Figure":
    """Bars side by side, a colour for each name."""
    chart = figure(title, *axes, height=300)
    for i, (name, values) in enumerate(series.items()):
        chart.add_bar(x=list(x), y=list(values), name=name, marker_color=COLOURS[i % len(COLOURS)])
    chart.update_layout(barmode="group", showlegend=len(series) > 1)
    chart.update_xaxes(type="category")
    return chart


def scatter(
    title: str, axes: tuple[str, str], points: Mapping[str, tuple[float | None, float | None]]
) -> "go.Figure":
    """A named point each, x on a logarithmic axis, y a share in [0, 1]."""
    chart = figure(title, *axes)
    for i, (name, (x, y)) in enumerate(points.items()):
        chart.add_scatter(
            x=[x],
            y=[y],
            name=name,
            text=[name],
            mode="markers+text",
            textposition="top center",
            cliponaxis=False,
            marker={
                "size": 11,
                "color": COLOURS[i % len(COLOURS)],
                "symbol": SYMBOLS[i % len(SYMBOLS)],
            },
        )
    chart.update_xaxes(type="log")
    chart.update_yaxes(tickformat=".0%")
    chart.update_layout(showlegend=False)
    return chart
