"""Tables over seeds."""

from evergrow import scoreboard
from evergrow.results import COLUMNS, Results


def row(method="er", seed=0, **values):
    defaults = {
        "scenario": "digits-5x2",
        "method": method,
        "seed": seed,
        "settings": {"memory": 200},
        "backbone": "mlp",
        "parameters": {"epochs": 2, "backbone": {"hidden": [400]}},
        "last": 0.5,
        "average": 0.75,
        "seconds": 2.0,
        "key": f"{method}{seed}{values}",
        "time": "2026",
    }
    return dict.fromkeys(COLUMNS) | defaults | values


def cells(rows):
    (body,) = scoreboard.tables(rows).values()
    return [dict(zip(scoreboard.HEADER, line, strict=True)) for _, line in body]


def test_seeds_become_mean_and_spread():
    (line,) = cells([row(seed=0, last=0.4), row(seed=1, last=0.6)])
    assert line["last"] == "50.0 ± 14.1"  # sqrt((0.1^2 + 0.1^2) / 1)
    assert (line["average"], line["seeds"]) == ("75.0 ± 0.0", "2")
    assert line["forgetting"] == "-" and line["peak memory"] == "-"


def test_last_and_average_stand_side_by_side():
    header = list(scoreboard.HEADER)
    assert header.index("average") == header.index("last") + 1
    shown = list(scoreboard.SHOWN)
    assert shown.index("average") == shown.index("last") + 1


def test_the_best_last_accuracy_stands_first_and_floor_and_ceiling_are_marked():
    rows = [
        row("finetune", last=0.2, role="floor"),
        row("er", last=0.6),
        row("joint", last=0.9, role="ceiling"),
    ]
    names = [line["method"] for line in cells(rows)]
    assert names == ["joint (ceiling)", "er", "finetune (floor)"]
    assert '<tr class="floor">' in scoreboard.page(rows)


def test_rows_of_one_method_are_told_apart_by_what_differs():
    rows = [row(), row(settings={"memory": 500}, last=0.4)]
    assert [line["method"] for line in cells(rows)] == ["er (memory=200)", "er (memory=500)"]
    other = row(parameters={"epochs": 2, "backbone": {"hidden": [50]}}, last=0.4)
    assert cells([row(), other])[1]["method"] == "er (backbone.hidden=[50])"


def test_every_scenario_has_a_table_of_its_own():
    rows = [row(), row(scenario="mine-2x2")]
    assert list(scoreboard.tables(rows)) == ["digits-5x2", "mine-2x2"]
    text = scoreboard.markdown(rows)
    assert text.index("## digits-5x2") < text.index("## mine-2x2")


def test_the_page_needs_nothing_else_and_escapes_names():
    page = scoreboard.page([row("<b>&")])
    assert "http" not in page and "src=" not in page
    assert "&lt;b&gt;&amp;" in page and "<b>&" not in page


def test_both_tables_are_written(tmp_path):
    results = Results(tmp_path)
    results.prepare()
    results.keep(row())
    scoreboard.write(results)
    assert "| er | mlp | 50.0 | 75.0 |" in (tmp_path / "table.md").read_text()
    assert "<td>er</td>" in (tmp_path / "table.html").read_text()


def test_what_failed_is_shown_below(capsys):
    failed = {"method": "er", "backbone": "mlp", "seed": 1, "error": "no luck"}
    scoreboard.show({"rows": [row()], "failed": [failed], "skipped": [["a", "b"]], "folder": "out"})
    said = capsys.readouterr().out
    assert "er\tmlp\t50.0\t75.0" in said
    assert "1 bad files passed over" in said
    assert "failed: er on mlp, seed 1: no luck" in said and "out/rows.csv" in said
