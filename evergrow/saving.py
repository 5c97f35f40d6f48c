"""A classifier as the parts of a version on disk, and back: JSON and tensors, nothing that runs."""

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from . import backbones, heldout, judging, methods, precision, state
from .backbones.base import Backbone
from .errors import SettingError
from .network import Inputs, Network
from .plain_json import plain
from .store import Stored

if TYPE_CHECKING:
    from .classifier import GrowingClassifier
    from .methods.base import Method

Parts = dict[str, Any]
RENAMED = {"fourier": {"features": "width"}}  # settings of backbones, in models saved before


def parts(model: "GrowingClassifier") -> Parts:
    """All a version holds, for `ModelFolder.commit`: manifest, serving, learning, memory, blobs."""
    learner, net = model.learner_, model.net_
    carried: Parts = getattr(model, "_carried", {"ledger": None, "keep_no_samples": False})
    tree, tensors, samples = state.flatten(learner.state())
    held = {} if carried["keep_no_samples"] else _heldout(model)
    apart, more, raw = state.flatten(held)
    tensors, samples = tensors | more, samples | raw
    body = net.backbone.state_dict()
    manifest = {
        "classes": model.classes_.tolist(),
        "counts": model.counts_.tolist(),
        "tasks": model.tasks_,
        **shape(model),
        "reason": model.reason_,
        "adopted": model.adopted_,
        "began": getattr(model, "began_", None),
        "units": {"backbone_lr": "share of lr"},
        "asked": {"backbone": _asked(model.backbone), "method": _asked(model.method)},
        "columns": {"count": getattr(model, "n_features_in_", None), "names": _names(model)},
        "update": plain(model.update_),
        "figures": plain(learner.figures()),
        "state": tree,
        "heldout": apart,
        "keep_no_samples": carried["keep_no_samples"],
    }
    memory = state.to_table(samples)
    if memory is not None and carried["keep_no_samples"]:
        raise keeps_raw(model.method_)
    serving = {f"head.{k}": v for k, v in net.head.state_dict().items()} | {
        f"solved.{k}": v for k, v in learner.serving().items()
    }
    return {
        "manifest": manifest,
        "serving": serving,
        "learning": tensors,
        "memory": memory,
        "ledger": carried["ledger"],
        "blobs": {"backbone": body} if body else {},
    }


def shape(model: "GrowingClassifier") -> Parts:
    """How inputs become features and features weights, as JSON."""
    net = model.net_
    return {
        "prepare": model.prepare_,
        "backbone": {
            "name": model.backbone_,
            "settings": plain(model.body_.settings()),
            "inputs": net.inputs.spec(),
            "scale": net.scale,
            "precision": precision.NAMES[net.precision],
            "fingerprint": fingerprint(net.backbone),
        },
        "method": {"name": model.method_, "settings": plain(model.learner_.settings())},
        "parameters": _parameters(model),
    }


def _heldout(model: "GrowingClassifier") -> Parts:
    """Samples held out, as far as they may be kept, under a name that no method's state has."""
    held = model.heldout_.keep(judging.most_kept(model))
    return {"held-out": held.state()} if len(held) else {}


def keeps_raw(method: str) -> SettingError:
    """The error of a method that keeps raw samples where the folder must hold none."""
    return SettingError(
        f"--keep-no-samples: the method {method} keeps raw samples; choose one that keeps none "
        "(`evergrow methods` lists what each keeps)."
    )


def restore(
    cls: type["GrowingClassifier"], stored: Stored, backbone: Any, method: Any, learning: bool
) -> "GrowingClassifier":
    """The estimator a version holds.  learning: whether all that learning needs was read."""
    manifest = _of_today(stored.manifest)
    body = _body(manifest["backbone"], backbone)
    learner = _method(manifest["method"], method)
    asked = manifest["asked"]
    parameters: dict[str, Any] = _in_shares(manifest) | {
        "backbone": asked["backbone"] if isinstance(asked["backbone"], str) else body,
        "method": asked["method"] if isinstance(asked["method"], str) else learner.fresh(),
    }
    size = parameters["image_size"]
    parameters["image_size"] = tuple(size) if isinstance(size, list) else size
    model = cls(**parameters)
    model.classes_ = np.array(manifest["classes"])
    model.counts_ = np.array(manifest["counts"], dtype=np.int64)
    for name in ("tasks", "prepare", "reason", "update", "adopted"):
        setattr(model, f"{name}_", manifest[name])
    model.began_ = manifest.get("began")  # models saved before it was kept lack it
    model.backbone_, model.method_ = manifest["backbone"]["name"], manifest["method"]["name"]
    if manifest["columns"]["count"] is not None:
        model.n_features_in_ = manifest["columns"]["count"]
    if manifest["columns"]["names"] is not None:
        model.feature_names_in_ = np.array(manifest["columns"]["names"], dtype=object)
    model.body_, model.learner_ = body, learner
    model.net_, model.heldout_ = _network(body, manifest, stored), heldout.nothing()
    model._attach()
    precision.refuse(model.net_)
    if learning:
        samples = state.from_table(stored.memory)
        tensors = stored.learning or {}
        learner.fill(state.unflatten(manifest["state"], tensors, samples))
        held = state.unflatten(manifest.get("heldout", {}), tensors, samples)
        if held:
            model.heldout_ = heldout.filled(held["held-out"])
    solved = {k[7:]: v for k, v in stored.serving.items() if k.startswith("solved.")}
    if solved:
        learner.serve(solved)
    model.predicts_only_ = not learning
    private = bool(manifest.get("keep_no_samples"))
    model._carried = {"ledger": stored.ledger, "keep_no_samples": private}
    return model


def _of_today(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest, with methods by the names that they have now."""
    method, asked = manifest["method"], manifest["asked"]
    return manifest | {
        "method": method | {"name": methods.canonical(method["name"])},
        "asked": asked | {"method": methods.canonical(asked["method"])},
    }


def _in_shares(manifest: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a manifest; one without "units" has the backbone's rate itself."""
    given: dict[str, Any] = manifest["parameters"]
    rate = given.get("backbone_lr")
    if rate is None or "units" in manifest:
        return given
    return given | {"backbone_lr": rate / given["lr"]}


def fingerprint(module: nn.Module) -> str:
    """sha256 of the names, shapes and types of a module's parameters and buffers."""
    layout = [(k, list(v.shape), str(v.dtype)) for k, v in module.state_dict().items()]
    return hashlib.sha256(json.dumps(layout).encode()).hexdigest()


def _body(entry: dict[str, Any], given: Any) -> Any:
    if entry["name"] == "own":
        if given is None:
            raise SettingError(
                "this model stands on a network of your own, and a model folder holds no code: "
                "load it with load(path, backbone=your_module)."
            )
        if isinstance(given, Backbone):
            return given
        from .backbones.own import Own

        return Own(given, **entry["settings"])
    if given is not None and given != entry["name"]:
        raise SettingError(
            f"this model stands on backbone {entry['name']!r}, not {given!r}; "
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
    body = settings.restore(manifest["prepare"])
    if fingerprint(body) != entry["fingerprint"]:
        raise SettingError(
            f"backbone {entry['name']!r} does not have the layers that this model was saved with "
            f"(fingerprint {fingerprint(body)[:12]}, expected {entry['fingerprint'][:12]}); "
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


def _method(entry: dict[str, Any], given: Any) -> "Method":
    registered = {e.name for e in methods.ENTRIES}
    if given is None and entry["name"] not in registered:
        raise SettingError(
            f"this model learns by {entry['name']}, which is not one of evergrow's methods, "
            "and loading runs "
            "no code that a model names: load it with load(path, method=YourMethod)."
        )
    if given is None:
        return methods.get(entry["name"], **entry["settings"])
    found = methods.get(given) if isinstance(given, str) else given
    made: Method = found if isinstance(found, type) else type(found)  # type: ignore[assignment]
    loaded = made(**entry["settings"])  # type: ignore[operator]
    if methods.name_of(loaded) != entry["name"]:
        raise SettingError(
            f"this model learns by {entry['name']}, not {methods.name_of(loaded)}; "
            "load it as it is, "
            "then change the method."
        )
    return loaded  # type: ignore[no-any-return]


def _asked(given: Any) -> Any:
    """What the caller asked for, where it was a name; None for objects."""
    return given if isinstance(given, str) else None


def _parameters(model: "GrowingClassifier") -> dict[str, Any]:
    """The constructor's parameters, but for backbone, method and hooks.

    Those are stored by name or not at all.
    """
    skip = {"backbone", "method", "augment", "device"}  # a device is the machine's, not the model's
    return plain({k: v for k, v in model.get_params(deep=False).items() if k not in skip})  # type: ignore[no-any-return]


def _names(model: "GrowingClassifier") -> list[str] | None:
    names = getattr(model, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]
