"""Weights of networks trained elsewhere: from files, and as they are published."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from evergrow import GrowingClassifier, backbones, load
from evergrow.backbones import pretrained_weights
from evergrow.errors import DataError, SettingError

from .networks import ANSWERS, COLOUR, body

timm = pytest.importorskip("timm")

SWIN = "swin_tiny_patch4_window7_224"


@pytest.fixture
def trained():
    """A transformer with weights of its own, and 7 classes."""
    torch.manual_seed(5)
    network = timm.create_model("test_vit", num_classes=7)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return network.eval()


timm = pytest.importorskip("timm")


@pytest.mark.parametrize("classifier", [True, False])
@pytest.mark.parametrize("file", ["w.safetensors", "w.pt", "w.pth", "w.bin", "wrapped.pt"])
def test_weights_come_from_a_file_with_a_classifier_or_without(tmp_path, trained, file, classifier):
    tensors = {
        k: v.clone()
        for k, v in trained.state_dict().items()
        if classifier or not k.startswith("head.")
    }
    path = tmp_path / file
    if path.suffix == ".safetensors":
        save_file(tensors, path)
    elif file == "wrapped.pt":
        torch.save({"epoch": 3, "model": {f"module.{k}": v for k, v in tensors.items()}}, path)
    else:
        torch.save(tensors, path)
    made = body("test_vit", weights=str(path), pretrained=True)
    assert made.pretrained
    x = torch.rand(2, 3, 160, 160)
    with torch.no_grad():
        expected = trained.forward_head(trained.forward_features(x), pre_logits=True)
        assert torch.equal(made(x), expected)


@pytest.mark.filterwarnings("ignore:torch.searchsorted", "ignore:Using a non-tuple")  # timm's
@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", SWIN])
def test_positions_of_a_file_are_resampled_as_timm_does_it(tmp_path, name):
    torch.manual_seed(5)
    torch.save(timm.create_model(name).state_dict(), tmp_path / "w.pt")
    made = body(name, (64, 96), weights=str(tmp_path / "w.pt"))
    theirs = timm.create_model(
        name,
        pretrained=True,
        num_classes=0,
        img_size=(64, 96),
        pretrained_cfg_overlay={"file": str(tmp_path / "w.pt")},
    )
    found, expected = made.module.state_dict(), theirs.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[key], expected[key]) for key in expected)


def test_a_model_does_not_need_the_file_later(tmp_path, trained):
    path = tmp_path / "w.pt"
    torch.save(trained.state_dict(), path)
    backbone = backbones.get("timm:test_vit", weights=str(path))
    model = GrowingClassifier(backbone, image_size=(96, 128)).partial_fit(COLOUR, ANSWERS)
    assert model.method_ == "lda"  # its weights are worth keeping
    model.save(tmp_path / "model")
    path.unlink()
    twin = load(tmp_path / "model").partial_fit(COLOUR, ["c"] * 6)
    model.partial_fit(COLOUR, ["c"] * 6)
    assert np.array_equal(twin.predict_proba(COLOUR), model.predict_proba(COLOUR))


def test_precision_is_chosen_on_photographs_of_the_size_that_the_network_reads(
    tmp_path, monkeypatch
):
    name = "vit_tiny_patch16_224"  # reads no other size than it was told
    torch.save(timm.create_model(name).state_dict(), tmp_path / "w.pt")
    monkeypatch.setattr("evergrow.nn.precision.native", lambda: True)
    backbone = backbones.get(f"timm:{name}", weights=str(tmp_path / "w.pt"))
    model = GrowingClassifier(backbone, image_size=(64, 96)).partial_fit(COLOUR, ANSWERS)
    assert model.predict(COLOUR).tolist() == ANSWERS


def test_weights_that_do_not_fit_are_refused_by_what_is_wrong(tmp_path, trained):
    path, tensors = tmp_path / "w.pt", trained.state_dict()

    def refused(name, found, match):
        torch.save(found, path)
        with pytest.raises(DataError, match=match):
            body(name, weights=str(path))

    refused("test_resnet", tensors, r"w.pt does not fit test_resnet: .*conv1.0.weight is missing")
    refused("test_vit", tensors | {"extra": torch.ones(1)}, "1 tensors.*extra belongs to no layer")
    less = {k: v for k, v in tensors.items() if k != "blocks.0.norm1.bias"}
    refused("test_vit", less, "1 tensors differ, blocks.0.norm1.bias is missing")
    wide = tensors | {"cls_token": torch.ones(1, 1, 9)}
    refused("test_vit", wide, r"cls_token is \(1, 1, 9\) where \(1, 1, 64\) is needed")
    refused("test_vit", {"state_dict": {}}, "holds no tensors by name")


class Runs:
    """What runs when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_file_that_holds_code_is_refused_and_not_run(tmp_path):
    torch.save({"state_dict": Runs(tmp_path / "ran")}, tmp_path / "w.pt")
    with pytest.raises(DataError, match="would run code; expected .safetensors"):
        body("test_vit", weights=str(tmp_path / "w.pt"))
    assert not (tmp_path / "ran").exists()
    with pytest.raises(DataError, match="no such file"):
        body("test_vit", weights=str(tmp_path / "nowhere.pt"))
    (tmp_path / "w.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match="cannot be read as weights"):
        body("test_vit", weights=str(tmp_path / "w.safetensors"))


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """An empty cache, and no connection: what is asked for is noted."""
    import huggingface_hub
    from huggingface_hub import constants

    asked = []

    class Session:
        def head(self, place, timeout):
            asked.append(place)
            raise OSError("Name or service not known")

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub, "get_session", Session)
    return asked


def test_without_a_connection_the_message_comes_at_once_and_says_what_to_do(offline, tmp_path):
    with pytest.raises(SettingError) as refusal:
        body("test_resnet", pretrained=True)
    assert len(offline) == 1, "it is asked once, and not again and again"
    for part in ("not in the cache", str(tmp_path), "Name or service", "efficientnet_lite0"):
        assert part in str(refusal.value)
    assert "--set backbone.weights=FILE" in str(refusal.value)


@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
@pytest.mark.parametrize("size", [None, 96])
def test_weights_in_the_cache_need_no_connection(offline, tmp_path, trained, file, size):
    repo = timm.get_pretrained_cfg("test_vit").hf_hub_id
    folder = tmp_path / "cache" / f"models--{repo.replace('/', '--')}"
    snapshot = folder / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("abc")
    tensors = {k: v.clone() for k, v in timm.create_model("test_vit").state_dict().items()}
    tensors |= {k: v.clone() for k, v in trained.state_dict().items() if "head." not in k}
    if file.endswith("bin"):
        torch.save(tensors, snapshot / file)
    else:
        save_file(tensors, snapshot / file)
    made = body("test_vit", size, pretrained=True)
    assert torch.equal(made.module.cls_token, trained.cls_token) and offline == []


def test_a_place_that_answers_is_left_to_timm(monkeypatch):
    import huggingface_hub

    class Session:
        def head(self, place, timeout):
            assert 0 < timeout <= 30
            return "404"

    monkeypatch.setattr(huggingface_hub, "get_session", Session)
    config = {"hf_hub_id": "timm/nobody-has-this", "architecture": "x"}
    assert pretrained_weights.published("x", config) == {}
    with pytest.raises(SettingError, match="timm has no weights for 'x'; set weights="):
        pretrained_weights.published("x", {"architecture": "x"})
