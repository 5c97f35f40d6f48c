"""Any network of timm, by name, with the preprocessing its weights were trained with."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..data import preprocess
from ..data.quiet_warnings import quiet
from ..data.read import Seen
from ..errors import SettingError
from ..nn.network import Body, Inputs
from ..storage.extras import optional
from . import image_sizes
from .base import Backbone
from .custom import Wrapped
from .multilayer import MultilayerBody, layer_names
from .pretrained_weights import Create, published, read_weights, with_weights

NAME = re.compile(r"\w+(\.\w+)?")  # of a network, and of its weights
KERNELS = {"bicubic": "bicubic", "lanczos": "bicubic"}  # by timm's names; all others: bilinear


@dataclass
class Timm(Backbone):
    """network: timm's name for it, such as "resnet18".  pretrained: published weights, else random.

    layers: the last so many stages, or names of layers, whose pooled outputs are joined to the
        features; 0: the last layer's features alone.
    weights: a file of them to take instead, .safetensors or .pt, with its classifier or without;
        a model folder does not need it later.

    Images are scaled, cut out and normalised as timm's config says (`resize.Canvas`), at the size
    that the network was trained at or any other that it can read (`image_sizes.arguments`).
    Published weights are downloaded by timm the first time and kept in its cache.

    >>> net = Timm("test_resnet", pretrained=False)
    >>> form = net.prepare(Seen("image", channels=3, sizes=((200, 300),)), image_size=64)
    >>> form["interpolation"], form["crop"], form["crop_pct"]
    ('bilinear', 'center', 0.95)
    >>> net.build(form, torch.Generator()).width > 0
    True
    """

    network: str
    pretrained: bool = True
    layers: int | tuple[str, ...] = 0
    weights: str | None = None

    def prepare(
        self, seen: Seen, image_size: int | tuple[int, int] | None = None
    ) -> dict[str, Any]:
        self.needs(seen)
        config = self._reading()
        form = preprocess.spec(seen, image_size or config["input_size"][1:], channels=3)
        how = {
            "interpolation": KERNELS.get(config["interpolation"], "bilinear"),
            "crop": config["crop_mode"],
            "crop_pct": config["crop_pct"],
        }
        if config["crop_mode"] == "border":  # timm fills with the mean
            how["fill"] = [round(255 * level) for level in config["mean"]]
        return form | how

    def inputs(self, prepared: dict[str, Any]) -> Inputs:
        config = self._reading()
        return Inputs("image", config["mean"], config["std"])

    def build(self, prepared: dict[str, Any], rng: torch.Generator) -> Body:
        with torch.random.fork_rng(devices=[]), quiet():
            create = self._creator(prepared)
            torch.manual_seed(int(torch.randint(2**62, (1,), generator=rng)))
            module = self._module(create)
        return wrapped(module, prepared, self.pretrained or bool(self.weights), self.layers)

    def _creator(self, prepared: dict[str, Any]) -> Create:
        """`timm.create_model` of this network for images of this size."""
        timm, own = having(self.network), tuple(self._reading()["input_size"][1:])
        size = prepared["height"], prepared["width"]
        sizes = image_sizes.arguments(timm, self.network, size, own)
        return partial(timm.create_model, self.network, **sizes)

    def _module(self, create: Create) -> nn.Module:
        """The network without its classifier."""
        config = self._config()
        if self.weights:
            path = Path(self.weights)
            return with_weights(create, read_weights(path), config, str(path))
        if not self.pretrained:
            return create(pretrained=False, num_classes=0)
        source = published(self.network, config)
        try:
            return create(pretrained=True, num_classes=0, **source)
        except Exception as error:
            raise SettingError(
                f"timm could not give {self.network!r} with its published weights: {error}. "
                "Try its own image size, set weights= to a file of them, or take another network."
            ) from error

    def restore(self, prepared: dict[str, Any]) -> Body:
        return unfilled(self, prepared)

    def trained(self, network: nn.Module, head: str, prepared: dict[str, Any]) -> Body:
        """The body of a network of this name trained elsewhere, without its layer `head`."""
        tensors = {k: v for k, v in network.state_dict().items() if not k.startswith(f"{head}.")}
        create, what = self._creator(prepared), "the network trained elsewhere"
        module = with_weights(create, tensors, self._config(), what)
        return wrapped(module, prepared, True, self.layers)

    def _config(self) -> dict[str, Any]:
        """timm's config of the published network; almost empty where it has none."""
        config = having(self.network).get_pretrained_cfg(self.network)
        return {"architecture": self.network} | (config.to_dict() if config else {})

    def _reading(self) -> dict[str, Any]:
        """How it reads images, as timm resolves its config."""
        reading: dict[str, Any] = _timm().data.resolve_data_config(pretrained_cfg=self._config())
        return reading


def wrapped(
    module: nn.Module,
    prepared: dict[str, Any],
    pretrained: bool,
    layers: int | Sequence[str] = 0,
) -> Body:
    """A network of timm as a backbone.  pretrained: whether its weights are worth keeping.

    layers: see `Timm`.

    Channels lie side by side in memory: 1.4 to 1.7 times as fast on a processor; batch norm is
    folded where nothing learns; each thread takes blocks of its own. These are rules, not
    measurements, so that features are the same in every process.
    """
    module = module.to(memory_format=torch.channels_last)
    body = MultilayerBody(module, layer_names(module, layers)) if layers else Wrapped(module, 0)
    body.layout = torch.channels_last
    if isinstance(body, MultilayerBody):
        size = prepared["height"], prepared["width"]
        body.drop_repeated(torch.linspace(-1, 1, 3 * size[0] * size[1]).view(1, 3, *size))
    body.width, body.any_size, body.pretrained = _width(body, prepared), True, pretrained
    body.example, body.thread_safe = (3, prepared["height"], prepared["width"]), True
    return body


def unfilled(settings: Any, prepared: dict[str, Any]) -> Body:
    """The module of a backbone with a field `pretrained`; weights are loaded next, none fetched."""
    body = replace(settings, pretrained=False).build(prepared, torch.Generator().manual_seed(0))
    body.pretrained = settings.pretrained
    return body  # type: ignore[no-any-return]


def having(network: str) -> Any:
    """timm, which has this network.  Raises SettingError if it has not, or is not installed."""
    timm = _timm()
    base = network.split(".")[0]
    if not NAME.fullmatch(network) or not timm.is_model(base):  # no hf-hub:..., which is fetched
        close = ", ".join(timm.list_models(f"*{base[:6]}*")[:8])
        raise SettingError(f"timm has no network {network!r}; close names: {close or 'none'}.")
    return timm


def _timm() -> Any:
    return optional("timm", "images", "backbone timm:...")


@torch.no_grad()
def _width(body: Body, prepared: dict[str, Any]) -> int:
    body.eval()
    features = body(torch.zeros(1, 3, prepared["height"], prepared["width"]))
    body.train()
    return int(features.shape[1])
