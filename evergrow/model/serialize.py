"""A classifier as the parts of a version on disk, and back: JSON and tensors, nothing that runs."""

import hashlib
import json
from typing import Any

import numpy as np
import torch
from torch import nn

from .. import backbones, methods
from ..backbones.base import Backbone
from ..data.task import Samples
from ..data.tokenizer import PAD
from ..errors import SettingError
from ..methods.base import Method
from ..nn import precision
from ..nn.network import Inputs, Network
from ..storage import flatten
from ..storage.durable_files import Fault
from ..storage.model_folder import Stored
from ..storage.plain_json import plain
from ..storage.stored_values import part
from . import holdout, judge, manifest_schema
from .model import Model, TableColumns
from .parameters import Parameters
from .update import attach

Parts = dict[str, Any]
RENAMED = {"fourier": {"features": "width"}}  # settings of backbones, in models saved before
BY_NAME = ("backbone", "method", "augment")  # parameters stored by name or not at all


def parts(model: Model) -> Parts:
    """All a version holds, for `ModelFolder.commit`: manifest, serving, learning, memory, blobs."""
    learner, net = model.learner, model.net
    tree, tensors, samples = flatten.flatten(learner.state())
    held = {} if model.keep_no_samples else _heldout(model)
    apart, more, raw = flatten.flatten(held)
    tensors, samples = tensors | more, samples | raw
    body = net.backbone.state_dict()
    asked = model.parameters
    manifest = {
        "classes": model.classes.tolist(),
        "counts": model.counts.tolist(),
        "tasks": model.tasks,
        **shape(model),
        "reason": model.reason,
        "adopted": model.adopted,
        "began": model.began,
        "units": {"backbone_lr": "share of lr"},
        "asked": {"backbone": _asked(asked.backbone), "method": _asked(asked.method)},
        "columns": _columns(model.columns),
        "update": plain(model.update),
        "figures": plain(learner.figures()),
        "state": tree,
        "heldout": apart,
        "keep_no_samples": model.keep_no_samples,
    }
    memory = flatten.to_table(samples)
    if memory is not None and model.keep_no_samples:
        raise keeps_raw(model.method_name)
    serving = {f"head.{k}": v for k, v in net.head.state_dict().items()} | {
        f"solved.{k}": v for k, v in learner.serving().items()
    }
    return {
        "manifest": manifest,
        "serving": serving,
        "learning": tensors,
        "memory": memory,
        "ledger": model.ledger,
        "blobs": {"backbone": body} if body else {},
    }


def shape(model: Model) -> Parts:
    """How inputs become features and features weights, as JSON."""
    net = model.net
    return {
        "prepare": model.schema,
        "backbone": {
            "name": model.backbone_name,
            "settings": plain(model.backbone.settings()),
            "inputs": net.inputs.spec(),
            "scale": net.scale,
            "precision": precision.PRECISION_NAMES[net.precision],
            "fingerprint": architecture_fingerprint(net.backbone),
        },
        "method": {"name": model.method_name, "settings": plain(model.learner.settings())},
        "parameters": _parameters(model),
    }


def _heldout(model: Model) -> Parts:
    """Samples held out, as far as they may be kept, under a name that no method's state has."""
    held = model.heldout.keep(judge.most_kept(model))
    return {"held-out": held.state()} if len(held) else {}


def keeps_raw(method: str) -> SettingError:
    """The error of a method that keeps raw samples where the folder must hold none."""
    return SettingError(
        f"--keep-no-samples: the method {method} keeps raw samples; choose one that keeps none "
        "(`evergrow methods` lists what each keeps)."
    )


def restore(
    stored: Stored, device: str, backbone: Any = None, method: Any = None, learning: bool = True
) -> Model:
    """The model that a version holds.

    device: to compute on.  backbone, method: of the caller's own, which a folder does not hold.
    learning: whether all that learning needs was read.
    Raises Fault where something read from disk makes no model: `Folder.making_a_model`.
    """
    manifest_schema.check(stored.manifest)
    manifest = _of_today(stored.manifest)
    with part("backbone"):
        body = backbone_settings(manifest["backbone"], backbone)
    with part("method"):
        learner = _method(manifest["method"], method)
    model = Model(
        parameters=_parameters_of(manifest, device, body, learner),
        backbone=body,
        backbone_name=manifest["backbone"]["name"],
        learner=learner,
        method_name=manifest["method"]["name"],
        reason=manifest["reason"],
        schema=manifest["prepare"],
        classes=np.array(manifest["classes"]),
        counts=np.array(manifest["counts"], dtype=np.int64),
        tasks=manifest["tasks"],
        adopted=manifest["adopted"],
        began=manifest.get("began"),  # models saved before it was kept lack it
        columns=_columns_of(manifest["columns"]),
        update=manifest["update"],
        ledger=stored.ledger,
        keep_no_samples=bool(manifest.get("keep_no_samples")),
        predicts_only=not learning,
    )
    with part("backbone"):
        net = _network(body, manifest, stored)
    with part("method"):
        attach(learner, net, model.parameters)
    precision.refuse(model.net)
    if learning:
        with part("memory.parquet"):
            samples = flatten.from_table(stored.memory)
            _check_samples(samples, manifest["prepare"])
        tensors = stored.learning or {}
        with part("state"):
            learner.fill(flatten.unflatten(manifest["state"], tensors, samples))
        with part("heldout"):
            held = flatten.unflatten(manifest.get("heldout", {}), tensors, samples)
            if held:
                model.heldout = holdout.filled(held["held-out"])
    solved = {k[7:]: v for k, v in stored.serving.items() if k.startswith("solved.")}
    with part("serving.safetensors"):
        if solved:
            learner.serve(solved)
        learner.settle()
        _try(model)
    return model


@torch.no_grad()
def _try(model: Model) -> None:
    """Ask once, so that parts which do not fit one another are found now and not by a user.

    Raises what networks raise.
    """
    if model.schema is None:
        return
    scores = model.learner.scores(_blank(model.schema).to(model.net.device))
    if tuple(scores.shape) != (1, len(model.classes)):
        raise ValueError(f"{scores.shape[-1]} scores for {len(model.classes)} classes")


def _blank(form: dict[str, Any]) -> torch.Tensor:
    """One sample of zeros in a model's canonical form."""
    if form["kind"] == "image":
        size = form["channels"], form["height"], form["width"]
        return torch.zeros(1, *size, dtype=torch.uint8)
    if form["kind"] == "text":
        ids = torch.full((1, form["length"]), PAD, dtype=torch.int32)
        ids[0, 0] = 0
        return ids
    if form["kind"] == "table":
        return torch.zeros(1, form["columns"])
    return torch.zeros(1, *form["shape"], dtype=getattr(torch, form["dtype"]))


def _check_samples(samples: dict[str, Samples], form: dict[str, Any] | None) -> None:
    """Raise Fault unless kept samples are of the form of the model's inputs."""
    sides = {"image": ("channels", "height", "width"), "table": ("columns",), "text": ("length",)}
    if form is None or form["kind"] not in sides:
        return
    shape = tuple(form[side] for side in sides[form["kind"]])
    for name, kept in samples.items():
        if len(kept.y) and tuple(kept.x.shape[1:]) != shape:
            raise Fault(f"{name} are of shape {tuple(kept.x.shape[1:])}, prepare says {shape}")


def _parameters_of(
    manifest: dict[str, Any], device: str, body: Backbone, learner: Method
) -> Parameters:
    """What the model was asked for; objects, which a folder does not hold, as they were rebuilt.

    A name is taken over where it is "auto", or of what was rebuilt: any other would run or fetch
    what a folder names, once the parameters are used again (`clone`).
    """
    asked, values = manifest["asked"], _in_shares(manifest)
    backbone, method = asked["backbone"], asked["method"]
    size = values.get("image_size")
    values = values | {
        "backbone": backbone if backbone in ("auto", manifest["backbone"]["name"]) else body,
        "method": method if method in ("auto", manifest["method"]["name"]) else learner.fresh(),
        "image_size": tuple(size) if isinstance(size, list) else size,
        "device": device,
    }
    return Parameters(**values)


def _columns(columns: TableColumns | None) -> Parts:
    if columns is None:
        return {"count": None, "names": None}
    names = columns.names
    return {"count": columns.count, "names": None if names is None else [str(n) for n in names]}


def _columns_of(entry: dict[str, Any]) -> TableColumns | None:
    if entry["count"] is None:
        return None
    names = entry["names"]
    return TableColumns(entry["count"], None if names is None else np.array(names, dtype=object))


def _of_today(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest, with methods by the names that they have now."""
    method, asked = manifest["method"], manifest["asked"]
    return manifest | {
        "method": method | {"name": methods.canonical(method["name"])},
        "asked": asked | {"method": methods.canonical(asked["method"])},
    }


def _in_shares(manifest: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a manifest; one without "units" has the backbone's rate itself."""
    values: dict[str, Any] = manifest["parameters"]
    rate = values.get("backbone_lr")
    if rate is None or "units" in manifest:
        return values
    return values | {"backbone_lr": rate / values["lr"]}


def architecture_fingerprint(module: nn.Module) -> str:
    """sha256 of the names, shapes and types of a module's parameters and buffers."""
    layout = [(k, list(v.shape), str(v.dtype)) for k, v in module.state_dict().items()]
    return hashlib.sha256(json.dumps(layout).encode()).hexdigest()


def backbone_settings(entry: dict[str, Any], own: Any) -> Any:
    """Settings of the backbone that a manifest names.

    own: of the caller's own, by name or itself.
    Raises SettingError where the model stands on another one, or on one that is not given.
    """
    if entry["name"] == "own":
        if own is None:
            raise SettingError(
                "this model stands on a network of your own, and a model folder holds no code: "
                "load it with load(path, backbone=your_module)."
            )
        if isinstance(own, Backbone):
            return own
        from ..backbones.custom import Own

        return Own(own, **entry["settings"])
    if own is not None and own != entry["name"]:
        raise SettingError(
            f"this model stands on backbone {entry['name']!r}, not {own!r}; "
            "load it without backbone=."
        )
    names = RENAMED.get(entry["name"], {})
    settings = {names.get(k, k): v for k, v in entry["settings"].items()}
    settings.pop("network", None)  # the name has it
    if settings.pop("weights", None):  # the folder has them
        settings["pretrained"] = True
    return backbones.get(entry["name"], **settings)


def _network(settings: Any, manifest: dict[str, Any], stored: Stored) -> Network:
    entry = manifest["backbone"]
    _refuse_larger(settings, manifest, stored)
    body = settings.restore(manifest["prepare"])
    if architecture_fingerprint(body) != entry["fingerprint"]:
        raise SettingError(
            f"backbone {entry['name']!r} does not have the layers that this model was saved with "
            f"(fingerprint {architecture_fingerprint(body)[:12]}, expected "
            f"{entry['fingerprint'][:12]}); "
            "pass the same network, or the version of evergrow that saved it."
        )
    net = Network(body, Inputs(**entry["inputs"]))
    net.scale = entry["scale"]
    if entry.get("precision") == "bfloat16":  # models saved before it was chosen lack it
        net.precision = torch.bfloat16
    if "backbone" in stored.blobs:
        net.backbone.load_state_dict(stored.blobs["backbone"])
    net.head.extend(stored.serving["head.weight"], stored.serving["head.bias"])
    return net.eval()


def _refuse_larger(settings: Backbone, manifest: dict[str, Any], stored: Stored) -> None:
    """Raise Fault where the network would be larger than the weights there are, before it is made.

    It is made on torch's meta device, which takes no memory; networks that cannot be have a size
    that no manifest says.
    """
    if manifest["backbone"]["name"] == "own" or hasattr(settings, "pretrained"):
        return
    try:
        with torch.device("meta"):
            described = settings.restore(manifest["prepare"]).state_dict().values()
    except (RuntimeError, NotImplementedError):
        return
    there = sum(t.numel() for t in stored.blobs.get("backbone", {}).values())
    wanted = sum(t.numel() for t in described)
    if wanted > there:
        raise Fault(f"backbone describes {wanted:,} weights, and the folder holds {there:,}")


def _method(entry: dict[str, Any], own: Any) -> Method:
    registered = {e.name for e in methods.ENTRIES}
    if own is None and entry["name"] not in registered:
        raise SettingError(
            f"this model learns by {entry['name']}, which is not one of evergrow's methods, "
            "and loading runs "
            "no code that a model names: load it with load(path, method=YourMethod)."
        )
    if own is None:
        return methods.get(entry["name"], **entry["settings"])
    asked = methods.get(own) if isinstance(own, str) else own
    cls: Method = asked if isinstance(asked, type) else type(asked)  # type: ignore[assignment]
    loaded = cls(**entry["settings"])  # type: ignore[operator]
    if methods.name_of(loaded) != entry["name"]:
        raise SettingError(
            f"this model learns by {entry['name']}, not {methods.name_of(loaded)}; "
            "load it as it is, "
            "then change the method."
        )
    return loaded  # type: ignore[no-any-return]


def _asked(value: Any) -> Any:
    """What the caller asked for, where it was a name; None for objects."""
    return value if isinstance(value, str) else None


def _parameters(model: Model) -> dict[str, Any]:
    """What the model is asked for, as JSON; a device is the machine's, not the model's."""
    skip = {*BY_NAME, "device"}
    return plain({k: v for k, v in model.parameters.items() if k not in skip})  # type: ignore[no-any-return]
