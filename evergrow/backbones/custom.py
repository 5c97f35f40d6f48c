"""The user's network: an `nn.Module` that gives features, its builder, or a trained classifier."""

import copy
import math
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..errors import SettingError
from ..nn.feature_cache import WeightsStamp, stamp
from ..nn.network import Body, Inputs, evaluating
from . import batchnorm_folding
from .base import Backbone
from .identity import shape_of


class Wrapped(Body):
    """The user's module as a backbone; its width is found by one look at an input.

    layout: of images in memory, as the module's weights have it.
    example: shape of an input for which batch norm may be folded (`batchnorm_folding`); None: it
    stays.
    """

    block_rows = 8
    layout = torch.contiguous_format

    def __init__(self, module: nn.Module, width: int):
        super().__init__()
        self.module, self.width = module, width
        self.trains = any(True for _ in module.parameters())
        self.example: tuple[int, ...] | None = None
        self._inference_form: tuple[WeightsStamp, Wrapped] | None = None

    def inner(self) -> nn.Module:
        return self.module.network if isinstance(self.module, Headless) else self.module

    def inference_form(self) -> "Wrapped":
        """A copy with batch norm folded, made anew when the weights have changed."""
        if self.example is None:
            return self
        now, still = stamp(self.module), self._inference_form
        if still is None or still[0] != now:  # several threads may find it so: all make the same
            still = self._inference_form = now, self._folded(self.example)
        return still[1]

    def _folded(self, shape: tuple[int, ...]) -> "Wrapped":
        weight = next(self.module.parameters())
        example = torch.linspace(-1, 1, 2 * math.prod(shape), device=weight.device)
        example = example.view(2, *shape).contiguous(memory_format=self.layout)
        module = batchnorm_folding.folded(self.module, example)
        if module is self.module:
            return self
        body = self.around(module)
        for name in ("block_rows", "layout", "thread_safe"):
            setattr(body, name, getattr(self, name))
        return body.eval()

    def around(self, module: nn.Module) -> "Wrapped":
        """The same about another module of the same kind."""
        return Wrapped(module, self.width)

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim == 4:
            x = x.contiguous(memory_format=self.layout)
        return self.module(x).flatten(1)  # type: ignore[no-any-return]


# What the taps of the call under way were given, by tap: another thread's call has another.
_taken: ContextVar[dict[int, Tensor] | None] = ContextVar("taken", default=None)


class Tap(nn.Module):
    """Stands where the last linear layer stood and keeps what it was given: the features.

    So a network that goes on after its last layer (a softmax, say) can be cut all the same.
    """

    def __init__(self, outputs: int):
        super().__init__()
        self.outputs = outputs

    def forward(self, x: Tensor) -> Tensor:
        features = _taken.get()
        if features is not None:
            features[id(self)] = x
        return x.new_zeros(*x.shape[:-1], self.outputs)


class Headless(nn.Module):
    """A trained classifier without its last linear layer: gives that layer's input.

    >>> net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> Headless(net, find_head(net, 2))(torch.zeros(5, 3)).shape
    torch.Size([5, 4])
    """

    def __init__(self, network: nn.Module, head: str):
        super().__init__()
        self.network, self.head = copy.deepcopy(network), head
        layer = self.network.get_submodule(head)
        assert isinstance(layer, nn.Linear)
        self.tap = Tap(layer.out_features)
        parent, _, name = head.rpartition(".")
        setattr(self.network.get_submodule(parent), name, self.tap)

    def forward(self, x: Tensor) -> Tensor:
        by_tap: dict[int, Tensor] = {}
        token = _taken.set(by_tap)
        try:
            self.network(x)
        finally:
            _taken.reset(token)
        features = by_tap.get(id(self.tap))
        if features is None or features.dim() != 2:
            came = "it was not called" if features is None else f"it got {tuple(features.shape)}"
            raise SettingError(
                f"the layer {self.head!r} should get (n, features) once a call, {came}; "
                "name the layer that gives the class scores with head=."
            )
        return features


def find_head(network: nn.Module, outputs: int, head: str | None = None) -> str:
    """The linear layer that gives the `outputs` scores: the one named, else the last of that size.

    Raises SettingError if there is none, or it has another number of outputs.
    """
    linear = {name: m for name, m in network.named_modules() if isinstance(m, nn.Linear) and name}
    sizes = ", ".join(f"{name} ({m.in_features} -> {m.out_features})" for name, m in linear.items())
    if head is not None and head not in linear:
        raise SettingError(
            f"head={head!r} is not a linear layer of this network; it has: {sizes or 'none'}."
        )
    fitting = [name for name, m in linear.items() if m.out_features == outputs]
    if head is None and not fitting:
        raise SettingError(
            f"{outputs} classes were named, but no linear layer has {outputs} outputs; "
            f"it has: {sizes or 'none'}. "
            "Name one class for each output of the network, in the order of its outputs."
        )
    name = fitting[-1] if head is None else head
    if linear[name].out_features != outputs:
        raise SettingError(
            f"head {name!r} has {linear[name].out_features} outputs, "
            f"but {outputs} classes were named; "
            "name one class for each output, in the order of the outputs."
        )
    return name


@dataclass
class Own(Backbone):
    """A module that maps inputs to feature vectors, or a callable that builds one.

    module: nn.Module or callable.  head: name of a last linear layer to cut off ("": none).
    mean, std: of images, by channel, for a network that was trained on normalised ones.

    >>> own = Own(nn.Linear(3, 5))
    >>> own.build({"kind": "tensor", "shape": [3], "dtype": "float32"}, torch.Generator()).width
    5
    """

    reads: ClassVar[tuple[str, ...]] = ("image", "tensor")
    wraps: ClassVar[bool] = True
    module: nn.Module | Callable[[], nn.Module] = field(repr=False)
    head: str = ""
    mean: list[float] | None = None
    std: list[float] | None = None

    def inputs(self, prepared: dict[str, Any] | None) -> Inputs:
        return Inputs("image", self.mean, self.std)  # float tensors pass it as they are

    def build(self, prepared: dict[str, Any], rng: torch.Generator) -> Body:
        module = self._module(rng)
        if self.head:
            return self.headless(module)
        dtype = torch.int64 if prepared.get("dtype") == "int64" else torch.float32
        example = torch.zeros(1, *shape_of(prepared), dtype=dtype)
        stage = self.inputs(prepared)
        try:
            with torch.no_grad(), evaluating([module]):
                features = module(stage(example)).flatten(1)
        except SettingError:
            raise
        except Exception as error:
            raise SettingError(
                f"the backbone cannot take inputs of shape {tuple(example.shape)}: {error}; "
                "pass inputs of the shape it was made for, or another backbone."
            ) from error
        return Wrapped(module, features.shape[1])

    def headless(self, module: nn.Module) -> Body:
        """The module without its last linear layer; its width needs no look at an input."""
        linear = {name: m for name, m in module.named_modules() if isinstance(m, nn.Linear)}
        if self.head not in linear:
            raise SettingError(
                f"the network has no linear layer {self.head!r}; "
                f"it has: {', '.join(linear) or 'none'}. "
                "Pass the network as it was when it was adopted, its last layer included."
            )
        return Wrapped(Headless(module, self.head), linear[self.head].in_features)

    def _module(self, rng: torch.Generator) -> nn.Module:
        if isinstance(self.module, nn.Module):
            return copy.deepcopy(self.module)
        with torch.random.fork_rng(devices=[]):  # a callable may draw weights: from our generator
            torch.manual_seed(int(torch.randint(2**62, (1,), generator=rng)))
            built = self.module()
        if not isinstance(built, nn.Module):
            raise SettingError(
                f"backbone: the callable gave a {type(built).__name__}, not an nn.Module."
            )
        return built

    def settings(self) -> dict[str, Any]:
        return {"head": self.head, "mean": self.mean, "std": self.std}
