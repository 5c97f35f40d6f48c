"""What the versions of a folder tell, from a model of three updates."""

import pytest

from evergrow import GrowingClassifier
from evergrow.commands.report import history
from evergrow.storage.model_folder import ModelFolder
from tests.growing import images


def test_the_path_goes_from_the_first_version_to_the_current_one(grown):
    past = history.read_history(grown)
    assert past.names == ["v1", "v2", "v3"]
    assert past.groups == {"v1": ["0", "1"], "v2": ["2", "3"], "v3": ["4"]}
    assert past.sizes == [grown.bytes(v) for v in (1, 2, 3)]


def test_versions_rolled_away_from_are_not_on_it(grown):
    assert history.read_history(grown, 2).names == ["v1", "v2"]


def test_the_matrix_has_the_recall_of_each_group_after_each_update(grown):
    past = history.read_history(grown)
    matrix, recalls = past.matrix(), past.reports[2]["per_class"]
    assert [sum(v is not None for v in row) for row in matrix] == [1, 2, 3]
    assert matrix[2][0] == pytest.approx((recalls["0"] + recalls["1"]) / 2)
    assert past.by_class()[4] == [None, None, recalls["4"]]
    assert past.figures("all")[2] == past.reports[2]["all"]


def test_pictures_are_those_that_lie_in_the_grown(grown):
    found = history.kept_images(grown, 3, most=3)
    assert sorted(found) == [0, 1, 2, 3, 4]
    assert all(len(files) == 3 and files[0].startswith(b"\x89PNG") for files in found.values())


def test_no_pictures_where_no_samples_are_kept(tmp_path):
    GrowingClassifier("none", "lda").partial_fit(*images(0, 1)).save(tmp_path / "model")
    assert history.kept_images(ModelFolder(tmp_path / "model"), 1, 3) == {}


def test_pairs_are_ranked_by_how_often_they_are_confused():
    confusion = [["a", "a", 5], ["a", "b", 1], ["b", "a", 4], ["b", "c", 2]]
    assert history.worst_pairs(confusion, 2) == [("b", "a", 4), ("b", "c", 2)]
