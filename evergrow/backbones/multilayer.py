"""Features of several depths of one network: its last ones, joined with those on the way there."""

import math
from collections.abc import Callable, Sequence
from threading import get_ident
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import SettingError
from ..nn.network import evaluating
from .batchnorm_folding import NEAR
from .custom import Wrapped

LAST = "last"  # the name of the network's own features, which come first


class MultilayerBody(Wrapped):
    """A network whose features are joined with the outputs of layers on the way to them.

    layers: names of submodules. Their outputs are averaged over places (images) or tokens.
    parts: (name, width) of each, in the order of the joined features, once an input was seen.
    """

    def __init__(self, module: nn.Module, layers: Sequence[str]):
        super().__init__(module, 0)
        self.layers, self.parts = tuple(layers), list[tuple[str, int]]()

    def around(self, module: nn.Module) -> Wrapped:
        body = MultilayerBody(module, self.layers)
        body.width, body.parts = self.width, self.parts
        return body

    def _folded(self, shape: tuple[int, ...]) -> Wrapped:
        twin = super()._folded(shape)
        x = torch.linspace(-1, 1, math.prod(shape), device=next(self.parameters()).device)
        with torch.no_grad(), evaluating([self]):
            expected, answered = (body(x.view(1, *shape)) for body in (self, twin))
        near = (expected - answered).abs().max() <= NEAR * expected.abs().max()
        return twin if bool(near) else self  # a layer may be one that folding took away

    def forward(self, x: Tensor) -> Tensor:
        layers = self.by_layer(x)
        self.parts = [(name, part.shape[1]) for name, part in layers.items()]
        return torch.cat(list(layers.values()), 1)

    def by_layer(self, x: Tensor) -> dict[str, Tensor]:
        """(n, width) features of each depth, the last layer's first."""
        outputs: dict[str, Tensor] = {}
        hooks = [
            self.module.get_submodule(name).register_forward_hook(self._keep(outputs, name))
            for name in self.layers
        ]
        try:
            return {LAST: super().forward(x)} | outputs
        finally:
            for hook in hooks:
                hook.remove()

    def _keep(self, outputs: dict[str, Tensor], name: str) -> Callable[..., None]:
        """A hook that averages and keeps an output, if it is this thread's: others run it too."""
        mine = get_ident()
        places = (1, 2) if getattr(self.module, "output_fmt", "NCHW") == "NHWC" else (2, 3)

        def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
            if get_ident() == mine:
                images = output.ndim == 4
                outputs[name] = output.mean(places) if images else output.flatten(1, -2).mean(1)

        return hook

    @torch.no_grad()
    def drop_repeated(self, x: Tensor) -> None:
        """Leave out layers that give what the last one gives, as the last stage of many does."""
        with evaluating([self]):
            layers = self.by_layer(x)
        last = layers.pop(LAST)
        same = [n for n, f in layers.items() if f.shape == last.shape and torch.allclose(f, last)]
        self.layers = tuple(name for name in self.layers if name not in same)


def layer_names(module: nn.Module, layers: int | Sequence[str]) -> tuple[str, ...]:
    """Names of layers: those given, or the last so many stages of a network of timm.

    Raises SettingError for a name that there is not, or more layers than there are.
    """
    if isinstance(layers, int):
        info = getattr(module, "feature_info", None) or []
        names = [entry["module"] for entry in (getattr(info, "info", None) or info)]
        if not 0 <= layers <= len(names):
            raise SettingError(f"layers={layers}: this network has {len(names)}: {names}.")
        return tuple(names[len(names) - layers :])
    known = [name for name, _ in module.named_modules() if name]
    for name in layers:
        if name not in known:
            few = [n for n in known if n.count(".") < 2]
            raise SettingError(f"layers: there is no layer {name!r}; there are {', '.join(few)}.")
    return tuple(layers)
