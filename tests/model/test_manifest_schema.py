"""A manifest that describes no model is refused by the name of the field that is wrong."""

import copy
import json
import resource

import numpy as np
import pytest

from evergrow import GrowingClassifier, load
from evergrow.commands import versions
from evergrow.errors import DamagedError
from evergrow.model.manifest_schema import check
from evergrow.storage import manifest
from evergrow.storage.durable_files import Fault


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("model")
    X = np.random.default_rng(0).normal(size=(40, 3))
    model = GrowingClassifier("none").partial_fit(X, ["a", "b"] * 20)
    model.assess()
    model.save(path)
    return path


@pytest.fixture
def whole(folder):
    return json.loads((folder / "versions" / "000001" / "manifest.json").read_text())


def test_what_a_model_wrote_is_taken(whole):
    check(whole)


def test_labels_may_hold_any_characters_and_be_of_any_kind(whole):
    for classes in (["a\udcff", "猫"], [0, 1], [True, False], [1.0, 2.0]):
        check(whole | {"classes": classes})


WRONG = [
    ("classes", ["a"], "2 counts of 1 classes"),
    ("classes", ["a", "a"], "a label twice"),
    ("classes", ["a", 1], "text and numbers"),
    ("classes", ["a", ""], "classes.1: .*expected a label"),
    ("classes", [0.5, 1], "expected a label"),
    ("counts", [1, -1], "counts.1: .*greater than or equal to 0"),
    ("counts", {"a": 1}, "counts: "),
    ("tasks", "3", "tasks: "),
    ("adopted", 3, "3 of 2 classes were adopted"),
    ("prepare.kind", "sound", "prepare: "),
    ("prepare.columns", 0, "prepare.table.columns: "),
    ("prepare.names", ["x"], "1 names of 3 columns"),
    ("backbone.scale", -1.0, "backbone.scale: "),
    ("backbone.inputs.std", [1.0, 0.0, 1.0], "backbone.inputs.std.1: "),
    ("backbone.inputs.mean", [1.0, 0.0], "another number of means"),
    ("backbone.name", None, "backbone.name: .*expected text"),
    ("method.settings", [], "method.settings: .*JSON object"),
    ("parameters.epochs", "ten", "parameters.epochs: "),
    ("parameters.epochs", 10**10, "parameters.epochs: "),
    ("parameters.strange", 1, "parameters.strange: "),
    ("parameters.boundary", "none", "parameters.boundary: "),
    ("update.report.per_class", {"a": 2.0}, "update.report.per_class.a: "),
    ("update.report.judged", {"a": 1}, "are of other classes"),
    ("update.seconds", -1.0, "update.seconds: "),
    ("reason", 7, "reason: "),
    ("state", None, "state: "),
    ("asked", "auto", "asked: "),
]


@pytest.mark.parametrize(("path", "value", "said"), WRONG)
def test_what_is_wrong_is_named(whole, folder, tmp_path, path, value, said):
    changed = copy.deepcopy(whole)
    *above, last = path.split(".")
    place = changed
    for key in above:
        place = place[key]
    place[last] = value
    with pytest.raises(Fault, match=f"manifest.json, .*{said}"):
        check(changed)
    file = folder / "versions" / "000001" / "manifest.json"
    before = file.read_bytes()
    try:
        file.write_bytes(manifest.dump(changed))
        for call in (lambda: load(folder), lambda: versions.show(folder)):
            with pytest.raises(DamagedError, match=f"Version 1 of .* is damaged: .*{said}"):
                call()
    finally:
        file.write_bytes(before)


@pytest.mark.parametrize("field", ["classes", "counts", "tasks", "prepare", "backbone", "state"])
def test_what_is_missing_is_named(whole, field):
    del whole[field]
    with pytest.raises(Fault, match=f"manifest.json, {field}: field required"):
        check(whole)


@pytest.mark.parametrize("hidden", [[10**12], [10**6, 10**6], [10**5, 10**4]])
def test_a_network_larger_than_its_weights_is_refused_before_it_is_made(tmp_path, hidden):
    GrowingClassifier("mlp", "er", epochs=1).partial_fit(np.eye(4), [0, 1, 0, 1]).save(tmp_path)
    file = tmp_path / "versions" / "000001" / "manifest.json"
    changed = json.loads(file.read_text())
    changed["backbone"]["settings"]["hidden"] = hidden
    file.write_bytes(manifest.dump(changed))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DamagedError, match="backbone (describes|makes no model)"):
        load(tmp_path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB
