"""What a model begins with is said before it is fixed, and asked for where a person sits there."""

import numpy as np
import pytest
import typer
from PIL import Image

from evergrow import GrowingClassifier
from evergrow.backbones import efficientnet_lite0
from evergrow.commands.cli import display
from evergrow.data.read import read

PHOTOS = np.random.default_rng(0).integers(0, 256, (8, 40, 40, 3), dtype=np.uint8)
LABELS = ["cat", "dog"] * 4


def rules(model, *data):
    return [entry["rule"] for entry in model.advise(*data)]


@pytest.fixture
def no_images(monkeypatch):
    monkeypatch.setattr(efficientnet_lite0, "installed", lambda: False)


def test_photographs_without_a_pretrained_network_are_warned_of(no_images):
    found = GrowingClassifier().advise(PHOTOS, LABELS)
    assert found[0]["rule"] == "no-pretrained-network"
    assert "evergrow[images]" in found[0]["remedies"][0] and "cannot change" in found[0]["text"]
    assert "no-pretrained-network" not in rules(GrowingClassifier("patches"), PHOTOS, LABELS)
    assert "no-pretrained-network" not in rules(GrowingClassifier(), PHOTOS[..., 0], LABELS)
    begun = GrowingClassifier().partial_fit(PHOTOS, LABELS)
    assert "no-pretrained-network" not in rules(begun, PHOTOS, ["new"] * 8), "it is too late"
    assert "for want of a pretrained network" in begun.reason_


def tree(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4)).save(root / name)
    return root


def test_folders_of_folders_are_said_with_the_folder_to_pass(tmp_path):
    weeks = tree(tmp_path / "a", *(f"week-{w}/{c}/1.png" for w in (1, 2) for c in ("cat", "dog")))
    found = GrowingClassifier().advise(weeks)
    assert found[0]["rule"] == "folders-of-folders" and "(week-1, week-2)" in found[0]["text"]
    assert str(weeks / "week-1") in found[0]["remedies"][0]
    one = tree(tmp_path / "b", *(f"week/week-1/{c}/1.png" for c in ("cat", "dog")))
    found = GrowingClassifier().advise(one)
    assert str(one / "week" / "week-1") in found[0]["remedies"][0]
    plain = tree(tmp_path / "c", "cat/1.png", "dog/1.png", "dog/deeper/2.png", "dog/other/3.png")
    assert read(plain).seen.nested == ""
    assert "folders-of-folders" not in rules(GrowingClassifier(), plain)


def test_one_class_is_said(tmp_path):
    assert rules(GrowingClassifier("none"), np.eye(8), ["cat"] * 8)[0] == "one-class"
    begun = GrowingClassifier("none").partial_fit(np.eye(8), ["cat"] * 8)
    assert "one-class" not in rules(begun, np.eye(8), ["dog"] * 8)
    assert "one-class" not in rules(GrowingClassifier("none"), np.eye(8), LABELS)


@pytest.mark.parametrize(("sits", "says", "ends"), [(1, True, 0), (1, False, 1), (0, False, 0)])
def test_a_person_is_asked_and_nobody_else(monkeypatch, capsys, sits, says, ends):
    asked = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: bool(sits), raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: bool(sits), raising=False)
    monkeypatch.setattr(typer, "confirm", lambda text, err: asked.append(text) or says)
    entry = {"rule": "one-class", "text": "t", "forecast": None, "remedies": [], "of": "all"}
    if ends:
        with pytest.raises(typer.Exit) as left:
            display.advice_asked([entry])
        assert left.value.exit_code == 1 and "nothing was learnt" in capsys.readouterr().err
    else:
        display.advice_asked([entry])
    assert len(asked) == sits
    display.advice_asked([entry | {"rule": "few-samples"}])
    assert len(asked) == sits
