"""The network that a stored configuration describes: known types and keys, no code, no network."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from ..errors import SettingError
from ..storage.extras import optional

# Transformers that read texts and are built from numbers alone. Others may name code or weights
# elsewhere in their configuration (a network of timm, say), and a model folder is a stranger's.
TYPES = frozenset(
    """albert bert big_bird camembert canine convbert data2vec-text deberta deberta-v2 distilbert
    electra ernie esm flaubert fnet gemma gemma2 gemma3_text gpt2 gpt_neox gte
    ibert layoutlm llama longformer luke megatron-bert mistral mobilebert modernbert mpnet mra
    nomic_bert nystromformer phi qwen2 qwen3 rembert roberta roberta-prelayernorm roc_bert
    roformer splinter squeezebert xlm xlm-roberta xlm-roberta-xl xlnet xmod yoso""".split()
)
# What a configuration may say beside the shape of its network: none of it is needed here.
PASSED_OVER = frozenset(
    """_attn_implementation _attn_implementation_internal _commit_hash _name_or_path architectures
    attn_implementation auto_map custom_pipelines dtype model_type name_or_path output_attentions
    quantization_config torch_dtype transformers_version use_cache""".split()
)


def transformer(config: dict[str, Any]) -> nn.Module:
    """A transformer with random weights (nothing else is drawn), in single precision.

    config: as `config.json` has it.  Raises SettingError for a type that is not known, or values
    that no such network has.
    """
    library = optional("transformers", "text", "a model of texts")
    name = known_type(config)
    try:
        cls = library.models.auto.configuration_auto.CONFIG_MAPPING[name]
        keys = cls().to_dict().keys() - PASSED_OVER
        with torch.random.fork_rng(devices=[]), _offline():
            torch.manual_seed(0)
            wanted = cls(**{key: value for key, value in config.items() if key in keys})
            module: nn.Module = library.AutoModel.from_config(wanted, trust_remote_code=False)
            return module.float()
    except Exception as error:  # of many kinds, by what is wrong with the values
        raise SettingError(
            f"the configuration of the text encoder ({name}) describes no network that can be "
            f"built: {' '.join(str(error).split())[:200] or type(error).__name__}."
        ) from error


def known_type(config: dict[str, Any]) -> str:
    """The type of the network.  Raises SettingError where it is none of `TYPES`."""
    name = config.get("model_type")
    if not isinstance(name, str) or name not in TYPES:
        raise SettingError(
            f"a text encoder of type {name!r} is not read: it may run code, or fetch weights, that "
            "its configuration names; choose an encoder of another type (bert, roberta, mpnet, "
            "modernbert, ...), or pass its embeddings as a table (backbone='none')."
        )
    return name


@contextmanager
def _offline() -> Iterator[None]:
    """Nothing is fetched while the block runs, whatever a configuration names."""
    constants = optional("huggingface_hub.constants", "text", "a model of texts")
    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
