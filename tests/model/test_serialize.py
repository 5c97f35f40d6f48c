"""Save and load: the same model, nothing executed, your own parts checked by fingerprint."""

import subprocess
import sys
import textwrap
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

from evergrow import GrowingClassifier, backbones, load, methods
from evergrow.backbones import MLP, Fourier
from evergrow.checks import blobs, net
from evergrow.errors import SettingError
from evergrow.model import serialize
from evergrow.storage.model_folder import ModelFolder

X, Y = blobs()
FIRST, SECOND = np.isin(Y, list("cad")), np.isin(Y, list("be"))


FINE = {
    "epochs": 4,
    "backbone_lr": 0.5,
    "layer_decay": 0.5,
    "freeze": "layers.0",
    "unfreeze": 1,
    "warmup": 0.25,
    "schedule": "cosine",
}
TUNED = {  # name: method, how it trains
    "er, fine-tuned": (methods.ER(), FINE),
    "er in a stream, fine-tuned": (methods.ER(), FINE | {"boundary": "new classes"}),
    "lda, adapted": (methods.LDA(adapt=True), FINE),
    "fecam, adapted": (methods.FeCAM(adapt=True), {"epochs": 2}),
}
NAMES = [*(entry.name for entry in methods.ENTRIES), *TUNED]


def begun(name: str) -> GrowingClassifier:
    if name in TUNED:
        method, how = TUNED[name]
        return GrowingClassifier(MLP(hidden=(16, 12, 8)), method, **how)
    body = Fourier(width=200) if methods.get(name).needs_fixed else MLP(hidden=(16,))
    return GrowingClassifier(body, name, epochs=2)


@pytest.fixture(scope="module")
def second_process(tmp_path_factory):
    """Each method learns half here; one other process learns the rest of them all."""
    folder = tmp_path_factory.mktemp("second")
    np.savez(folder / "second.npz", X=X[SECOND], y=Y[SECOND], all=X)
    models = {}
    for i, name in enumerate(NAMES):
        models[name] = begun(name).partial_fit(X[FIRST], Y[FIRST])
        models[name].save(folder / f"model-{i}")
    script = f"""
        import numpy as np, torch, evergrow
        torch.set_num_threads({torch.get_num_threads()})
        data = np.load({str(folder / "second.npz")!r})
        for i in range({len(NAMES)}):
            path = {str(folder)!r} + f"/model-{{i}}"
            model = evergrow.load(path).partial_fit(data["X"], data["y"])
            np.save(path + ".npy", model.predict_proba(data["all"]))
            assert model.save(path) == 2
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True)
    return folder, models


@pytest.mark.parametrize("name", NAMES)
def test_a_second_process_is_no_different_from_the_first(second_process, name):
    folder, models = second_process
    path, model = folder / f"model-{NAMES.index(name)}", models[name]
    model.partial_fit(X[SECOND], Y[SECOND])
    assert (np.load(f"{path}.npy") == model.predict_proba(X)).all()
    assert (load(path).predict_proba(X) == model.predict_proba(X)).all()
    assert load(path, version=1).classes_.tolist() == list("acd")


def test_serving_alone_predicts_and_refuses_to_learn(tmp_path):
    model = GrowingClassifier().partial_fit(X, Y)
    model.save(tmp_path)
    light = load(tmp_path, learning=False)
    assert (light.predict_proba(X) == model.predict_proba(X)).all()
    with pytest.raises(SettingError, match="learning=False"):
        light.partial_fit(X, Y)


def test_a_setting_that_had_another_name_is_read_by_it():
    old = {"name": "fourier", "settings": {"features": 30, "bandwidth": 0.7, "limit": 8.0}}
    assert serialize.backbone_settings(old, None) == Fourier(width=30)


def test_settings_come_back(tmp_path):
    model = GrowingClassifier(
        MLP(hidden=(16, 8)), methods.ER(memory=7), epochs=1, lr=0.01, freeze="layers.0"
    )
    model.partial_fit(X, Y).save(tmp_path)
    twin = load(tmp_path)
    assert twin.learner_.memory == 7 and list(twin.backbone.hidden) == [16, 8]
    for name in ("epochs", "lr", "freeze", "batch_size", "random_state"):
        assert getattr(twin, name) == getattr(model, name)
    assert twin.update_["samples"] == 250


def test_the_backbones_rate_of_a_model_saved_when_it_was_absolute_becomes_a_share(tmp_path):
    model = GrowingClassifier("mlp", "finetune", epochs=1, lr=0.02, backbone_lr=0.25)
    model.partial_fit(X[FIRST], Y[FIRST])
    for name, units in (("new", True), ("old", False), ("alike", False)):
        parts = serialize.parts(model.model)
        if not units:  # as they were written before
            del parts["manifest"]["units"]
            parts["manifest"]["parameters"]["backbone_lr"] = 0.005 if name == "old" else None
        folder = ModelFolder(tmp_path / name)
        with folder.writer():
            folder.commit(**parts)
    shares = [load(tmp_path / name).backbone_lr for name in ("new", "old", "alike")]
    assert shares == [0.25, 0.25, None]
    twin = load(tmp_path / "old")
    for m in (model, twin):
        m.partial_fit(X[SECOND], Y[SECOND])
    assert (twin.predict_proba(X) == model.predict_proba(X)).all()
    twin.save(tmp_path / "old")
    assert load(tmp_path / "old").backbone_lr == 0.25  # converted once


def test_a_network_of_your_own_is_not_in_the_folder(tmp_path):
    model = GrowingClassifier(net, "finetune", epochs=1).partial_fit(X, Y)
    model.save(tmp_path)
    with pytest.raises(SettingError, match="backbone=your_module"):
        load(tmp_path)
    with pytest.raises(SettingError, match="fingerprint"):
        load(tmp_path, backbone=lambda: nn.Linear(2, 17))
    assert (load(tmp_path, backbone=net).predict(X) == model.predict(X)).all()


def test_loading_imports_nothing_that_a_manifest_names(tmp_path):
    parts = serialize.parts(GrowingClassifier("mlp", "finetune", epochs=1).partial_fit(X, Y).model)
    parts["manifest"]["method"]["name"] = "this:Zen"
    folder = ModelFolder(tmp_path / "m")
    with folder.writer():
        folder.commit(**parts)
    sys.modules.pop("this", None)
    with pytest.raises(SettingError, match="no code"):
        load(tmp_path / "m")
    assert "this" not in sys.modules


def test_no_file_of_a_model_is_a_pickle(tmp_path):
    GrowingClassifier("mlp", "der++", epochs=1).partial_fit(X, Y).save(tmp_path)
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    suffixes = {p.suffix for p in files if p.parent.name not in ("blobs",)}
    assert suffixes <= {".json", ".safetensors", ".parquet", ""}
    assert not any(p.read_bytes()[:2] in (b"\x80\x04", b"\x80\x02", b"PK") for p in files)


def test_an_adopted_network_is_saved_before_and_after_it_learns(tmp_path):
    network = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 3))
    model = GrowingClassifier.adopt(network, list("xyz"), example=X, epochs=1)
    model.save(tmp_path)
    twin = load(tmp_path, backbone=network)
    assert (twin.predict_proba(X) == model.predict_proba(X)).all()
    for m in (model, twin):
        m.partial_fit(X, Y)
    assert (twin.predict_proba(X) == model.predict_proba(X)).all()
    assert twin.classes_.tolist() == [*"xyz", *"abcde"]


def test_images_in_a_memory_come_back_bit_for_bit(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (40, 9, 9, 3), dtype=np.uint8)
    model = GrowingClassifier("convnet", methods.ER(memory=25), epochs=1)
    model.partial_fit(images, np.arange(40) % 4).save(tmp_path)
    twin = load(tmp_path)
    assert torch.equal(twin.learner_.past.x, model.learner_.past.x)
    assert twin.learner_.past.x.shape == (25, 3, 9, 9)


def test_what_the_command_line_has_learnt_is_still_known_after_a_save_in_python(tmp_path):
    from evergrow.commands import learn

    np.savez(tmp_path / "a.npz", X=X[FIRST], y=Y[FIRST])
    learn.learn(tmp_path / "m", tmp_path / "a.npz")
    load(tmp_path / "m").partial_fit(X[SECOND], Y[SECOND]).save(tmp_path / "m")
    again = learn.learn(tmp_path / "m", tmp_path / "a.npz")
    assert (again["samples"], again["passed_over"], again["version"]) == (0, int(FIRST.sum()), 2)


def test_a_model_goes_to_a_machine_without_its_device(tmp_path):
    model = GrowingClassifier(device="cpu").partial_fit(X, Y)
    model.device = "cuda:7"
    model.save(tmp_path)
    assert load(tmp_path).device == "auto"


@dataclass
class Narrow(Fourier):
    """A backbone that somebody else wrote."""

    width: int = 60


def test_a_backbone_of_ones_own_reads_what_it_says_and_comes_back_with_the_folder(tmp_path):
    model = GrowingClassifier(Narrow()).partial_fit(X[FIRST], Y[FIRST])
    model.save(tmp_path)
    with pytest.raises(SettingError, match="of your own"):
        load(tmp_path)
    twin = load(tmp_path, backbone=Narrow())
    for one in (model, twin):
        one.partial_fit(X[SECOND], Y[SECOND])
    assert (twin.predict_proba(X) == model.predict_proba(X)).all()
    assert model.transform(X).shape == (len(X), 60)
    with pytest.raises(SettingError, match="fingerprint"):
        load(tmp_path, backbone=Narrow(width=61))


@pytest.mark.parametrize("name", ["os:abort", "antigravity:fly", "er"])
def test_a_name_that_was_asked_for_runs_nothing_unless_it_is_what_was_rebuilt(tmp_path, name):
    model = GrowingClassifier("none", "ncm").partial_fit(X[FIRST], Y[FIRST])
    parts = serialize.parts(model.model)
    parts["manifest"]["asked"] = {"backbone": "timm:hf-hub:stranger/network", "method": name}
    with ModelFolder(tmp_path).writer() as folder:
        folder.commit(**parts)
    twin = load(tmp_path)
    assert type(twin.method) is methods.NCM and twin.backbone == backbones.get("none")
    fresh = clone(twin).partial_fit(X[FIRST], Y[FIRST])
    assert (fresh.method_, fresh.backbone_) == ("ncm", "none")


def test_what_was_asked_for_by_name_comes_back_by_name(tmp_path):
    for asked in (("auto", "auto"), ("none", "ncm")):
        model = GrowingClassifier(*asked).partial_fit(X[FIRST], Y[FIRST])
        model.save(tmp_path / asked[1])
        twin = load(tmp_path / asked[1])
        assert (twin.backbone, twin.method) == asked
