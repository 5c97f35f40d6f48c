"""Networks of timm: what they read, at what sizes, and where their weights come from."""

import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from sklearn.datasets import load_sample_images

from evergrow import GrowingClassifier, backbones, load, prepare, sources
from evergrow.backbones import weights
from evergrow.errors import DataError, SettingError
from evergrow.sources import Seen

timm = pytest.importorskip("timm")

PHOTOS = [Image.fromarray(image) for image in load_sample_images().images]
PHOTO = Seen("image", channels=3, sizes=((427, 640),), from_files=True)
RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (6, 96, 128, 3), dtype=np.uint8)
ANSWERS = ["a", "a", "a", "b", "b", "b"]


def read(name, size=None):
    """Both photographs as the network reads them, and its form."""
    backbone = backbones.get(f"timm:{name}", pretrained=False)
    chunk = sources.read(PHOTOS, need_labels=False)
    form = backbone.prepare(chunk.seen, size)
    return backbone.inputs(form)(prepare.Prepared(chunk, form).take(torch.arange(2))), form


def body(name, size=None, **settings):
    backbone = backbones.get(f"timm:{name}", **({"pretrained": False} | settings))
    form = backbone.prepare(PHOTO, size)
    return backbone.build(form, torch.Generator().manual_seed(0)).eval()


# -- preprocessing ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "size", "how"),
    [
        ("resnet18", None, ("bicubic", "center", 0.95)),
        ("vgg11", None, ("bilinear", "center", 0.875)),
        ("vit_base_patch16_224", None, ("bicubic", "center", 0.9)),  # mean and deviation 0.5
        ("convnext_base.clip_laion2b_augreg_ft_in12k_in1k_384", None, ("bicubic", "squash", 1.0)),
        ("tf_efficientnetv2_b0", None, ("bicubic", "center", 0.875)),
        ("resnet18", 96, ("bicubic", "center", 0.95)),
        ("resnet18", (96, 160), ("bicubic", "center", 0.95)),
    ],
)
def test_images_are_read_as_timms_own_evaluation_reads_them(name, size, how):
    found, form = read(name, size)
    config = timm.data.resolve_data_config(
        {} if size is None else {"input_size": (3, *np.broadcast_to(size, 2).tolist())},
        pretrained_cfg=timm.get_pretrained_cfg(name).to_dict(),
    )
    theirs = timm.data.create_transform(**config, is_training=False)
    expected = torch.stack([theirs(photo) for photo in PHOTOS])
    assert (form["interpolation"], form["crop"], form["crop_pct"]) == how
    assert found.shape == expected.shape
    levels = (found - expected).abs() * torch.tensor(config["std"]).view(3, 1, 1) * 255
    assert levels.mean() < 0.1 and (levels > 1.01).float().mean() < 1e-3


def test_where_a_border_is_added_it_has_the_mean_of_the_networks_inputs(monkeypatch):
    config = timm.get_pretrained_cfg("resnet18").to_dict()
    backbone = backbones.get("timm:resnet18")
    monkeypatch.setattr(
        backbone, "_config", lambda: config | {"crop_mode": "border", "mean": (0.5, 0, 1)}
    )
    form = backbone.prepare(PHOTO)
    assert (form["crop"], form["fill"]) == ("border", [128, 0, 255])


@pytest.mark.parametrize(("theirs", "ours"), [("lanczos", "bicubic"), ("nearest", "bilinear")])
def test_interpolation_that_is_neither_bilinear_nor_bicubic_goes_by_its_neighbour(
    theirs, ours, monkeypatch
):
    config = timm.get_pretrained_cfg("resnet18").to_dict() | {"interpolation": theirs}
    backbone = backbones.get("timm:resnet18")
    monkeypatch.setattr(backbone, "_config", lambda: config)
    assert backbone.prepare(PHOTO)["interpolation"] == ours


def test_models_begun_before_forms_said_how_go_on_as_they_began(tmp_path, monkeypatch):
    backbone = backbones.get("timm:test_resnet", pretrained=False)
    model = GrowingClassifier(backbone, "lda", image_size=64)
    as_it_was = lambda seen, size: prepare.spec(seen, size, channels=3)  # noqa: E731
    monkeypatch.setattr(backbone, "prepare", as_it_was)
    model.partial_fit(COLOUR, ANSWERS)
    expected, form = model.predict_proba(COLOUR), dict(model.prepare_)
    assert set(form) == {"kind", "channels", "height", "width", "sizes"}
    monkeypatch.undo()
    model.save(tmp_path)
    twin = load(tmp_path)
    assert twin.prepare_ == form
    assert np.array_equal(twin.predict_proba(COLOUR), expected)


# -- sizes -----------------------------------------------------------------------------------------

SWIN = "swin_tiny_patch4_window7_224"


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("test_resnet", 64),
        ("test_resnet", (37, 90)),
        ("vgg11", 96),
        ("test_vit", 96),
        ("test_vit_relpos", (96, 64)),
        ("vit_tiny_patch16_224", (64, 96)),
        ("test_coatnet", 96),
        (SWIN, (64, 96)),
    ],
)
def test_networks_read_other_sizes_than_they_were_trained_at(name, size):
    made = body(name, size)
    height, width = np.broadcast_to(size, 2).tolist()
    with torch.no_grad():
        out = made(torch.rand(2, 3, height, width))
    assert out.shape == (2, made.width) and out.isfinite().all()


@pytest.mark.parametrize(
    ("name", "size", "reason", "works"),
    [
        ("test_vit", 100, "divisible by patch size", "96"),
        ("vit_small_patch14_dinov2", (224, 200), "multiples of its patches, 14 x 14", "(224, 196)"),
        ("vgg11", 20, "Output size is too small", "32"),
        ("nest_tiny", (96, 128), "square", "128"),
        ("efficientformer_l1", 96, "", "224"),
    ],
)
def test_a_size_that_cannot_be_read_is_refused_with_one_that_can(name, size, reason, works):
    with pytest.raises(SettingError) as refusal:
        body(name, size)
    assert f"timm:{name} cannot read images of" in str(refusal.value)
    assert reason in str(refusal.value) and f"image_size={works} works." in str(refusal.value)


def begun(name, size):
    backbone = backbones.get(f"timm:{name}", pretrained=False)
    return GrowingClassifier(backbone, "lda", image_size=size).partial_fit(COLOUR, ANSWERS)


@pytest.mark.parametrize(
    ("name", "size"), [("vit_tiny_patch16_224", 64), ("test_vit", (96, 128)), (SWIN, (64, 96))]
)
def test_transformers_of_another_size_are_saved_and_loaded(tmp_path, name, size):
    model = begun(name, size)
    model.save(tmp_path)
    twin = load(tmp_path)
    for one in (model, twin):
        one.partial_fit(COLOUR[::-1], ["c"] * 6)
    assert np.array_equal(twin.predict_proba(COLOUR), model.predict_proba(COLOUR))


def test_a_transformer_of_another_size_goes_on_in_a_second_process(tmp_path):
    model = begun("test_vit_relpos", (96, 64))
    model.save(tmp_path / "model")
    model.partial_fit(COLOUR[::-1], ["c"] * 6)
    np.save(tmp_path / "x.npy", COLOUR)
    script = (
        "import sys, numpy as np, evergrow\n"
        "X = np.load(sys.argv[1] + '/x.npy')\n"
        "model = evergrow.load(sys.argv[1] + '/model').partial_fit(X[::-1], ['c'] * 6)\n"
        "np.save(sys.argv[1] + '/y.npy', model.predict_proba(X))\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), model.predict_proba(COLOUR))


@pytest.mark.slow
def test_vgg_at_another_size_learns_is_saved_and_learns_on(tmp_path):
    model = begun("vgg11", 96)
    model.save(tmp_path)
    twin = load(tmp_path)
    for one in (model, twin):
        one.partial_fit(COLOUR[::-1], ["c"] * 6)
    assert np.array_equal(twin.predict_proba(COLOUR), model.predict_proba(COLOUR))


def test_an_adopted_transformer_may_go_on_at_another_size():
    network = timm.create_model("vit_tiny_patch16_224", num_classes=2).eval()
    model = GrowingClassifier.adopt_by_name(
        network, ["a", "b"], "timm:vit_tiny_patch16_224", image_size=(96, 128)
    )
    there = model.net_.backbone.module.state_dict()
    assert there["pos_embed"].shape == (1, 1 + 6 * 8, 192)
    assert torch.equal(there["blocks.0.attn.qkv.weight"], network.blocks[0].attn.qkv.weight)
    assert model.predict(COLOUR).shape == (6,)


# -- weights from a file ---------------------------------------------------------------------------


@pytest.fixture
def trained():
    """A transformer with weights of its own, and 7 classes."""
    torch.manual_seed(5)
    network = timm.create_model("test_vit", num_classes=7)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return network.eval()


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
    monkeypatch.setattr("evergrow.precision.native", lambda: True)
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


# -- published weights -----------------------------------------------------------------------------


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
    began = time.perf_counter()
    with pytest.raises(SettingError) as refusal:
        body("test_resnet", pretrained=True)
    assert time.perf_counter() - began < 5
    assert len(offline) == 1
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
    assert weights.published("x", config) == {}
    with pytest.raises(SettingError, match="timm has no weights for 'x'; set weights="):
        weights.published("x", {"architecture": "x"})
