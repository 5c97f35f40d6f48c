"""Manifests: strict JSON that people read, sealed with a hash of itself."""

import json

import numpy as np
import pytest
import torch

from evergrow.errors import FormatError
from evergrow.storage import manifest
from evergrow.storage.durable_files import Fault

HASH = "0" * 64


def made(**content):
    return manifest.make(1, None, {"files": {}, "blobs": {}, **content})


def test_labels_of_any_kind_and_numbers_of_numpy_and_torch_are_taken():
    given = {
        "classes": ["猫", "a\udcff", 'q"\n', "\ud83d\ude00"],
        "counts": np.array([1, 2]),
        "share": np.float32(0.5),
        "sums": torch.tensor([[1, 2]]),
        "accuracy": float("nan"),
        "by": {3: (1, 2)},
    }
    back = manifest.loads(manifest.dump(made(**given)))
    assert back["classes"] == ["猫", "a\udcff", 'q"\n', "\U0001f600"]
    assert back["counts"] == [1, 2] and back["share"] == 0.5 and back["sums"] == [[1, 2]]
    assert back["accuracy"] is None and back["by"] == {"3": [1, 2]}


def test_it_is_written_as_people_read_it():
    text = manifest.dump(made(classes=["猫"])).decode()
    assert text.startswith('{\n  "format": 1,\n  "version": 1,\n') and "猫" in text


def test_what_the_store_says_stands_before_what_it_is_told():
    told = manifest.make(7, 3, {"version": 99, "parent": 98, "format": 97, "classes": []})
    assert (told["version"], told["parent"], told["format"]) == (7, 3, manifest.FORMAT)


def test_any_change_breaks_the_seal_but_white_space():
    data = manifest.dump(made(classes=["cat"]))
    assert manifest.loads(json.dumps(json.loads(data)).encode())["classes"] == ["cat"]
    with pytest.raises(Fault, match="its own hash"):
        manifest.loads(data.replace(b"cat", b"dog"))


@pytest.mark.parametrize(
    "entry", [{"sha256": "../../etc", "bytes": 1}, {"sha256": HASH}, {"bytes": 1}, "file", None]
)
def test_files_are_named_by_hashes_and_never_by_paths(entry):
    with pytest.raises(Fault, match="manifest.json, files.serving.safetensors"):
        manifest.loads(manifest.dump(made(files={"serving.safetensors": entry})))


def test_a_format_not_known_here_is_refused_with_both_numbers():
    with pytest.raises(FormatError, match="format 7 and this evergrow reads format 1"):
        manifest.loads(manifest.dump(made() | {"format": 7}))
