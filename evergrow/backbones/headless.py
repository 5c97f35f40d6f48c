"""A trained classifier without its head: gives the features that the head reads."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor, nn

from ..errors import SettingError

POOLS = ("last", "first", "mean")  # which of several positions an answer is of
CONVOLUTIONS = ("Conv1d", "Conv2d", "Conv3d")

# What the taps of the call under way were given, by tap: another thread's call has another.
_taken: ContextVar[dict[int, Tensor] | None] = ContextVar("taken", default=None)


class Tap(nn.Module):
    """Stands where the head stood and keeps what it was given: the features.

    So a network that goes on after its head (a softmax, say) can be cut all the same.
    channels: the axis of features, and then of outputs: -1, or 1 for a convolution.
    """

    def __init__(self, outputs: int, channels: int = -1):
        super().__init__()
        self.outputs, self.channels = outputs, channels

    def forward(self, x: Tensor) -> Tensor:
        features = _taken.get()
        if features is not None:
            features[id(self)] = x.movedim(self.channels, -1)
        shape = list(x.shape)
        shape[self.channels] = self.outputs
        return x.new_zeros(shape)


class Headless(nn.Module):
    """A trained classifier without its head, a linear layer or a convolution of single pixels.

    network: is copied, its weights are not.  head: the layer's name.
    taken: where features are taken: "input": they are what the head is given; "output": what the
        network gives where the head's weights are the identity, for heads whose weights the network
        reads itself, and for TorchScript.
    pooled: where the head is given several positions a sample: the "last", the "first" or their
        "mean"; "": it is given one.

    >>> net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> Headless(net, "2")(torch.zeros(5, 3)).shape, Headless(net, "2").width
    (torch.Size([5, 4]), 4)
    """

    def __init__(self, network: nn.Module, head: str, taken: str = "input", pooled: str = ""):
        super().__init__()
        self.network, self.head, self.taken, self.pooled = sharing(network), head, taken, pooled
        layer = heads(self.network)[head]
        outputs, self.width = size_of(layer)
        if taken == "output":
            _become_identity(layer, self.width)
            return
        if scripted(layer):
            raise SettingError("a layer of TorchScript cannot be taken out of its network.")
        self.tap = Tap(outputs, 1 if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Conv3d) else -1)
        parent, _, name = head.rpartition(".")
        setattr(self.network.get_submodule(parent), name, self.tap)

    def forward(self, x: Tensor) -> Tensor:
        if self.taken == "output":
            return self.network(x).flatten(1)  # type: ignore[no-any-return]
        with _collecting() as by_tap:
            self.network(x)
        features = by_tap.get(id(self.tap))
        if features is not None and features.ndim > 2 and self.pooled:
            features = _pooled(features.flatten(1, -2), self.pooled)
        if features is None or features.ndim != 2:
            came = "it was not called" if features is None else f"it got {tuple(features.shape)}"
            raise SettingError(
                f"the layer {self.head!r} should get (n, features) once a call, {came}; "
                "name the layer that gives the class scores with head=."
            )
        return features

    def fixed(self) -> list[nn.Parameter]:
        """Parameters that never learn: the identity where the head's weights stood."""
        return list(heads(self.network)[self.head].parameters()) if self.taken == "output" else []


@contextmanager
def _collecting() -> Iterator[dict[int, Tensor]]:
    """What the taps are given while the block runs, in this thread."""
    by_tap: dict[int, Tensor] = {}
    token = _taken.set(by_tap)
    try:
        yield by_tap
    finally:
        _taken.reset(token)


def _pooled(features: Tensor, pooled: str) -> Tensor:
    """(n, positions, width) -> (n, width)."""
    if pooled == "mean":
        return features.mean(1)
    return features[:, -1 if pooled == "last" else 0]


def _become_identity(layer: nn.Module, width: int) -> None:
    """Let a head pass on what it is given."""
    old: Tensor = layer.weight  # type: ignore[assignment]
    identity = torch.eye(width, dtype=old.dtype, device=old.device)
    identity = identity.view(width, width, *old.shape[2:])
    layer.weight = nn.Parameter(identity, requires_grad=False)
    if layer.bias is not None:
        layer.bias = nn.Parameter(old.new_zeros(width), requires_grad=False)


def sharing(network: nn.Module) -> nn.Module:
    """A copy of a network whose layers may be changed, with the very same weights."""
    if scripted(network):
        return with_leaves(copy.deepcopy(network))  # it copies tensors of its own
    weights = [*network.parameters(), *network.buffers()]
    return copy.deepcopy(network, {id(tensor): tensor for tensor in weights})


def scripted(module: nn.Module) -> bool:
    """Whether a module is of TorchScript, or holds such."""
    return any(isinstance(m, torch.jit.ScriptModule) for m in module.modules())


def with_leaves(copied: nn.Module) -> nn.Module:
    """A copied module whose weights can learn: those of TorchScript come out as computed values."""
    for module in copied.modules():
        for name, p in list(module.named_parameters(recurse=False)):
            if not p.is_leaf:
                setattr(module, name, nn.Parameter(p.detach().clone(), p.requires_grad))
    return copied


def heads(network: nn.Module) -> dict[str, nn.Module]:
    """Layers that may be a head, by name: linear ones, and convolutions of single pixels."""
    return {name: m for name, m in network.named_modules() if name and _may_be_head(m)}


def size_of(layer: nn.Module) -> tuple[int, int]:
    """Outputs and features of a head."""
    weight: Tensor = layer.weight  # type: ignore[assignment]
    return weight.shape[0], weight.shape[1]


def _may_be_head(module: nn.Module) -> bool:
    name = getattr(module, "original_name", "")  # of a module of TorchScript
    if isinstance(module, nn.Linear) or name == "Linear":
        return True
    if not isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d) and name not in CONVOLUTIONS:
        return False
    weight: Tensor = module.weight  # type: ignore[assignment]
    grouped = getattr(module, "groups", 1) != 1
    return not grouped and all(side == 1 for side in weight.shape[2:])


def candidates(network: nn.Module, outputs: int, head: str | None = None) -> list[str]:
    """Layers that give so many scores, the last one first; the one named alone.

    Raises SettingError if there is none, or the one named has another number of outputs.
    """
    sizes = {name: size_of(layer) for name, layer in heads(network).items()}
    words = ", ".join(f"{name} ({n_in} -> {n_out})" for name, (n_out, n_in) in sizes.items())
    if head is not None and head not in sizes:
        raise SettingError(
            f"head={head!r} is not a linear layer of this network; it has: {words or 'none'}."
        )
    if head is not None and sizes[head][0] != outputs:
        raise SettingError(
            f"head {head!r} has {sizes[head][0]} outputs, but {outputs} classes were named; "
            "name one class for each output, in the order of the outputs."
        )
    fitting = [name for name, (n_out, _) in sizes.items() if n_out == outputs]
    if not fitting:
        raise SettingError(
            f"{outputs} classes were named, but no linear layer has {outputs} outputs; "
            f"it has: {words or 'none'}. "
            "Name one class for each output of the network, in the order of its outputs."
        )
    return fitting[::-1] if head is None else [head]
