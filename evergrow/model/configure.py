"""From what a command says: the parameters of a new model, or others for one that has learnt."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_type_hints

from .. import backbones, methods
from ..backbones.pretrained_weights import misfits, read_weights
from ..backbones.timm_networks import having
from ..errors import DataError, SettingError
from ..methods.base import Method
from . import adopt, options, update
from .model import Model
from .options import How
from .parameters import FIXED, NAMES, OBJECTS, Parameters

HELD_BACK = 20  # samples a class that judge updates of a new model, unless told otherwise


def new(how: How) -> Parameters:
    """The parameters of a new model.  Raises SettingError for what it does not take.

    >>> new(How({"method": "er"}, ["memory=50", "momentum=0.5"])).method
    ER(memory=50, replay=32)
    """
    settings = {"validation": HELD_BACK} | dict(how.settings)
    name, network = settings.get("method", "auto"), settings.get("backbone", "auto")
    mine, theirs, rest = _sorted(how.words, None if name == "auto" else name)
    if name != "auto":
        settings["method"] = _method(name, mine, {})
    if theirs and network == "auto":
        raise SettingError(
            f"--set backbone.{next(iter(theirs))} needs --backbone, to say whose setting it is."
        )
    if network != "auto":
        settings["backbone"] = _backbone(network, theirs)
    return _parameters(settings | rest)


def change(model: Model, how: How) -> tuple[Model, list[str]]:
    """A model that has learnt, with other parameters.  Raises SettingError for what is fixed.

    Returns what a new method cannot take along too, in words.
    """
    settings, before = dict(how.settings), model.parameters
    name = methods.canonical(settings.pop("method", model.method_name))
    mine, theirs, rest = _sorted(how.words, name)
    if theirs:
        _refuse("backbone", f"with other settings ({', '.join(theirs)})")
    for key in FIXED:
        now = model.backbone_name if key == "backbone" else getattr(before, key)
        if key in settings and settings.pop(key) not in (now, "auto"):
            _refuse(key, f"{now}")
    lost: list[str] = []
    if name not in ("auto", model.method_name):
        asked = replace(before, method=_method(name, mine, {}))
        model, lost = update.change_method(model, asked)
    elif mine:
        settings["method"] = _method(model.method_name, mine, model.learner.settings())
    changed = _parameters(dict(model.parameters.items()) | settings | rest)
    return model.asked(changed), [f"{what} is not taken along to {name}" for what in lost]


def adopted(weights: Path, backbone: str, classes: Any, how: How) -> Model:
    """A model that begins with a network of timm trained elsewhere, and its classes.

    classes: labels in the order of the outputs, or the path of a text file with one a line.
    Raises DataError for files that do not hold what they should, SettingError for other networks.
    """
    labels = read_labels(classes) if isinstance(classes, str | Path) else list(classes)
    settings = {"validation": HELD_BACK} | dict(how.settings)
    name = settings.get("method", "auto")
    mine, _, rest = _sorted(how.words, None if name == "auto" else name)
    if name != "auto":
        settings["method"] = _method(name, mine, {})
    if not backbone.startswith("timm:"):
        raise SettingError(
            f"--backbone {backbone}: expected timm:<network>; any other network trained elsewhere "
            "is adopted in Python, with GrowingClassifier.adopt."
        )
    name = backbone.removeprefix("timm:")
    network = having(name).create_model(name, pretrained=False, num_classes=len(labels))
    tensors = read_weights(weights)
    if wrong := misfits(network.state_dict(), tensors):
        raise DataError(
            f"{weights} does not fit {backbone} with {len(labels)} outputs: {len(wrong)} tensors "
            f"differ, {wrong[0]}. Name the network it was trained as, and a class for each output."
        )
    network.load_state_dict(tensors)
    asked = _parameters(settings | rest | {"backbone": backbone})
    return adopt.from_named_network(network, labels, asked)


def _parameters(settings: Mapping[str, Any]) -> Parameters:
    unknown = set(settings) - set(NAMES)
    if unknown:
        raise SettingError(
            f"there is no parameter {min(unknown)!r}; there are: {', '.join(NAMES)}."
        )
    return Parameters(**settings)


def read_labels(path: str | Path) -> list[str]:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: expected a text file with one label a line; {error}.") from None
    labels = [line.strip() for line in lines if line.strip()]
    if not labels:
        raise DataError(f"{path} is empty; write one label a line, in the order of the outputs.")
    return labels


def _refuse(what: str, now: str) -> None:
    raise SettingError(
        f"{what.replace('_', ' ')}: this model was started with {now}, and that cannot change; "
        "leave the option out, or start a new model in another folder."
    )


Words = dict[str, str]


def _sorted(words: Sequence[str], method: str | None) -> tuple[Words, Words, dict[str, Any]]:
    """Words for the method, words for the backbone, and values of parameters."""
    settings = options.pairs(words)
    theirs = {
        k.removeprefix("backbone."): v for k, v in settings.items() if k.startswith("backbone.")
    }
    own = options.settings_of(type(methods.get(method))) if method else {}
    hints = get_type_hints(Parameters)
    known = {k: v for k, v in hints.items() if k not in (*OBJECTS, *FIXED, "return")}
    rest = {k: v for k, v in settings.items() if not k.startswith("backbone.") and k not in own}
    return (
        {k: v for k, v in settings.items() if k in own},
        theirs,
        options.parse(f"method {method or 'auto'}", {**own, **known}, rest),
    )


def _method(name: str, words: Words, now: Mapping[str, Any]) -> Method:
    known = options.settings_of(type(methods.get(name)))
    return methods.get(name, **{**now, **options.parse(f"method {name}", known, words)})


def _backbone(name: str, words: Words) -> Any:
    known = options.settings_of(type(backbones.get(name)))
    return backbones.get(name, **options.parse(f"backbone {name}", known, words))
