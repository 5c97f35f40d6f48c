"""Names: found, misspelt, of before; a model saved under a name of before goes on."""

import subprocess
import sys
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from evergrow import GrowingClassifier, backbones, load, methods
from evergrow.bench import scenario_catalogue
from evergrow.errors import SettingError
from evergrow.model import configure, serialize
from evergrow.model.options import How
from evergrow.registry import Registry
from evergrow.storage.model_folder import ModelFolder


class Fruit(NamedTuple):
    name: str


FRUIT = Registry(
    "fruit",
    (Fruit("apple"), Fruit("pear")),
    otherwise=", or one of your own",
    aliases={"pomme": "apple"},
)
X = np.concatenate([np.random.default_rng(k).normal(4 * k, 1, (20, 3)) for k in range(4)])
Y = np.arange(4).repeat(20)


def test_an_entry_is_found_by_its_name_and_by_the_one_of_before():
    assert FRUIT.named("pear") == FRUIT.entries[1]
    assert FRUIT.named("pomme") == FRUIT.entries[0]
    assert FRUIT.named("quince") is None
    assert [FRUIT.canonical(name) for name in ("pomme", "pear", None)] == ["apple", "pear", None]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("aple", "no fruit 'aple' (did you mean apple?); there are: apple, pear, or one of"),
        ("pome", "no fruit 'pome' (did you mean apple?)"),
        ("PEAR", "no fruit 'PEAR' (did you mean pear?)"),
        ("xyz", "no fruit 'xyz'; there are: apple, pear, or one of your own."),
        ("pear", "no fruit 'pear'; there are"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name, message):
    assert message in str(FRUIT.unknown(name))


def test_each_list_answers_with_its_nearest_names():
    with pytest.raises(SettingError, match=r"no method 'icral' \(did you mean icarl\?\); there"):
        methods.get("icral")
    with pytest.raises(SettingError, match=r"no backbone 'timm'; there are: .*timm:<network>"):
        backbones.get("timm")
    with pytest.raises(SettingError, match=r"'digits5x2' \(did you mean digits-5x2.*, nor a fold"):
        scenario_catalogue.find("digits5x2")


def test_names_are_those_of_evergrows_own_classes_alone():
    class ER(methods.ER):
        pass

    assert methods.name_of(ER()).endswith("ER") and methods.name_of(methods.ER()) == "er"
    with pytest.raises(AttributeError, match=r"evergrow.methods.*no attribute 'Nothing'"):
        _ = methods.Nothing
    with pytest.raises(AttributeError, match=r"evergrow.backbones.*no attribute 'ER'"):
        _ = backbones.ER


def test_lists_need_no_torch():
    names = "registry methods backbones bench.scenario_catalogue".split()
    code = "; ".join(f"import evergrow.{name}" for name in names)
    told = "import sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", f"{code}; {told}"], check=True)


def test_gate_is_the_name_of_before_of_the_novelty_gate():
    assert methods.Gate is methods.NoveltyGate
    assert methods.name_of(methods.get("gate", accept=0.9)) == "novelty-gate"
    clf = GrowingClassifier("mlp", "gate", epochs=1).partial_fit(X[:40], Y[:40])
    clf.partial_fit(X[40:], Y[40:])
    assert (clf.method, clf.method_) == ("gate", "novelty-gate")
    model, lost = configure.change(clf.model, How({"method": "gate"}, ["accept=0.6"]))
    assert model.parameters.method.accept == 0.6 and lost == []


@pytest.mark.parametrize("asked", ["gate", "auto"])
def test_a_model_saved_as_gate_loads_predicts_and_learns_on(tmp_path, asked):
    model = GrowingClassifier("mlp", "gate", epochs=5, random_state=0).partial_fit(X[:40], Y[:40])
    model.partial_fit(X[40:60], Y[40:60])
    parts = serialize.parts(
        replace(model.model, parameters=replace(model.parameters, method=asked))
    )
    parts["manifest"]["method"]["name"] = "gate"  # as it was called when it was saved
    with ModelFolder(tmp_path / "model").writer() as folder:
        folder.commit(**parts)
    for method in (None, "gate", "novelty-gate"):
        found = load(tmp_path / "model", method=method)
        assert found.method_ == "novelty-gate"
        assert (found.predict_proba(X) == model.predict_proba(X)).all()
    found.partial_fit(X[60:], Y[60:])
    assert found.classes_.tolist() == [0, 1, 2, 3]
    assert found.save(tmp_path / "model") == 2
