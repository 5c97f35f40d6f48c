"""A model that begins with a network trained elsewhere: its outputs become the first columns."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .. import backbones
from ..backbones.base import Backbone
from ..backbones.custom import Own, in_single_precision
from ..backbones.head_agreement import ROWS, Cut, find_cut
from ..backbones.headless import candidates, heads, scripted, with_leaves
from ..data import read
from ..data.dataset import Chunk, Seen
from ..errors import DataError, SettingError
from ..methods.base import Method
from ..nn.network import Body, Inputs, Network, evaluating
from . import choose
from .choose import Adopted
from .model import Model
from .parameters import Parameters
from .update import attach

SYNTHETIC = 8  # images drawn to compare the answers of a network whose inputs are known


def from_network(
    network: nn.Module,
    classes: Any,
    parameters: Parameters,
    *,
    head: str | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> Model:
    """A model of any network that ends in a linear layer; see `GrowingClassifier.adopt`.

    Its answers are compared with the network's own on the first inputs that come: see `Uncut`.
    """
    labels = labels_of(classes)
    whole = _copied(network)
    name = candidates(whole, len(labels), head)[0]
    scales = (None if v is None else [float(a) for a in v] for v in (mean, std))
    own = Own(whole, name, *scales)  # type: ignore[arg-type]
    layer: Any = heads(whole)[name]
    if scripted(layer):
        own.taken = "output"
    weight = layer.weight.data.flatten(1)
    bias = weight.new_zeros(len(weight)) if layer.bias is None else layer.bias.data
    parameters = replace(parameters, backbone=own)
    model = _model(parameters, own, own.headless(whole), weight, bias, labels, None)
    model.uncut = Uncut(own, head)
    return model


def from_named_network(network: nn.Module, classes: Any, parameters: Parameters) -> Model:
    """A model of one of timm's networks, named by `parameters.backbone` ("timm:resnet18")."""
    from ..backbones.timm_networks import Timm

    settings = backbones.get(parameters.backbone)
    if not isinstance(settings, Timm):
        raise SettingError(
            f"backbone={parameters.backbone!r}: networks trained elsewhere go by timm:<network>."
        )
    labels = labels_of(classes)
    network = _copied(network)
    seen = Seen("image", channels=3)
    schema = settings.prepare(seen, parameters.image_size)
    as_trained = schema if parameters.image_size is None else settings.prepare(seen)
    cut = _cut_of_images(network, len(labels), settings.inputs(schema), (as_trained, schema))
    body = settings.trained(network, cut.head, schema)
    return _model(parameters, settings, body, cut.weight, cut.bias, labels, schema)


def _cut_of_images(
    network: nn.Module, outputs: int, inputs: Inputs, schemas: Sequence[dict[str, Any]]
) -> Cut:
    """The cut of a network of images, at the first of these sizes that it can read."""
    refusals = []
    for schema in schemas:
        size = SYNTHETIC, 3, schema["height"], schema["width"]
        noise = torch.rand(size, generator=torch.Generator().manual_seed(0))
        try:
            with evaluating([network]):
                return find_cut(network, outputs, None, inputs(noise))
        except DataError as error:  # a transformer, say, reads images of one size alone
            refusals.append(error)
    raise refusals[0]


@dataclass(eq=False)
class Uncut:
    """A network trained elsewhere, whole, until its answers were compared with those of its head.

    own: the network and how it is cut as far as is known.  head: the layer that was named.
    What was found is kept beside the model, and is the same whoever finds it.
    """

    own: Own
    head: str | None
    _cut: Cut | None = None
    _compared: tuple[Method, Model] | None = None  # by the method of the model that asked

    def compared(self, model: Model, chunk: Chunk) -> Model:
        """The model with the network cut, its answers compared on the first of these inputs."""
        if self._cut is None and len(chunk):
            self._cut = self._found(model, chunk)
        return self.latest(model)

    def latest(self, model: Model) -> Model:
        cut, before = self._cut, self._compared
        if cut is None:
            return model
        if before is None or before[0] is not model.learner:
            before = self._compared = model.learner, self._with(cut, model)
        return before[1].asked(model.parameters)

    def _found(self, model: Model, chunk: Chunk) -> Cut:
        network = self._network()
        first = next((p for p in network.parameters()), torch.empty(0))
        rows = torch.arange(min(len(chunk), ROWS))
        with evaluating([network]):
            x = model.net.inputs.to(first.device)(model.records(chunk).take(rows).to(first.device))
            return find_cut(network, len(model.classes), self.head, with_more(x))

    def _with(self, cut: Cut, model: Model) -> Model:
        own = replace(self.own, head=cut.head, taken=cut.taken, pooled=cut.pooled)
        body = own.headless(self._network())
        parameters = replace(model.parameters, backbone=own)
        net = Network(body, own.inputs(None)).eval()
        net.head.extend(cut.weight, cut.bias)
        learner = model.learner.fresh()
        attach(learner, net, parameters)
        learner.settle()
        return replace(model, parameters=parameters, backbone=own, learner=learner, uncut=None)

    def _network(self) -> nn.Module:
        assert isinstance(self.own.module, nn.Module)
        return self.own.module


def with_more(x: Tensor) -> Tensor:
    """`ROWS` inputs where fewer came: others beside them, of the same values in other places.

    >>> with_more(torch.tensor([[1.0, 2.0, 3.0]]))[:4].tolist()
    [[1.0, 2.0, 3.0], [3.0, 1.0, 2.0], [2.0, 3.0, 1.0], [1.0, 2.0, 3.0]]
    """
    if x.ndim < 2:
        return x
    turned = [x.roll(by, -1) for by in range(-(-ROWS // len(x)))]
    return torch.cat(turned)[:ROWS]


def _copied(network: Any) -> nn.Module:
    """A copy of the network at rest, in single precision.  Raises SettingError for other things."""
    if not isinstance(network, nn.Module):
        raise SettingError(
            f"adopt takes the network itself, an nn.Module, and got {_words(network)}; build the "
            "network that it was trained as, load_state_dict() the weights into it, and pass that "
            "(the command `evergrow adopt` takes a file of weights, for networks of timm)."
        )
    network = getattr(network, "_orig_mod", network)  # of torch.compile
    return in_single_precision(with_leaves(copy.deepcopy(network))).eval()


def _words(thing: Any) -> str:
    if isinstance(thing, Mapping):
        return f"a {type(thing).__name__} (a state dict?)"
    if isinstance(thing, type):
        return f"the class {thing.__name__} (call it)"
    return f"a {type(thing).__name__}"


def _model(
    parameters: Parameters,
    settings: Backbone,
    body: Body,
    weight: Tensor,
    bias: Tensor,
    labels: np.ndarray,
    schema: dict[str, Any] | None,
) -> Model:
    """A model with this body, and with these rows of a head as the first columns."""
    net = Network(body, settings.inputs(schema or {})).eval()
    net.head.extend(weight, bias)
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


def labels_of(classes: Any) -> np.ndarray:
    """A label for each output of a network, all different.

    classes: labels in the order of the outputs; or {0: "a"}, as `id2label` of a config has them; or
    {"a": 0}, as `class_to_idx` of a data set.  Raises DataError for all else.

    >>> labels_of({"b": 0, "a": 1}).tolist(), labels_of({1: "a", 0: "b"}).tolist()
    (['b', 'a'], ['b', 'a'])
    """
    if isinstance(classes, set | frozenset | str | bytes):
        raise DataError(
            f"classes: expected a label for each output, in the order of the outputs, and got a "
            f"{type(classes).__name__}, which has no such order; pass a list."
        )
    labels = read.clean_labels(
        _in_order(classes) if isinstance(classes, Mapping) else list(classes)
    )
    if len(set(labels.tolist())) != len(labels):
        raise DataError("classes: each output needs a label of its own, and some came twice.")
    return labels


def _in_order(classes: Mapping[Any, Any]) -> list[Any]:
    """The labels of a dict in the order of the numbers in it."""
    by_key = _sorted_by_number(list(classes.items()))
    by_value = _sorted_by_number([(value, key) for key, value in classes.items()])
    numbers = any(isinstance(value, int | np.integer) for value in classes.values())
    if numbers and by_value is not None:
        named = all(isinstance(key, str) for key in classes)
        by_key = None if named else by_key
    if by_key is not None and by_value is not None and by_key != by_value:
        raise DataError(
            "classes: a dict of numbers to numbers can be read both ways; pass a list of labels in "
            "the order of the outputs."
        )
    labels = by_key if by_key is not None else by_value
    if labels is None:
        raise DataError(
            "classes: a dict is read as {0: label, ...} or {label: 0, ...}, with each number from "
            f"0 to {len(classes) - 1} once; pass such, or a list in the order of the outputs."
        )
    return labels


def _sorted_by_number(pairs: list[tuple[Any, Any]]) -> list[Any] | None:
    """Second parts in the order of the first, where these are 0, 1, ...; None where not."""
    plain = {str(number): value for number, value in pairs if not isinstance(number, bool)}
    wanted = [str(j) for j in range(len(pairs))]
    return [plain[j] for j in wanted] if set(plain) == set(wanted) else None
