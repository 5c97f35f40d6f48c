"""Input -> features: a file a backbone, and the list of them. Imports data, storage, nn.

The list is plain data, so that it needs no torch. To add one: write a file, add its line here.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

from ..registry import Registry

if TYPE_CHECKING:
    from ..data.read import Seen
    from .base import Backbone


class Entry(NamedTuple):
    """Where a backbone lives and what it is, in a line, and its settings."""

    name: str
    file: str
    cls: str
    reads: str
    line: str
    settings: str = ""  # names of its fields: a misspelt one is said before torch is imported


# fmt: off
ENTRIES = (
    Entry("patches", "patches", "Patches", "image",
          "Training-free filters: whitened patches of photographs.", "filters grid threshold"),
    Entry("fourier", "fourier", "Fourier", "table",
          "Random Fourier features of standardised columns; fixed.", "width bandwidth limit"),
    Entry("none", "identity", "Nothing", "any",
          "The inputs themselves are the features; tables standardised."),
    Entry("mlp", "mlp", "MLP", "any", "Fully connected layers with ReLU, trained.", "hidden"),
    Entry("convnet", "convnet", "ConvNet", "image",
          "A small convolutional network, trained; any image size.", "base"),
    Entry("resnet32", "resnet32", "ResNet32", "image",
          "The 32-layer residual network for CIFAR; any image size."),
    Entry("efficientnet_lite0", "efficientnet_lite0", "EfficientNetLite0", "image",
          "Pretrained on ImageNet, comes with evergrow[images]; works offline.",
          "pretrained layers"),
    Entry("timm", "timm_networks", "Timm", "image",
          "timm:<name>, any network of timm, its own preprocessing.",
          "network pretrained layers weights"),
    Entry("text", "text", "Text", "text",
          "text:<name or path>, a sentence encoder; all-MiniLM-L6-v2 comes with evergrow[text].",
          "network depths"),
)
# fmt: on
__all__ = [entry.cls for entry in ENTRIES]
NAMED = ("timm", "text")  # stand before a name: timm:resnet18
REGISTRY = Registry("backbone", ENTRIES, __name__, otherwise=", or pass an nn.Module")


def get(name: str, **settings: Any) -> "Backbone":
    """A backbone by name, with settings; `timm:<network>` names one of timm's, `text:` an encoder.

    >>> get("mlp", hidden=(400, 400))
    MLP(hidden=(400, 400))
    """
    base, _, rest = name.partition(":")
    entry = REGISTRY.named(base)
    if entry is None or (base in NAMED) != bool(rest):
        known = [f"{e.name}:<network>" if e.name in NAMED else e.name for e in ENTRIES]
        raise REGISTRY.unknown(name, known)
    network = {"network": rest} if rest else {}
    backbone = REGISTRY.make(name, REGISTRY.load(entry), settings | network)
    return backbone  # type: ignore[no-any-return]


def kind(seen: "Seen") -> str:
    """The kind of data, for `choose`: "photo" for images that a pretrained network is for."""
    if seen.kind != "image":
        return "mixed table" if seen.mixed else seen.kind
    from .efficientnet_lite0 import SMALL, installed

    plain = seen.channels == 1 and max(max(size) for size in seen.sizes) <= SMALL
    return "image" if plain else "photo" if installed() else "unseen photo"


def name_of(backbone: "Backbone") -> str:
    """The name that `get` knows this backbone by; "own" for a network of the user's."""
    name = REGISTRY.name_of(backbone) or "own"
    return f"{name}:{backbone.settings()['network']}" if name in NAMED else name


def __getattr__(cls: str) -> Any:
    return REGISTRY.attribute(cls)
