"""Old samples beside a task, unlabelled inputs beside a task: in Python and at the command line."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from evergrow import GrowingClassifier, load, methods
from evergrow.backbones import MLP
from evergrow.checks import blobs, of
from evergrow.commands import learn as update
from evergrow.errors import DataError, SettingError
from evergrow.methods import FineTune

X, Y = blobs()
OLD, NEW = of(Y, "cad"), of(Y, "be")


def elsewhere():
    """A network that knows c, a and d, trained without evergrow."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 3))
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    x, y = torch.from_numpy(X[OLD]), torch.tensor(["cad".index(label) for label in Y[OLD]])
    for _ in range(200):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(x), y).backward()
        optimizer.step()
    return network


def test_remembered_samples_are_kept_with_the_answers_of_now_and_nothing_is_trained():
    network = elsewhere()
    model = GrowingClassifier.adopt(network, list("cad"), method="der++")
    before = model.decision_function(X)
    model.remember(X[OLD][:6], Y[OLD][:6])
    assert (model.decision_function(X) == before).all()
    assert model.learner_.past.x.tolist() == X[OLD][:6].tolist()
    np.testing.assert_allclose(model.learner_.past.logits, before[OLD][:6], rtol=1e-6)


METHODS = [
    "regrow",
    "er",
    "der++",
    "lda",
    "ncm",
    "joint",
    "er-ace",
    "der",
    "mir",
    "icarl",
    "bic",
    "scr",
]


@pytest.mark.parametrize("method", METHODS)
def test_a_few_old_samples_save_the_old_classes(method):
    network = elsewhere()
    alone = GrowingClassifier.adopt(network, list("cad"), method="finetune", epochs=20)
    helped = GrowingClassifier.adopt(network, list("cad"), method=method, epochs=20)
    helped.remember(X[OLD][:30], Y[OLD][:30])
    for model in (alone, helped):
        model.partial_fit(X[NEW], Y[NEW])
    assert helped.score(X, Y) > 0.95 > alone.score(X, Y) + 0.2


def test_auto_takes_rehearsal_once_old_samples_are_given():
    model = GrowingClassifier.adopt(elsewhere(), list("cad"))
    alone = model.method_
    model.remember(X[OLD][:3], Y[OLD][:3])
    assert model.method_ != alone and "replay" in model.reason_
    assert (alone, model.method_) == ("novelty-gate", "regrow")
    chosen = model.method_
    model.remember(X[OLD][3:6], Y[OLD][3:6])
    assert model.method_ == chosen and model.learner_.past.given == 6
    model.partial_fit(X[NEW], Y[NEW])
    assert model.method_ == chosen


def test_auto_takes_consolidation_once_unlabelled_inputs_come():
    model = GrowingClassifier.adopt(elsewhere(), list("cad"))
    model.partial_fit(X[NEW], Y[NEW], auxiliary=X)
    assert model.method_ == "dmc+" and model.score(X, Y) > 0.9


def test_auto_with_nothing_at_hand_keeps_the_networks_decisions_and_says_what_would_help():
    model = GrowingClassifier.adopt(elsewhere(), list("cad"))
    before = model.predict(X)
    model.partial_fit(X[NEW], Y[NEW])
    same = ~np.isin(model.predict(X), list("be"))
    assert model.method_ == "novelty-gate" and model.score(X, Y) > 0.8
    assert (model.predict(X)[same] == before[same]).all()
    remedies = model.update_["advice"][0]["remedies"]
    assert "points" in remedies[0] and "remember" in remedies[0]


def test_what_is_remembered_survives_the_folder(tmp_path):
    network = elsewhere()
    model = GrowingClassifier.adopt(network, list("cad")).remember(X[OLD][:9], Y[OLD][:9])
    model.save(tmp_path)
    twin = load(tmp_path, backbone=network)
    for m in (model, twin):
        m.partial_fit(X[NEW], Y[NEW])
    assert (model.predict_proba(X) == twin.predict_proba(X)).all()


def test_new_labels_are_not_remembered():
    model = GrowingClassifier("mlp", "er", epochs=1).partial_fit(X[OLD], Y[OLD])
    with pytest.raises(DataError, match="'b' is not one"):
        model.remember(X, Y)
    assert model.classes_.tolist() == list("acd")


def test_a_method_that_keeps_nothing_says_so():
    model = GrowingClassifier("mlp", "finetune", epochs=1).partial_fit(X[OLD], Y[OLD])
    with pytest.raises(SettingError, match="FineTune keeps no samples"):
        model.remember(X[OLD], Y[OLD])


def test_a_failure_to_remember_changes_nothing(monkeypatch):
    model = GrowingClassifier("mlp", "er", epochs=1).partial_fit(X[OLD], Y[OLD])
    before = model.learner_.past.x.clone()
    monkeypatch.setattr(methods.ER, "settle", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        model.remember(X[OLD][:4], Y[OLD][:4])
    assert torch.equal(model.learner_.past.x, before) and model.learner_.past.given == 0


class Looks(FineTune):
    """Takes auxiliary inputs, and notes what came."""

    uses_auxiliary = True

    def learn(self, task):
        self.came = None if task.auxiliary is None else len(task.auxiliary)
        return super().learn(task)


def test_auxiliary_inputs_reach_the_method_without_labels():
    model = GrowingClassifier("mlp", Looks(), epochs=1)
    model.partial_fit(X[OLD], Y[OLD], auxiliary=X[:7])
    assert model.learner_.came == 7 and model.classes_.tolist() == list("acd")
    model.partial_fit(X[NEW], Y[NEW])
    assert model.learner_.came is None


def test_auxiliary_inputs_that_nobody_uses_are_warned_of():
    model = GrowingClassifier("mlp", "er", epochs=1).partial_fit(X[OLD], Y[OLD], auxiliary=X)
    assert any("no use for auxiliary" in line for line in model.update_["warnings"])


def test_auxiliary_inputs_of_another_kind_are_refused_and_nothing_changes():
    model = GrowingClassifier("mlp", Looks(), epochs=1).partial_fit(X[OLD], Y[OLD])
    with pytest.raises(ValueError, match="3"):
        model.partial_fit(X[NEW], Y[NEW], auxiliary=np.zeros((4, 3), np.float32))
    assert model.classes_.tolist() == list("acd")


def folders(tmp_path):
    for name, rows in (("old", OLD), ("new", NEW)):
        np.savez(tmp_path / f"{name}.npz", X=X[rows], y=Y[rows])
    return tmp_path / "m", tmp_path / "old.npz", tmp_path / "new.npz"


def test_the_command_line_keeps_old_samples_and_knows_them_again(tmp_path, capsys):
    from evergrow.commands.cli.main import app

    model, old, new = folders(tmp_path)
    np.savez(tmp_path / "few.npz", X=X[OLD][:9], y=Y[OLD][:9])
    first = GrowingClassifier(MLP(hidden=(16,)), methods.ER(memory=20), epochs=1)
    first.partial_fit(X[OLD], Y[OLD]).save(model)
    words = ["learn", str(model), str(new), "--old", str(tmp_path / "few.npz"), "--json"]
    app(words, standalone_mode=False)
    assert json.loads(capsys.readouterr().out)["samples"] == 100
    past = load(model).learner_.past
    assert past.given == 9 and past.x[:9].tolist() == X[OLD][:9].tolist()
    app(words[:-1] + ["--again", "--json"], standalone_mode=False)
    assert load(model).learner_.past.given == 9


def test_old_samples_of_a_model_that_knows_nothing_are_refused(tmp_path):
    model, old, new = folders(tmp_path)
    with pytest.raises(DataError, match="knows none yet"):
        update.learn(model, new, beside=update.Beside(old=old))
    assert not model.exists() or not any(model.glob("versions/*"))


def test_the_command_line_gives_auxiliary_inputs(tmp_path, capsys):
    from evergrow.commands.cli.main import app

    model, old, new = folders(tmp_path)
    words = ["learn", str(model), str(old), "--backbone", "mlp", "--method", "er", "--epochs", "1"]
    app([*words, "--auxiliary", str(new), "--json"], standalone_mode=False)
    assert "no use for auxiliary" in " ".join(json.loads(capsys.readouterr().out)["warnings"])
