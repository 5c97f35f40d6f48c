"""Branches: earlier states of a backbone, or of some layers, beside the one that learns.

A linear layer over the features of all of them side by side is the sum of a linear layer for each.
So each branch has a head of its own, without bias, beside that of the network.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from .network import Network, evaluating


class Branches:
    """Weights that layers of the backbone had once, and a head for each: weight (classes, width).

    >>> from evergrow.nn.network import Body, Inputs
    >>> class Half(Body):
    ...     width = 2
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.by = nn.Parameter(torch.tensor(0.5))
    ...     def forward(self, x):
    ...         return x * self.by
    >>> net, branches = Network(Half(), Inputs("tensor")), Branches()
    >>> net.head.extend(torch.eye(2), torch.zeros(2))
    >>> branches.add(net, ["by"], old=2)
    >>> x = torch.tensor([[4.0, 6.0]])
    >>> branches.logits(net, x, net.features(x)).tolist()
    [[4.0, 6.0]]
    """

    def __init__(self) -> None:
        self.layers: list[dict[str, Tensor]] = []  # parameters and buffers by name
        self.heads: list[Tensor] = []

    def __len__(self) -> int:
        return len(self.heads)

    def add(self, net: Network, names: Iterable[str], old: int) -> None:
        """Keep these parameters and buffers of the backbone as they are, and the first rows."""
        now = net.backbone.state_dict()
        self.layers.append({name: now[name].detach().clone() for name in names})
        self.heads.append(net.head.weight.detach()[:old].clone())

    def grow(self, total: int) -> None:
        """Let each head have `total` rows, new ones of zeros, and let all of them learn."""
        self.heads = [
            nn.functional.pad(head.detach(), (0, 0, 0, total - len(head))).clone().requires_grad_()
            for head in self.heads
        ]

    def features(self, net: Network, x: Tensor) -> list[Tensor]:
        """(n, width) features of each branch at rest; layers it does not hold are the network's."""
        with evaluating([net.backbone]):
            inputs = net.inputs(x.to(net.device, non_blocking=True))
            return [functional_call(net.backbone, _on(net, held), inputs) for held in self.layers]

    def logits(self, net: Network, x: Tensor, own: Tensor) -> Tensor:
        """(n, classes) from the branches' features of x beside the network's `own`, (n, width)."""
        heads = [head.to(net.device) for head in self.heads]
        weight = torch.cat([*heads, net.head.weight], 1)
        return nn.functional.linear(self.beside(net, x, own), weight, net.head.bias)

    def beside(self, net: Network, x: Tensor, own: Tensor) -> Tensor:
        """(n, features of all) of the branches for x, then the network's `own`."""
        return torch.cat([*self.features(net, x), own], 1)

    def state(self) -> dict[str, Any]:
        """What a store keeps."""
        return {"layers": self.layers, "heads": [head.detach() for head in self.heads]}

    def fill(self, state: dict[str, Any]) -> None:
        """Become the branches that gave this state."""
        self.layers, self.heads = state["layers"], state["heads"]

    def flat(self) -> dict[str, Tensor]:
        """The same as one dict of tensors, for a server."""
        named = {f"{i}.{k}": v for i, held in enumerate(self.layers) for k, v in held.items()}
        return named | {f"{i}:head": head.detach() for i, head in enumerate(self.heads)}

    def unflatten(self, tensors: dict[str, Tensor]) -> None:
        """Become the branches that gave these tensors."""
        self.heads = [tensors[f"{i}:head"] for i in range(sum(":" in name for name in tensors))]
        self.layers = [
            {k.partition(".")[2]: v for k, v in tensors.items() if k.startswith(f"{i}.")}
            for i in range(len(self.heads))
        ]


def last_block(backbone: nn.Module) -> tuple[list[str], str | None]:
    """Names of the last block's parameters and buffers, and of the layer before it, None if none.

    A block is a direct part of the backbone that holds weight matrices or filters: a layer, a stage
    of layers; a part that is alone is looked into. Parts after it, a norm say, belong to it.

    >>> last_block(nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1)))
    (['2.weight', '2.bias'], '1')
    """
    prefix, module = "", backbone
    while True:
        children = dict(module.named_children())
        parts = [k for k, m in children.items() if any(p.dim() > 1 for p in m.parameters())]
        if len(parts) != 1:
            break
        prefix, module = f"{prefix}{parts[0]}.", children[parts[0]]
    if not parts:
        return list(backbone.state_dict()), None
    names = list(children)
    start = names.index(parts[-1])
    heads = tuple(f"{prefix}{name}." for name in names[start:])
    block = [name for name in backbone.state_dict() if name.startswith(heads)]
    return block, prefix + names[start - 1]


def _on(net: Network, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: t.to(net.device) for name, t in tensors.items()}
