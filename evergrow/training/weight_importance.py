"""How much each weight matters to what was learnt, and the penalty that holds it: EWC, SI, MAS."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from ..nn.freezing import freeze
from ..nn.head import LinearHead
from ..nn.network import Network
from ..storage import stored_values
from ..storage.durable_files import Fault
from .losses import cross_entropy_among, quadratic_pull

Weights = dict[str, Tensor]
AnchoredWeights = tuple[list[Tensor], list[Tensor], list[Tensor]]  # weights, anchors, stiffnesses


class QuadraticPenalty:
    """An anchor and an importance (0 or more) for each weight, by name of the parameter.

    Rows that a head has grown since have no springs.
    """

    def __init__(self) -> None:
        self.anchor: Weights = {}
        self.importance: Weights = {}

    def __bool__(self) -> bool:
        return bool(self.importance)

    def held(self, weights: Weights, strength: float, lr: float) -> AnchoredWeights:
        """What `quadratic_pull` takes: weights, anchors, importances times strength, all aligned.

        A spring stiffer than 1 / lr would throw its weight past the anchor at every step, farther
        and farther; it is weakened to that, so that any strength can be asked for.
        """
        stiff = [v.mul_(strength).clamp_(max=0.5 / lr) for v in grown(self.importance, weights)]
        return list(weights.values()), grown(self.anchor, weights), stiff

    def terms(
        self, logits: Tensor, y: Tensor, classes: Tensor, held: AnchoredWeights
    ) -> dict[str, Tensor]:
        """Loss terms of a step: cross-entropy among the task's classes, and the pull, if any.

        logits: (n, columns).  y: (n,).  classes: columns of the task.  held: as `held` gives it.
        """
        terms = {"new": cross_entropy_among(logits, y, classes)}
        if self:
            terms["keep"] = quadratic_pull(*held)
        return terms

    def hold(
        self, weights: Weights, importance: Weights, decay: float = 1.0, average: bool = False
    ) -> None:
        """Anchor the weights here, their importance added to `decay` times what it was.

        average: keep the old springs where they are. All springs of a weight together are one, at
        their mean anchor weighted by importance: its pull differs from theirs by a constant.
        """
        here = {name: w.detach().clone() for name, w in weights.items()}
        stiffness = dict(zip(weights, grown(self.importance, weights), strict=True))
        anchor = dict(zip(weights, grown(self.anchor, weights), strict=True))
        for name, more in importance.items():
            total = decay * stiffness[name] + more
            if average:
                shift = decay * stiffness[name] * (anchor[name] - here[name])
                here[name] += torch.where(total > 0, shift / total, 0.0)
            self.importance[name] = total
        self.anchor = self.anchor | here

    def state(self) -> dict[str, Any]:
        return {"anchor": dict(self.anchor), "importance": dict(self.importance)}

    def fill(self, state: dict[str, Any]) -> None:
        self.anchor = stored_values.tensors(state, "anchor")
        self.importance = stored_values.tensors(state, "importance")
        shapes = [{k: v.shape for k, v in t.items()} for t in (self.anchor, self.importance)]
        if not shapes[1].items() <= shapes[0].items():
            raise Fault("importance is of other weights than anchor")


def learning(net: Network, upto: bool | str | None) -> Weights:
    """The parameters that are about to learn, by name; `upto`: as in `freeze`."""
    freeze(net, upto)
    return {name: p for name, p in net.named_parameters() if p.requires_grad}


def grown(before: Weights, weights: Weights) -> list[Tensor]:
    """A new tensor for each weight: what is kept of it, 0 in rows grown since.

    >>> grown({"w": torch.ones(1, 2)}, {"w": torch.zeros(2, 2)})[0].tolist()
    [[1.0, 1.0], [0.0, 0.0]]
    """
    padded = [torch.zeros_like(w, requires_grad=False) for w in weights.values()]
    for name, out in zip(weights, padded, strict=True):
        if name in before:
            out[: len(before[name])] = before[name]
    return padded


def mean_gradients(
    net: Network,
    weights: Weights,
    blocks: Iterable[tuple[Tensor, ...]],
    loss: Callable[..., Tensor],
    size: Callable[[Tensor], Tensor],
) -> Weights:
    """The mean over samples of size(gradient of loss(logits (1, classes), ...)), for each weight.

    blocks: inputs (n, ...), and what else `loss` takes of each sample. size: square or absolute
    value, or another with size(a b) = size(a) size(b). The network is in evaluation mode, so batch
    norm sees each sample alone. Computed without automatic mixed precision.

    A linear layer's gradient for one sample is an outer product, so that the sum of their sizes is
    one matrix product; other layers' gradients are computed sample by sample, a block at once.
    """
    total, n = {name: torch.zeros_like(w.detach()) for name, w in weights.items()}, 0
    for block in blocks:
        n += len(block[0])
        with torch.autocast(block[0].device.type, enabled=False):
            gradients = _outer_products(net, weights, block, loss, size)
            rest = {name: w.detach() for name, w in weights.items() if name not in gradients}
            if rest:
                gradients |= _sample_by_sample(net, rest, block, loss, size)
        for name, sums in gradients.items():
            total[name] += sums
    return {name: t / n for name, t in total.items()}


@torch.no_grad()  # of what surrounds it: weights left out would bring a graph of their own
def _sample_by_sample(
    net: Network,
    weights: Weights,
    block: tuple[Tensor, ...],
    loss: Callable[..., Tensor],
    size: Callable[[Tensor], Tensor],
) -> Weights:
    def one(values: Weights, x: Tensor, *rest: Tensor) -> Tensor:
        return loss(functional_call(net, values, (x[None],)), *rest)

    if not net.backbone.vmappable:
        alone = [grad(one)(weights, *sample) for sample in zip(*block, strict=True)]
        return {name: torch.stack([size(g[name]) for g in alone]).sum(0) for name in weights}
    inside = (None, *(0 for _ in block))
    gradients = vmap(grad(one), in_dims=inside)(weights, *block)
    return {name: size(g).sum(0) for name, g in gradients.items()}


@torch.enable_grad()
def _outer_products(
    net: Network,
    weights: Weights,
    block: tuple[Tensor, ...],
    loss: Callable[..., Tensor],
    size: Callable[[Tensor], Tensor],
) -> Weights:
    """Of the linear layers that took part once, with one row a sample; others are left out."""
    calls: dict[str, list[tuple[Tensor, Tensor]]] = {}
    taps = [
        layer.register_forward_hook(_tap(calls.setdefault(name, [])))
        for name, layer in net.named_modules()
        if type(layer) in (nn.Linear, LinearHead) and not _shared(net, layer)
    ]
    try:
        logits = net(block[0])
    finally:
        for tap in taps:
            tap.remove()
    once = {name: products[0] for name, products in calls.items() if len(products) == 1}
    once = {k: v for k, v in once.items() if v[0].dim() == 2 and v[1].requires_grad}
    if not once:
        return {}
    losses = vmap(loss)(logits[:, None], *block[1:])
    deltas = torch.autograd.grad(losses.sum(), [out for _, out in once.values()])
    sums = {}
    for (name, (x, _)), delta in zip(once.items(), deltas, strict=True):
        sums[f"{name}.weight"] = size(delta).T @ size(x.detach())
        sums[f"{name}.bias"] = size(delta).sum(0)
    return {name: value for name, value in sums.items() if name in weights}


def _tap(calls: list[tuple[Tensor, Tensor]]) -> Callable[..., Tensor]:
    def tap(_: nn.Module, inputs: tuple[Tensor, ...], out: Tensor) -> Tensor:
        calls.append((inputs[0], out))
        return out.clone()  # what comes next may work in place

    return tap


def _shared(net: nn.Module, layer: nn.Module) -> bool:
    """Whether another module holds one of this layer's parameters too."""
    own = [id(p) for p in layer.parameters()]
    held = [id(p) for _, p in net.named_parameters(remove_duplicate=False)]
    return any(held.count(p) > 1 for p in own)
