"""From what a command says to a classifier."""

import pytest

from evergrow.errors import SettingError
from evergrow.methods import ER
from evergrow.model import configure
from evergrow.model.options import How


def test_words_go_to_the_method_the_backbone_and_the_classifier():
    words = ["memory=50", "backbone.hidden=8", "weight_decay=0.1", "boundary=new classes"]
    clf = configure.new(How({"method": "er", "backbone": "mlp", "lr": 0.5}, words))
    assert isinstance(clf.method, ER) and clf.method.memory == 50
    assert clf.backbone.hidden == (8,)
    assert (clf.weight_decay, clf.boundary, clf.lr) == (0.1, "new classes", 0.5)


def test_nothing_said_is_every_default():
    clf = configure.new(How())
    assert (clf.backbone, clf.method, clf.epochs) == ("auto", "auto", 10)


@pytest.mark.parametrize(
    "settings, words, said",
    [
        ({}, ["memory=5"], "has no setting 'memory'"),
        ({}, ["backbone.filters=5"], "needs --backbone"),
        ({"backbone": "mlp"}, ["backbone.filters=5"], "has no setting 'filters'"),
        ({"method": "er"}, ["random_state=5"], "has no setting 'random_state'"),
        ({"method": "er"}, ["memory=many"], "memory=many: expected a whole number"),
    ],
)
def test_a_word_that_nobody_takes_is_refused(settings, words, said):
    with pytest.raises(SettingError, match=said):
        configure.new(How(settings, words))


def test_labels_of_a_trained_network_are_lines_of_a_file(tmp_path):
    (tmp_path / "classes.txt").write_text("shirt \n\nankle boot\n", encoding="utf-8")
    assert configure.read_labels(tmp_path / "classes.txt") == ["shirt", "ankle boot"]
