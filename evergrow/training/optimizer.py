"""The optimizer: learning rates by stage of the network, its state for a stream that goes on."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from ..nn.freezing import stages
from ..nn.network import Network
from .protocols import Learner
from .settings import Training


def build_optimizer(
    net: Network, how: Training, params: Iterable[Tensor] | None = None
) -> torch.optim.Optimizer | None:
    """A fresh optimizer over what is not frozen; the backbone at learning rates of its own."""
    rates = _rates(net, how)
    learns = [p for p in (net.parameters() if params is None else params) if p.requires_grad]
    groups: dict[float, list[Tensor]] = {how.lr: []}
    for p in learns:
        groups.setdefault(rates.get(id(p), how.lr), []).append(p)
    parts = [{"params": some, "lr": rate} for rate, some in groups.items() if some]
    if not parts:
        return None
    if how.optimizer == "adamw":
        return torch.optim.AdamW(parts, how.lr, weight_decay=how.weight_decay, foreach=True)
    return torch.optim.SGD(parts, how.lr, how.momentum, weight_decay=how.weight_decay, foreach=True)


def _rates(net: Network, how: Training) -> dict[int, float]:
    """Learning rates of the backbone's parameters, by id.

    Source: Howard and Ruder 2018, "Universal Language Model Fine-tuning", arXiv:1801.06146,
    discriminative fine-tuning.
    """
    upwards = list(reversed(stages(net.backbone).values()))
    return {id(p): how.below * how.layer_decay**k for k, some in enumerate(upwards) for p in some}


def optimizer_state(method: Learner) -> dict[str, dict[str, Tensor]]:
    """The optimizer's state by parameter name, for a stream that goes on."""
    assert method.optimizer is not None
    names: dict[Any, str] = {p: name for name, p in method.net.named_parameters()}
    state = method.optimizer.state
    return {
        names[p]: {key: torch.as_tensor(v).clone() for key, v in values.items() if v is not None}
        for p, values in state.items()
        if p in names
    }


def restore_state(method: Learner) -> None:
    """Go on with the optimizer's state of the task before; rows grown since begin at zero."""
    if method.optimizer is None:
        return
    weights = dict(method.net.named_parameters())
    for name, values in method.moments.items():
        p = weights.get(name)
        if p is None or not p.requires_grad:
            continue
        method.optimizer.state[p] = {key: _grown(v, p) for key, v in values.items()}


def _grown(value: Tensor, p: Tensor) -> Tensor:
    if value.dim() == 0:
        return value.clone()
    fresh = torch.zeros_like(p, memory_format=torch.preserve_format)
    fresh[: len(value)] = value
    return fresh
