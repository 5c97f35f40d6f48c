"""Model folders written by the code of commit 95d2baa load, answer and go on as they did then.

tests/folders/make.py wrote them. What a user sees may grow; these folders and figures stay.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import evergrow
from tests.folders.make import answers, command, kept

FOLDERS = Path(__file__).parents[1] / "folders"
EXPECTED = json.loads((FOLDERS / "expected.json").read_text())
ASK, LATER, KNOWN = (np.array(EXPECTED[k], np.uint8) for k in ("ask", "later", "known"))
WITHIN = {"closed-form": 1e-5, "rehearsal": 1e-4}  # of probabilities, once it has learnt on
KEPT = {
    "closed-form": ["sums/counts", "sums/kept_y", "sums/sums", "sums/gram/0"],
    "rehearsal": ["past/samples", "held-out/samples"],
}


@pytest.fixture(params=["closed-form", "rehearsal"])
def name(request):
    return request.param


@pytest.fixture
def folder(tmp_path, name):
    """A copy that may be written to."""
    return Path(shutil.copytree(FOLDERS / name, tmp_path / name))


def same(model, then, within):
    """Whether a model answers as one did then; probabilities `within` this."""
    now = answers(model, ASK)
    assert {k: now[k] for k in ("classes", "counts")} == {k: then[k] for k in ("classes", "counts")}
    assert np.allclose(now["probabilities"], then["probabilities"], rtol=0, atol=within)
    assert now["labels"] == then["labels"]


@pytest.mark.parametrize("learning", [True, False])
def test_both_versions_answer_as_they_did(folder, name, learning):
    same(evergrow.load(folder, 1, learning=learning), EXPECTED[name]["first"], 1e-6)
    same(evergrow.load(folder, learning=learning), EXPECTED[name]["second"], 1e-6)


def test_it_learns_on_as_it_did(folder, name):
    then = EXPECTED[name]["later"]
    model = evergrow.load(folder).partial_fit(LATER, np.array(then["y"]))
    assert model.update_["new_classes"] == then["classes"][8:]
    same(model, then, WITHIN[name])
    assert model.save(folder) == 3
    same(evergrow.load(folder), then, WITHIN[name])
    assert kept(folder) == {k: then[k] for k in KEPT[name]}


def test_the_command_learns_on_as_it_did_and_passes_over_what_was_learnt(tmp_path, folder, name):
    then = EXPECTED[name]["command"]
    x, y = np.concatenate([KNOWN, LATER]), np.array(then["y"])
    np.savez(tmp_path / "data.npz", x=x, y=y)
    said = command("learn", folder, tmp_path / "data.npz")
    facts = ("version", "new_classes", "passed_over")
    assert {k: said[k] for k in facts} == {k: then[k] for k in facts}
    same(evergrow.load(folder), then, WITHIN[name])
    assert kept(folder) == {k: then[k] for k in KEPT[name]}


def test_it_is_shown_as_it_was_and_rolled_back(folder, name):
    said, then = command("show", folder), EXPECTED[name]["show"]
    assert {k: said[k] for k in then} == then
    assert command("rollback", folder, "--to", 1)["version"] == 1
    same(evergrow.load(folder), EXPECTED[name]["first"], 1e-6)
