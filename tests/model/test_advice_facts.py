"""What is at hand when a chunk comes, read off models."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from evergrow import GrowingClassifier, load, methods
from evergrow.data.drift import summarise
from evergrow.data.read import Seen
from evergrow.data.task import Task, Tensors
from evergrow.model.advice_facts import Facts, gather_facts

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3)).astype(np.float32) + 9 * np.eye(3, dtype=np.float32)[np.arange(60) % 3]
Y = np.array(list("abc"))[np.arange(60) % 3]


def facts(model: GrowingClassifier, labels: str = "cd", now=None, recalls=None) -> Facts:
    """Of ten samples of each of these labels."""
    y, before = np.repeat(list(labels), 10), model.model
    after = replace(before, classes=before.classes_with(y))
    records, old, total = Tensors(torch.zeros(len(y), 3)), len(before.classes), len(after.classes)
    task = Task(records, after.columns_of(y), old, total, before.tasks)
    return gather_facts(after, task, now, recalls)


def test_samples_are_counted_by_column_and_absent_classes_found():
    found = facts(GrowingClassifier("mlp", "finetune", epochs=1).partial_fit(X, Y))
    assert (found.classes, found.old, found.born) == (["a", "b", "c", "d"], 3, 1)
    assert (found.learnt, found.coming) == ([20, 20, 20, 0], [0, 0, 10, 10])
    assert (found.absent, found.share, found.tasks) == (2, 0.5, 1)
    assert (found.method, found.family, found.trains) == ("finetune", "transfer", True)


def test_what_a_memory_holds_of_absent_classes_is_a_mean():
    model = GrowingClassifier("mlp", methods.ER(memory=30), epochs=1).partial_fit(X, Y)
    past = model.learner_.past
    found = facts(model)
    assert found.room == 30 and found.held == float((past.y < 2).sum()) / 2
    assert facts(model, "abcd").held == 0  # none is absent


def test_the_nearest_neighbour_of_what_a_memory_holds_tells_distant_classes_apart():
    model = GrowingClassifier("mlp", methods.ER(memory=30), epochs=1)
    assert facts(model.partial_fit(X, Y)).nearest > 0.9  # a and b are nine deviations apart
    model = GrowingClassifier("mlp", methods.ER(memory=30), epochs=1)
    assert facts(model.partial_fit(X[rng.permutation(60)], Y)).nearest < 0.7
    assert facts(GrowingClassifier("none", "joint").partial_fit(X, Y)).nearest is None


@pytest.mark.parametrize("name", ["joint", "finetune", "lda"])
def test_methods_that_keep_everything_or_nothing_have_no_room(name):
    assert facts(GrowingClassifier("none", name).partial_fit(X, Y)).room is None


def test_recalls_of_classes_become_a_mean_of_those_that_are_known():
    model = GrowingClassifier("none", "lda").partial_fit(X, Y)
    assert facts(model).recall is None
    assert facts(model, recalls=[0.5, None, 1.0]).recall == 0.75


def test_a_backbone_kept_at_random_is_known_from_one_that_learns():
    kinds = [
        ("mlp", "lda", {}),
        ("mlp", "er", {}),
        ("none", "lda", {}),
        ("mlp", "ranpac", {"adapt": True}),
    ]
    models = [
        GrowingClassifier(b, methods.get(m, **s), epochs=1).partial_fit(X, Y) for b, m, s in kinds
    ]
    assert [facts(model).untrained for model in models] == [True, False, False, False]
    assert facts(models[1]).trains and not facts(models[0]).trains


def test_the_features_that_a_random_layer_makes_are_counted_and_a_fixed_penalty_is_told():
    acil = facts(GrowingClassifier("none", methods.get("acil", size=40)).partial_fit(X, Y))
    assert (acil.width, acil.penalty) == (40, 0.01)
    lda = facts(GrowingClassifier("none", "lda").partial_fit(X, Y))
    assert (lda.width, lda.penalty) == (3, None)


def test_inputs_are_compared_with_the_first_also_after_the_folder(tmp_path):
    model = GrowingClassifier("none", "lda").partial_fit(X, Y)
    model.save(tmp_path / "m")
    again = load(tmp_path / "m")
    assert again.began_ == model.began_
    now = summarise(Tensors(torch.from_numpy(X) * 1000), Seen("table", shape=(3,)), 3)
    assert facts(again, now=now).unlike and not facts(again, now=again.began_).unlike


def test_a_model_saved_before_looks_were_kept_brings_none(tmp_path, monkeypatch):
    from evergrow.model import serialize

    model = GrowingClassifier("none", "lda").partial_fit(X, Y)
    made = serialize.parts(model.model)
    del made["manifest"]["began"]
    monkeypatch.setattr(serialize, "parts", lambda _: made)
    model.save(tmp_path / "m")
    monkeypatch.undo()
    old = load(tmp_path / "m")
    assert old.began_ is None
    assert old.advise(X * 1000, Y) == [] and old.partial_fit(X, Y).began_ is None
