"""Charts: the values that they are given are those that they show."""

import pytest

from evergrow.commands.report import charts


def test_a_line_for_each_name_with_its_margins_told_apart_without_colour():
    many = {f"method {i}": [0.1 * i, None] for i in range(8)}
    made = charts.lines("t", ("task", ""), [1, 2], many, {"method 1": [0.05, 0.0]})
    assert [list(line.y) for line in made.data][2] == [0.2, None]
    assert [line.error_y.array is not None for line in made.data][:3] == [False, True, False]
    looks = {(line.line.color, line.line.dash, line.marker.symbol) for line in made.data}
    assert len(looks) == 8 and made.layout.meta["title"] == "t"


def test_heat_shows_the_first_row_on_top_and_none_as_blank():
    made = charts.heat("t", ("", ""), ["a", "b"], ["1", "2"], [[1.0, None], [0.25, 0.5]])
    cells = made.data[0]
    assert list(cells.text[0]) == ["100", ""] and list(cells.z[1]) == [0.25, 0.5]
    assert made.layout.yaxis.autorange == "reversed" and (cells.zmin, cells.zmax) == (0, 1)
    assert cells.texttemplate == "%{text}"
    wide = charts.heat("t", ("", ""), list(map(str, range(16))), list(map(str, range(16))), [])
    assert wide.data[0].texttemplate is None  # 256 numbers are too many to read


def test_bins_of_more_samples_are_larger_points():
    made = charts.calibration_curves({"now": [[0.5, 0.4, 100], [0.9, 1.0, 25]]})
    perfect, curve = made.data
    assert list(perfect.x) == list(perfect.y) == [0, 1]
    assert (list(curve.x), list(curve.y)) == ([0.5, 0.9], [0.4, 1.0])
    assert list(curve.marker.size) == [18.0, 12.0]


def test_one_series_of_bars_needs_no_legend():
    one = charts.bars("t", ("", ""), ["1", "2"], {"s": [1, 2]})
    two = charts.bars("t", ("", ""), ["1"], {"s": [1], "t": [2]})
    assert not one.layout.showlegend and two.layout.showlegend
    assert list(one.data[0].y) == [1, 2]


def test_each_point_is_named_and_costs_are_on_a_logarithmic_axis():
    made = charts.scatter("t", ("seconds", ""), {"er": (10.0, 0.5), "lda": (1.0, 0.9)})
    assert [(p.name, list(p.x), list(p.y)) for p in made.data] == [
        ("er", [10.0], [0.5]),
        ("lda", [1.0], [0.9]),
    ]
    assert made.layout.xaxis.type == "log"


def test_error_bars_end_at_0_and_at_1():
    values, margins = {"s": [0.98, 0.01, None]}, {"s": [0.1] * 3}
    bars = charts.lines("t", ("x", "y"), ["a", "b", "c"], values, margins).data[0].error_y
    assert [round(v, 9) for v in bars.array[:2]] == [0.02, 0.1]
    assert [round(v, 9) for v in bars.arrayminus[:2]] == [0.1, 0.01]


@pytest.mark.parametrize("n", [3, 40])
def test_every_label_of_a_heat_map_is_there_and_no_colour_bar_beside_numbers(n):
    labels = [f"class {i}" for i in range(n)]
    chart = charts.heat("t", ("x", "y"), labels, labels, [[0.5] * n] * n)
    assert chart.layout.yaxis.dtick == 1
    assert chart.data[0].showscale == (n == 40) and chart.data[0].colorbar.orientation == "h"
