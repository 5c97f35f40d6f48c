"""The user's network: an `nn.Module` that gives features, its builder, or a trained classifier."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..errors import EvergrowError, SettingError
from ..nn.feature_cache import WeightsStamp, stamp
from ..nn.network import Body, Inputs, evaluating
from . import batchnorm_folding
from .base import Backbone
from .head_agreement import refused
from .headless import Headless, heads, scripted, with_leaves
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
        recurrent = any(isinstance(m, nn.RNNBase) for m in module.modules())
        self.vmappable = not (recurrent or scripted(module))
        self.example: tuple[int, ...] | None = None
        self._inference_form: tuple[WeightsStamp, Wrapped] | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> "Wrapped":
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        twin.__setstate__(copy.deepcopy(self.__dict__, memo))  # type: ignore[no-untyped-call]
        return with_leaves(twin)  # type: ignore[return-value]

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
        try:
            features = self.module(x)
        except (RuntimeError, ValueError, IndexError) as error:
            if isinstance(error, EvergrowError):
                raise
            raise refused(x, error) from error
        return features.flatten(1)  # type: ignore[no-any-return]

    def fixed(self) -> list[nn.Parameter]:
        return self.module.fixed() if isinstance(self.module, Headless) else []


@dataclass
class Own(Backbone):
    """A module that maps inputs to feature vectors, or a callable that builds one.

    module: nn.Module or callable; weights of double precision become single.
    head, taken, pooled: a last layer to cut off ("": none), and where features are taken instead;
        see `Headless`.
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
    taken: str = "input"
    pooled: str = ""

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
        """The module without its head; its width needs no look at an input."""
        if self.head not in heads(module):
            raise SettingError(
                f"the network has no linear layer {self.head!r}; "
                f"it has: {', '.join(heads(module)) or 'none'}. "
                "Pass the network as it was when it was adopted, its last layer included."
            )
        cut = Headless(module, self.head, self.taken, self.pooled)
        body = Wrapped(cut, cut.width)
        body.any_length = True
        return body

    def _module(self, rng: torch.Generator) -> nn.Module:
        if isinstance(self.module, nn.Module):
            return in_single_precision(with_leaves(copy.deepcopy(self.module)))
        with torch.random.fork_rng(devices=[]):  # a callable may draw weights: from our generator
            torch.manual_seed(int(torch.randint(2**62, (1,), generator=rng)))
            built = self.module()
        if not isinstance(built, nn.Module):
            raise SettingError(
                f"backbone: the callable gave a {type(built).__name__}, not an nn.Module."
            )
        return in_single_precision(built)

    def settings(self) -> dict[str, Any]:
        stored: dict[str, Any] = {"head": self.head, "mean": self.mean, "std": self.std}
        plain = self.taken == "input" and not self.pooled
        return stored if plain else stored | {"taken": self.taken, "pooled": self.pooled}


def in_single_precision(network: nn.Module) -> nn.Module:
    """The network itself, its weights of double precision made single.

    Raises SettingError for weights of half precision, and for such as are not there or not finite.
    """
    for name, tensor in (*network.named_parameters(), *network.named_buffers()):
        if nn.parameter.is_lazy(tensor) or tensor.is_meta:
            raise SettingError(
                f"the network's {name} has no values yet; give it an input, or load its weights, "
                "first."
            )
        if tensor.dtype in (torch.bfloat16, torch.float16):
            raise SettingError(
                f"the network's {name} is {tensor.dtype}; pass network.float(), which holds the "
                "same weights exactly (its answers may differ by what half precision rounds off)."
            )
    broken = [n for n, p in network.named_parameters() if not p.isfinite().all()]
    broken += [n for n, b in network.named_buffers() if b.is_floating_point() and b.isnan().any()]
    if broken:
        raise SettingError(
            f"the network's {', '.join(broken[:3])} holds values that are not finite: its training "
            "diverged, or its file is damaged; take weights from before that."
        )
    double = any(p.dtype == torch.float64 for p in network.parameters())
    return network.float() if double else network
