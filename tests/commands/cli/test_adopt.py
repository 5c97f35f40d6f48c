"""Adopting a trained network from the command line."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from .bar_images import refused

rng = np.random.default_rng(0)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A small network of timm, "trained elsewhere", with its files."""
    import timm
    import torch
    from safetensors.torch import save_file

    place = tmp_path_factory.mktemp("elsewhere")
    torch.manual_seed(0)
    network = timm.create_model("test_resnet", pretrained=False, num_classes=3).eval()
    save_file(network.state_dict(), place / "net.safetensors")
    torch.save({"state_dict": network.state_dict()}, place / "net.pt")
    torch.save(network, place / "whole.pt")
    torch.save([1, 2], place / "list.pt")
    (place / "classes.txt").write_text("shirt\nshoe\n\nhat\n")
    (place / "two.txt").write_text("shirt\nshoe\n")
    (place / "empty.txt").write_text("\n")
    return place, network


def adopting(place: Path, weights: str, classes: str, backbone: str = "timm:test_resnet") -> tuple:
    files = ("--weights", place / weights, "--classes", place / classes)
    return (*files, "--backbone", backbone, "--image-size", "32")


@pytest.mark.parametrize("weights", ["net.safetensors", "net.pt"])
def test_adopt_begins_with_the_networks_own_predictions(ask, run, tmp_path, trained, weights):
    import torch

    place, network = trained
    model = tmp_path / "model"
    answer = ask("adopt", model, *adopting(place, weights, "classes.txt"))
    assert answer["classes"] == ["shirt", "shoe", "hat"] and answer["version"] == 1
    pixels = rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    top = ask("predict", model, tmp_path / "a.png")["predictions"][0]["top"]
    x = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255
    own = network((x - 0.5) / 0.5).softmax(1)[0].tolist()
    expected = dict(zip(["shirt", "shoe", "hat"], own, strict=True))
    assert {label: share for label, share in top} == pytest.approx(expected, abs=1e-5)
    assert ask("show", model)["counts"] == {"shirt": None, "shoe": None, "hat": None}
    (tmp_path / "data" / "coat").mkdir(parents=True)
    (tmp_path / "a.png").rename(tmp_path / "data" / "coat" / "a.png")
    answer = ask("learn", model, tmp_path / "data", "--epochs", "1")
    assert answer["classes"] == ["shirt", "shoe", "hat", "coat"]
    assert [a["rule"] for a in answer["advice"]] == ["adopted-alone", "few-samples"]
    refused(run, model, "adopt", model, *adopting(place, weights, "classes.txt"), said="already")


@pytest.mark.parametrize(
    "weights, classes, said",
    [
        ("whole.pt", "classes.txt", "would run code"),
        ("list.pt", "classes.txt", "no tensors by name"),
        ("classes.txt", "classes.txt", "cannot be read"),
        ("nowhere.pt", "classes.txt", "no such file"),
        ("net.pt", "two.txt", "where (2, "),
        ("net.pt", "empty.txt", "is empty"),
        ("net.pt", "nowhere.txt", "one label a line"),
    ],
)
def test_what_cannot_be_adopted_is_refused(run, tmp_path, trained, weights, classes, said):
    model = tmp_path / "model"
    refused(run, model, "adopt", model, *adopting(trained[0], weights, classes), said=said)
    assert not model.exists()


@pytest.mark.parametrize("backbone", ["resnet32", "timm:no-such-network"])
def test_adopting_an_unknown_network_is_usage(run, tmp_path, trained, backbone):
    words = adopting(trained[0], "net.pt", "classes.txt", backbone)
    code, _, err = run("adopt", tmp_path / "model", *words)
    assert code == 2 and backbone.removeprefix("timm:") in err
