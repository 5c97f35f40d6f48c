"""A model folder begun from a network that was trained elsewhere."""

import pytest
import torch
from safetensors.torch import save_file

from evergrow import load
from evergrow.commands import adopt, versions
from evergrow.errors import EvergrowError, ModelError
from evergrow.model.options import How


@pytest.fixture
def elsewhere(tmp_path):
    """A network of timm for three classes, and their labels in a file."""
    import timm

    torch.manual_seed(0)
    network = timm.create_model("test_resnet", num_classes=3).eval()
    save_file(network.state_dict(), tmp_path / "net.safetensors")
    (tmp_path / "classes.txt").write_text("shirt\nshoe\nhat\n")
    return tmp_path


def adopted(place, model="model"):
    how = How({"image_size": 32})
    return adopt.adopt(
        place / model, place / "net.safetensors", "timm:test_resnet", place / "classes.txt", how
    )


def test_the_first_version_knows_the_networks_classes_and_no_sample(elsewhere):
    answer = adopted(elsewhere)
    assert answer["adopted"] and answer["samples"] == 0 and answer["version"] == 1
    assert answer["new_classes"] == answer["classes"] == ["shirt", "shoe", "hat"]
    assert versions.show(elsewhere / "model")["counts"] == dict.fromkeys(answer["classes"])
    assert len(ledger := load(elsewhere / "model").model.ledger) == 0, ledger


def test_a_folder_that_holds_a_model_is_not_written_over(elsewhere):
    adopted(elsewhere)
    with pytest.raises(ModelError, match="holds a model already"):
        adopted(elsewhere)
    assert versions.show(elsewhere / "model")["versions"] == [1]


def test_a_network_that_does_not_fit_leaves_no_model(elsewhere):
    (elsewhere / "classes.txt").write_text("shirt\nshoe\n")
    with pytest.raises(EvergrowError):
        adopted(elsewhere)
    assert not (elsewhere / "model" / "current").exists()
    assert not list(elsewhere.glob("model/versions/*"))
