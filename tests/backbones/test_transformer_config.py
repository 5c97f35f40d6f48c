"""A stored configuration names known types and numbers, nothing that runs or is fetched."""

import builtins
import socket

import pytest
import torch

from evergrow.backbones import get
from evergrow.data.read import Seen
from evergrow.errors import SettingError

pytest.importorskip("transformers")

from evergrow.backbones.transformer_config import TYPES, known_type, transformer  # noqa: E402

SMALL = {
    "model_type": "bert",
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "vocab_size": 20,
}


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """Nobody is asked, and nothing is connected to."""

    def refuse(*args, **options):
        raise AssertionError(f"this should not happen: {args}")

    monkeypatch.setattr(builtins, "input", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"auto_map": {"AutoModel": "evil--modeling.Evil", "AutoConfig": "modeling.Evil"}},
        {"attn_implementation": "kernels-community/flash-attn"},
        {"_attn_implementation": "kernels-community/flash-attn"},
        {"_attn_implementation_internal": "evil/kernel"},
        {"quantization_config": {"quant_method": "gptq", "bits": 4}},
        {"_name_or_path": "evil/model", "architectures": ["Evil"], "unheard_of": {"a": "b"}},
    ],
)
def test_what_a_configuration_names_beside_its_shape_is_passed_over(more):
    wanted, found = (transformer({**SMALL, **part}).state_dict() for part in ({}, more))
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


@pytest.mark.parametrize(
    "name", ["timm_wrapper", "timm_backbone", "vision-text-dual-encoder", "rag", "evil", None, 7]
)
def test_types_that_fetch_or_run_are_refused(name):
    config = {**SMALL, "model_type": name, "architecture": "hf-hub:evil/net"}
    for read in (transformer, known_type):
        with pytest.raises(SettingError, match="is not read: it may run code"):
            read(config)


@pytest.mark.parametrize(
    "values", [{"hidden_size": 7}, {"vocab_size": "many"}, {"hidden_size": -1}]
)
def test_values_that_describe_no_network_are_named(values):
    with pytest.raises(SettingError, match="describes no network that can be built"):
        transformer({**SMALL, **values})


def test_every_type_has_a_configuration():
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    assert TYPES - CONFIG_MAPPING_NAMES.keys() == set()


@pytest.mark.parametrize("network", ["hf-hub:timm/resnet18", "resnet18.hf-hub:x/y", "local-dir:/x"])
def test_networks_of_timm_go_by_its_own_names(network):
    pytest.importorskip("timm")
    with pytest.raises(SettingError, match="timm has no network"):
        get(f"timm:{network}", pretrained=False).prepare(Seen("image", channels=3))
