"""Any network of timm, by name, with the preprocessing its weights were trained with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from .. import prepare
from ..errors import SettingError
from ..network import Body, Inputs
from ..sources import Seen
from .base import Backbone
from .deep import Deep, chosen
from .own import Wrapped


@dataclass
class Timm(Backbone):
    """network: timm's name for it, such as "resnet18".  pretrained: published weights, else random.

    layers: the last so many stages, or names of layers, whose pooled outputs are joined to the
        features; 0: the last layer's features alone.

    Weights are downloaded by timm the first time and kept in its cache.

    >>> net = Timm("test_resnet", pretrained=False)
    >>> form = net.prepare(Seen("image", channels=3, sizes=((200, 300),)), image_size=64)
    >>> net.build(form, torch.Generator()).width > 0
    True
    """

    network: str
    pretrained: bool = True
    layers: int | tuple[str, ...] = 0

    def prepare(
        self, seen: Seen, image_size: int | tuple[int, int] | None = None
    ) -> dict[str, Any]:
        self.needs(seen)
        size = image_size or tuple(self._config()["input_size"][1:])
        return prepare.spec(seen, size, channels=3)

    def inputs(self, prepared: dict[str, Any]) -> Inputs:
        config = self._config()
        return Inputs("image", config["mean"], config["std"])

    def build(self, prepared: dict[str, Any], rng: torch.Generator) -> Body:
        timm = _timm()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(torch.randint(2**62, (1,), generator=rng)))
            try:
                module = timm.create_model(self.network, pretrained=self.pretrained, num_classes=0)
            except Exception as error:
                raise SettingError(
                    f"timm could not give {self.network!r} with its weights: {error}. "
                    "Without a network connection "
                    "put the weights into timm's cache first, "
                    "or start from a file of your own (evergrow adopt --weights)."
                ) from error
        return wrapped(module, prepared, self.pretrained, self.layers)

    def restore(self, prepared: dict[str, Any]) -> Body:
        return unfilled(self, prepared)

    def trained(self, network: nn.Module, head: str, prepared: dict[str, Any]) -> Body:
        """The body of a network of this name trained elsewhere, without its layer `head`."""
        module = _timm().create_model(self.network, pretrained=False, num_classes=0)
        weights = {k: v for k, v in network.state_dict().items() if not k.startswith(f"{head}.")}
        module.load_state_dict(weights)
        return wrapped(module, prepared, True, self.layers)

    def _config(self) -> dict[str, Any]:
        timm = having(self.network)
        config = timm.get_pretrained_cfg(self.network)
        if config is None:
            return {
                "input_size": (3, 224, 224),
                "mean": (0.485, 0.456, 0.406),
                "std": (0.229, 0.224, 0.225),
            }
        return config.to_dict()  # type: ignore[no-any-return]


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
    body = Deep(module, chosen(module, layers)) if layers else Wrapped(module, 0)
    body.layout = torch.channels_last
    if isinstance(body, Deep):
        size = prepared["height"], prepared["width"]
        body.drop_repeated(torch.linspace(-1, 1, 3 * size[0] * size[1]).view(1, 3, *size))
    body.width, body.any_size, body.pretrained = _width(body, prepared), True, pretrained
    body.example, body.apart = (3, prepared["height"], prepared["width"]), True
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
    if not timm.is_model(base):
        close = ", ".join(timm.list_models(f"*{base[:6]}*")[:8])
        raise SettingError(f"timm has no network {network!r}; close names: {close or 'none'}.")
    return timm


def _timm() -> Any:
    try:
        import timm
    except ImportError:
        raise SettingError(
            "backbone timm:... needs timm, which is not installed: pip install 'evergrow[images]'."
        ) from None
    return timm


@torch.no_grad()
def _width(body: Body, prepared: dict[str, Any]) -> int:
    body.eval()
    features = body(torch.zeros(1, 3, prepared["height"], prepared["width"]))
    body.train()
    return int(features.shape[1])
