"""A model that begins with a network trained elsewhere: its outputs become the first columns."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from .. import backbones
from ..backbones.base import Backbone
from ..data import read
from ..data.dataset import Seen
from ..errors import DataError, SettingError
from ..nn.network import Body, Network
from . import choose
from .choose import Adopted
from .model import Model
from .parameters import Parameters
from .update import attach


def from_network(
    network: nn.Module,
    classes: Sequence[Any],
    parameters: Parameters,
    *,
    head: str | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> Model:
    """A model of any network that ends in a linear layer; see `GrowingClassifier.adopt`."""
    from ..backbones.custom import Own, find_head

    labels = _distinct(classes)
    name = find_head(network, len(labels), head)
    own = Own(network, name, *(None if v is None else [float(a) for a in v] for v in (mean, std)))
    layer = network.get_submodule(name)
    parameters = replace(parameters, backbone=own)
    return _model(parameters, own, own.headless(network), layer, labels, None)


def from_named_network(network: nn.Module, classes: Sequence[Any], parameters: Parameters) -> Model:
    """A model of one of timm's networks, named by `parameters.backbone` ("timm:resnet18")."""
    from ..backbones.custom import find_head
    from ..backbones.timm_networks import Timm

    settings = backbones.get(parameters.backbone)
    if not isinstance(settings, Timm):
        raise SettingError(
            f"backbone={parameters.backbone!r}: networks trained elsewhere go by timm:<network>."
        )
    labels = _distinct(classes)
    name = find_head(network, len(labels))
    schema = settings.prepare(Seen("image", channels=3), parameters.image_size)
    body = settings.trained(network, name, schema)
    return _model(parameters, settings, body, network.get_submodule(name), labels, schema)


def _model(
    parameters: Parameters,
    settings: Backbone,
    body: Body,
    layer: Any,
    labels: np.ndarray,
    schema: dict[str, Any] | None,
) -> Model:
    """A model with this body, and with this layer's rows as the first columns."""
    net = Network(body, settings.inputs(schema or {})).eval()
    bias = torch.zeros(len(labels)) if layer.bias is None else layer.bias.data
    net.head.extend(layer.weight.data, bias)
    chosen = choose.method(parameters, body, "image", Adopted())
    attach(chosen.method, net, parameters)
    chosen.method.settle()
    return Model(
        parameters=parameters,
        backbone=settings,
        backbone_name=backbones.name_of(settings),
        learner=chosen.method,
        method_name=chosen.name,
        reason=chosen.reason,
        schema=schema,
        classes=np.array(labels.tolist()),
        counts=np.zeros(len(labels), int),
        adopted=len(labels),
    )


def _distinct(classes: Sequence[Any]) -> np.ndarray:
    """A label for each output of a network, all different."""
    labels = read.clean_labels(list(classes))
    if len(set(labels.tolist())) != len(labels):
        raise DataError("classes: each output needs a label of its own, and some came twice.")
    return labels
