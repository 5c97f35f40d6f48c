"""The report of a model folder, before it is HTML."""

import pytest

from evergrow.commands import versions
from evergrow.commands.report import history, model_page


@pytest.fixture
def page(grown):
    return model_page.page(grown.path, history.read_history(grown), versions.show(grown.path), {})


def test_its_tiles_are_the_figures_of_the_current_version(page, grown):
    manifest = grown.manifest(3)
    tiles, report = dict(page.tiles), manifest["update"]["report"]
    assert tiles["classes"] == "5" and tiles["samples learnt"] == str(sum(manifest["counts"]))
    assert tiles["of old classes"].startswith(f"{100 * report['old']:.1f} % ± ")
    assert page.title == "model, version 3"


def test_each_version_has_a_row_and_the_current_one_a_mark(page):
    table = next(s.table for s in page.sections if s.title == "Versions")
    assert sorted(row[0] for row in table.rows) == ["1", "2", "3 (current)"]
    assert [row[4] for row in sorted(table.rows)] == ["0, 1", "2, 3", "4"]


def test_many_classes_are_cut_to_those_confused_most():
    labels = [str(i) for i in range(100)]
    confusion = [[a, a, 9] for a in labels] + [["7", "3", 5], ["8", "90", 1]]
    shown = model_page.confusion_matrix(confusion, labels).data[0]
    assert list(shown.x) == ["3", "7", "8", "90"]
