"""Tables over seeds."""

from evergrow.bench import leaderboard
from evergrow.bench.results import Results
from tests.benchmark_rows import row


def cells(rows):
    (body,) = leaderboard.tables(rows).values()
    return [dict(zip(leaderboard.HEADER, line, strict=True)) for _, line in body]


def test_seeds_become_mean_and_spread():
    (line,) = cells([row(seed=0, last=0.4), row(seed=1, last=0.6)])
    assert line["last"] == "50.0 ± 14.1"  # sqrt((0.1^2 + 0.1^2) / 1)
    assert (line["average"], line["seeds"]) == ("75.0 ± 0.0", "2")
    assert line["forgetting"] == "-" and line["peak memory"] == "-"


def test_last_and_average_stand_side_by_side():
    header = list(leaderboard.HEADER)
    assert header.index("average") == header.index("last") + 1
    shown = list(leaderboard.COLUMNS_SHOWN)
    assert shown.index("average") == shown.index("last") + 1


def test_the_best_last_accuracy_stands_first_and_floor_and_ceiling_are_marked():
    rows = [
        row("finetune", last=0.2, role="floor"),
        row("er", last=0.6),
        row("joint", last=0.9, role="ceiling"),
    ]
    names = [line["method"] for line in cells(rows)]
    assert names == ["joint (ceiling)", "er", "finetune (floor)"]


def test_rows_of_one_method_are_told_apart_by_what_differs():
    rows = [row(), row(settings={"memory": 500}, last=0.4)]
    assert [line["method"] for line in cells(rows)] == ["er (memory=200)", "er (memory=500)"]
    other = row(parameters={"epochs": 2, "backbone": {"hidden": [50]}}, last=0.4)
    assert cells([row(), other])[1]["method"] == "er (backbone.hidden=[50])"


def test_every_scenario_has_a_table_of_its_own():
    rows = [row(), row(scenario="mine-2x2")]
    assert list(leaderboard.tables(rows)) == ["digits-5x2", "mine-2x2"]
    text = leaderboard.markdown(rows)
    assert text.index("## digits-5x2") < text.index("## mine-2x2")


def test_the_table_is_written(tmp_path):
    results = Results(tmp_path)
    results.prepare()
    results.keep(row())
    leaderboard.write_markdown(results)
    assert "| er | mlp | 50.0 | 75.0 |" in (tmp_path / "table.md").read_text()
