"""What one model in memory answers: columns, classes, scores, features."""

import numpy as np
import pytest
import torch

from evergrow.checks import blobs
from evergrow.data.read import read
from evergrow.errors import DataError
from evergrow.model import update
from evergrow.model.parameters import Parameters

X, Y = blobs()


def learnt(labels=Y, **settings):
    parameters = Parameters("none", "ncm", **settings)
    return update.learn(None, parameters, update.Incoming(read(X, labels)))


@pytest.fixture(scope="module")
def model():
    return learnt()


def test_labels_are_columns_and_unknown_ones_none(model):
    assert model.columns_of(np.array(["c", "z", "a"], object)).tolist() == [2, -1, 0]
    assert model.columns_of(None).shape == (0,)


def test_classes_that_come_stand_behind_those_that_are_known_sorted(model):
    assert model.classes_with(np.array(["z", "c", "B"])).tolist() == [*"abcde", "B", "z"]
    assert model.classes_with(np.array(["a"])) is model.classes
    assert model.columns_of(np.array(["z"])).tolist() == [-1], "to ask adds none"


def test_labels_of_another_kind_are_refused(model):
    with pytest.raises(DataError, match="started with str labels"):
        model.classes_with(np.array([3, 4]))
    with pytest.raises(DataError, match="started with int labels"):
        learnt(np.unique(Y, return_inverse=True)[1]).classes_with(np.array(["a"]))


def test_probabilities_sum_to_one_and_labels_are_the_likeliest(model):
    records = model.records(read(X, Y))
    shares = model.probabilities(records)
    assert shares.shape == (250, 5) and shares.dtype == np.float64
    np.testing.assert_allclose(shares.sum(1), 1)
    assert np.array_equal(model.labels(records), model.classes[shares.argmax(1)])


def test_answers_do_not_depend_on_the_block_they_come_in(model):
    many = np.concatenate([X, X, X])
    whole = model.scores(model.records(read(many, need_labels=False)))
    for i in (0, 300):
        alone = model.scores(model.records(read(many[[i]], need_labels=False)))
        assert torch.equal(whole[[i]], alone)


def test_features_are_what_the_head_sees(model):
    features = model.features(model.records(read(X, Y)))
    assert features.shape == (250, model.net.width) and features.dtype == torch.float32


def test_labels_never_learnt_are_wrong(model):
    right = model.right(read(X, np.where(Y == "a", "other", Y)))
    assert not right[Y == "a"].any() and right[Y != "a"].mean() > 0.9


def test_data_of_another_form_is_refused(model):
    with pytest.raises(DataError):
        model.records(read(np.zeros((3, 8, 8)), need_labels=False))
    with pytest.raises(DataError):
        model.records(read(np.zeros((3, 5)), need_labels=False))


def test_a_model_asked_with_other_parameters_is_the_same_model(model):
    assert model.asked(model.parameters) is model
    other = model.asked(Parameters("none", "ncm", num_workers=2))
    assert other.parameters.num_workers == 2 and other.learner is model.learner
    assert model.parameters.num_workers == 0
