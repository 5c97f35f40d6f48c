"""Backbone, method and training as the parameters ask for them; "auto" goes by `resolve`."""

from typing import NamedTuple

import torch
from torch import nn

from .. import backbones, methods
from ..backbones.base import Backbone
from ..errors import SettingError
from ..methods.base import Method
from ..nn.network import Body
from ..training.generators import Generators, Seeded
from ..training.settings import Training
from .parameters import NAMES, Parameters
from .resolve import Adopted, resolve

PRECISIONS = {
    "auto": None,
    "float32": None,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
SHARED = [name for name in NAMES if name in Training.__dataclass_fields__ and name != "augment"]


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
