"""Backbone, method and training as the parameters ask for them; what "auto" means."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

from .. import backbones, methods
from ..backbones.base import Backbone
from ..errors import SettingError
from ..methods.base import Method
from ..nn.network import Body
from ..training.random_generators import Generators, Seeded
from ..training.settings import Training
from .parameters import NAMES, Parameters

# The method of a network trained elsewhere where there are samples of new classes and nothing else.
ADOPTED_ALONE = "novelty-gate"
BACKBONES = {
    "image": ("patches", "images: training-free patch filters"),
    "photo": ("efficientnet_lite0", "colour or large images: a network pretrained on ImageNet"),
    "unseen photo": (
        "patches",
        "training-free patch filters, for want of a pretrained network (evergrow[images])",
    ),
    "table": ("fourier", "a table: random Fourier features of its standardised columns"),
    "text": ("text:all-MiniLM-L6-v2", "texts: a pretrained sentence encoder"),
    "mixed table": ("fourier", "a table: random Fourier features of its columns made numbers"),
}
PRECISIONS = {
    "auto": None,
    "float32": None,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
SHARED = [name for name in NAMES if name in Training.__dataclass_fields__ and name != "augment"]


@dataclass(frozen=True)
class Choice:
    """Names of a backbone and a method, and why, in words."""

    backbone: str
    method: str
    reason: str


@dataclass(frozen=True)
class Adopted:
    """What is at hand beside the new classes of a network trained elsewhere.

    remembered: samples of its own classes.  auxiliary: inputs without labels.
    """

    remembered: bool = False
    auxiliary: bool = False


class Chosen(NamedTuple):
    """A method that is not attached yet, its name, and why it, in words."""

    method: Method
    name: str
    reason: str


def backbone(parameters: Parameters, kind: str) -> tuple[Backbone, str]:
    """The settings of the backbone for data of a kind (`backbones.kind`), and its name.

    Raises SettingError.
    """
    asked = parameters.backbone
    if isinstance(asked, Backbone):
        return asked, backbones.name_of(asked)
    if isinstance(asked, str):
        name = resolve(asked, "", kind).backbone
        return backbones.get(name), name
    if isinstance(asked, nn.Module) or callable(asked):
        from ..backbones.custom import Own

        return Own(asked), "own"
    raise SettingError(
        f"backbone={asked!r}: a name ({', '.join(e.name for e in backbones.ENTRIES)}), "
        "an nn.Module that gives (n, width) features, or a callable that builds one."
    )


def method(parameters: Parameters, body: Body, kind: str, adopted: Adopted | None) -> Chosen:
    """The method for this backbone and data of this kind.

    adopted: what is at hand where the network came with classes.  Raises SettingError.
    """
    asked = parameters.method
    trains = body.trains and not body.pretrained and parameters.freeze is not True
    by_name = "given" if isinstance(asked, Method) else asked
    if not isinstance(by_name, str):
        raise SettingError(f"method={asked!r}: a name, 'package.module:Class' or a Method object.")
    named = parameters.backbone if isinstance(parameters.backbone, str) else "own"
    choice = resolve(named, by_name, kind, trains, adopted)
    if isinstance(asked, Method):
        return Chosen(asked.fresh(), methods.name_of(asked), choice.reason)
    return Chosen(methods.get(choice.method), choice.method, choice.reason)


def training(parameters: Parameters, rng: Generators) -> Training:
    """How to train on a task.  Raises SettingError for values out of range."""
    shared = {name: getattr(parameters, name) for name in SHARED}
    hook = None if parameters.augment is None else Seeded(parameters.augment, rng)
    if parameters.precision not in PRECISIONS:
        raise SettingError(f"precision={parameters.precision!r}: one of {', '.join(PRECISIONS)}.")
    return Training(**shared, augment=hook, autocast=PRECISIONS[parameters.precision])


def resolve(
    backbone: str,
    method: str,
    kind: str,
    trains: bool | None = None,
    adopted: Adopted | None = None,
) -> Choice:
    """Fill in what is "auto".

    backbone, method: names, "auto", or "own".
    kind: of the data ("image", "table", "tensor", "text"); "photo" for images that a pretrained
        network is for, "unseen photo" where there is none; "mixed table" where not all is numbers.
    trains: whether the backbone, once built, will learn (None: not known yet).
    adopted: what is at hand of a network that came with classes; None if it is evergrow's own.

    >>> resolve("auto", "auto", "image", trains=False).method
    'lda'
    >>> resolve("auto", "", "photo").backbone
    'efficientnet_lite0'
    """
    reasons, method = [], methods.canonical(method)
    if backbone == "auto":
        backbone, why = BACKBONES.get(kind, ("none", f"{kind} data: used as it is"))
        reasons.append(f"backbone {backbone} ({why})")
    if method == "auto" and trains is not None:
        if adopted is not None:
            method, why = _elsewhere(adopted)
        elif trains:
            method, why = "der++", "the backbone learns: past samples and answers are replayed"
        else:
            method, why = "lda", "the backbone does not learn: the last layer is solved exactly"
        reasons.append(f"method {method} ({why})")
    return Choice(backbone, method, "; ".join(reasons) or "as asked for")


def _elsewhere(adopted: Adopted) -> tuple[str, str]:
    """Method and reason for a network trained elsewhere."""
    if adopted.remembered:
        return "regrow", "samples of the network's own classes are replayed, its answers held"
    if adopted.auxiliary:
        return "dmc+", (
            "unlabelled inputs are at hand: those that seem old teach the old network's answers"
        )
    return ADOPTED_ALONE, (
        "no samples of the network's own classes are at hand: a gate lets in what lies among the "
        "new ones"
    )
