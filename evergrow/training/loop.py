"""The training loop: the only place in evergrow where an optimizer takes a step."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import reduce
from itertools import count
from math import cos, pi
from typing import Any

import torch
from torch import Tensor, nn

from ..data.task import Batch, Records, Task, fetched
from ..errors import SettingError
from ..nn import devices
from ..nn.feature_cache import FeatureCache
from ..nn.freezing import freeze, stages
from ..nn.network import Network
from .protocols import Learner

OPTIMIZERS = ("sgd", "adamw")
SCHEDULES = ("constant", "linear", "cosine", "cooldown")
BOUNDARIES = ("task", "new classes")


def _whole(least: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and value >= least


# What each setting of `Training` may be, and how that is said.
RANGES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "epochs": (_whole(1), "a whole number, at least 1"),
    "batch_size": (_whole(1), "a whole number, at least 1"),
    "unfreeze": (
        _whole(0),
        "epochs from one stage to the next, a whole number; 0 lets all learn at once",
    ),
    "num_workers": (_whole(0), "threads, 0 or more"),
    "lr": (lambda value: value > 0, "must be positive"),
    "backbone_lr": (
        lambda value: value is None or 0 < value <= 10,
        "a share of lr, in (0, 10]; 0.1 lets the backbone learn at a tenth of the head's rate "
        "(freeze=True: not at all)",
    ),
    "momentum": (lambda value: 0 <= value < 1, "momentum lies in [0, 1)"),
    "weight_decay": (lambda value: value >= 0, "weight decay is 0 or more"),
    "layer_decay": (lambda value: 0 < value <= 1, "the decay lies in (0, 1]"),
    "warmup": (lambda value: 0 <= value < 1, "the share of steps to warm up, in [0, 1)"),
    "optimizer": (lambda value: value in OPTIMIZERS, f"one of {', '.join(OPTIMIZERS)}"),
    "schedule": (lambda value: value in SCHEDULES, f"one of {', '.join(SCHEDULES)}"),
    "boundary": (lambda value: value in BOUNDARIES, f"one of {', '.join(BOUNDARIES)}"),
}


@dataclass(frozen=True)
class Training:
    """How long and how fast to train on each task.

    epochs: passes over a task.  batch_size: examples a step.  optimizer: "sgd" or "adamw".
    lr, momentum, weight_decay: of the optimizer (momentum is SGD's alone).
    backbone_lr: what the backbone learns at, as a share of `lr`, in (0, 10]; None: 1, alike.
    layer_decay: what each stage of the backbone learns at, as a share of the one above it, in
        (0, 1]; the last one learns at `backbone_lr` times `lr`.
    warmup: share of the steps over which learning rates rise from 0, in [0, 1).
    schedule: how learning rates fall to 0 over a task: not at all ("constant"), "linear", along
        half a "cosine", or linearly from the middle on ("cooldown").
    freeze: True for the whole backbone, or the name of the last layer that does not learn.
    unfreeze: epochs after which one more stage of the backbone, from the top down, begins to learn;
        the head learns alone before the first. 0: all learn at once. What `freeze` names never
        learns.
    freeze_norms: whether batch-norm statistics stay as they are while weights learn.
    augment: maps (n, ...) canonical tensors to tensors of the same shape; drawn afresh at each
        step.
    autocast: torch dtype for automatic mixed precision, or None.
    boundary: "task", or "new classes": a stream, in which the optimizer's state lives on.
    num_workers: threads that fetch the next batches meanwhile; see `task.fetched`.

    >>> Training(lr=-1)
    Traceback (most recent call last):
    evergrow.errors.SettingError: lr=-1: must be positive.
    """

    epochs: int = 10
    batch_size: int = 32
    optimizer: str = "sgd"
    lr: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 0.0
    backbone_lr: float | None = None
    layer_decay: float = 1.0
    warmup: float = 0.0
    schedule: str = "constant"
    freeze: bool | str | None = None
    unfreeze: int = 0
    freeze_norms: bool = False
    augment: Callable[[Tensor], Tensor] | None = None
    autocast: torch.dtype | None = None
    boundary: str = "task"
    num_workers: int = 0

    def __post_init__(self) -> None:
        for name, (fits, expected) in RANGES.items():
            value = getattr(self, name)
            if not fits(value):
                raise SettingError(f"{name}={value!r}: {expected}.")

    @property
    def below(self) -> float:
        """The learning rate of the backbone's last stage."""
        return self.lr * (1.0 if self.backbone_lr is None else self.backbone_lr)

    @property
    def fastest(self) -> float:
        """The larger of the two learning rates."""
        return max(self.lr, self.below)


def run(method: Learner, task: Task) -> None:
    """Let `method` learn `task`: one optimizer step for each dict of loss terms it yields."""
    steps = method.learn(task)
    if steps is None:
        return
    try:
        while True:
            with _autocast(method):
                terms = next(steps)
            step(method, terms)
    except StopIteration:
        pass
    if method.how.boundary == "new classes" and method.optimizer is not None:
        method.moments = _moments(method)


def step(method: Learner, terms: dict[str, Tensor]) -> None:
    """One optimizer step on the sum of the terms."""
    optimizer = method.optimizer
    if optimizer is None:
        raise SettingError(
            f"{type(method).__name__}.learn yielded before it asked for self.batches(task)."
        )
    loss = reduce(torch.add, terms.values())
    if not loss.requires_grad:
        raise SettingError(
            "nothing can learn: every parameter is frozen or no term depends on the network."
        )
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    method.before_step()
    optimizer.step()
    method.watch.step(_numbers(terms) if method.watched else None)


def _numbers(terms: dict[str, Tensor]) -> dict[str, float]:
    return {name: float(term.detach()) for name, term in terms.items()}


def batches(
    method: Learner,
    task: Task,
    mix: Records | None = None,
    params: Iterable[Tensor] | None = None,
    **changes: Any,
) -> Iterator[Batch]:
    """One phase of training: an optimizer, and every example once an epoch, shuffled and augmented.

    mix: a memory whose examples are shuffled into the task's.
    params: what learns, if not all of the network.
    changes: fields of `Training` that differ in this phase.
    A clean-up follows even if the phase is cut short.
    """
    how = replace(method.how, **changes) if changes else method.how
    _thaw(method.net, how)
    method.net.cache = _cache(method, how)
    method.optimizer = optimizer(method.net, how, params)
    if how.boundary == "new classes" and params is None:
        _recall(method)
    records, y = (task.records, task.y) if mix is None or not len(mix) else _joined(task, mix)
    steps = how.epochs * -(-len(y) // how.batch_size)
    method.watch.start(steps)
    pace = _schedule(method.optimizer, how, steps)
    try:
        for epoch in range(how.epochs):
            if how.unfreeze:
                _thaw(method.net, how, epoch // how.unfreeze)
            order = torch.randperm(len(y), generator=method.rng("order"))
            parts = order.split(how.batch_size)
            stage = devices.staging(method.net.device)
            for rows, raw in fetched(records, parts, how.num_workers, stage):
                next(pace)
                yield Batch(how.augment(raw) if how.augment else raw, y[rows], raw, epoch == 0)
    finally:
        if how.unfreeze:
            _thaw(method.net, how)
        method.net.cache = None
        method.net.eval()


def _thaw(net: Network, how: Training, learning: int | None = None) -> None:
    """Let learn what may; of the backbone no more than `learning` stages from the top (None: all).

    Source: Howard and Ruder 2018, "Universal Language Model Fine-tuning", arXiv:1801.06146, section
    3.3, gradual unfreezing.
    """
    freeze(net, how.freeze, learning)
    if how.freeze_norms:
        net.rest_norms()


def _cache(method: Learner, how: Training) -> FeatureCache | None:
    """For features of a network that stays as it is, where inputs stay as they are too."""
    still = how.freeze is True and how.augment is None
    return FeatureCache(beyond=method.level) if still and method.net.backbone.pretrained else None


def _schedule(optimizer: torch.optim.Optimizer | None, how: Training, steps: int) -> Iterator[None]:
    """Set the learning rates of one step after the other.

    Source of "cosine": Loshchilov and Hutter 2017, "SGDR", arXiv:1608.03983, without restarts; of
    "cooldown": Zhai et al. 2022, "Scaling Vision Transformers", arXiv:2106.04560; of the warm-up:
    Goyal et al. 2017, "Accurate, Large Minibatch SGD", arXiv:1706.02677.
    """
    falls: dict[str, Callable[[float], float]] = {
        "constant": lambda done: 1.0,
        "linear": lambda done: 1 - done,
        "cosine": lambda done: (1 + cos(pi * done)) / 2,
        "cooldown": lambda done: min(1.0, 2 * (1 - done)),
    }
    fall, warm = falls[how.schedule], int(how.warmup * steps)
    groups = [] if optimizer is None else optimizer.param_groups
    rates = [group["lr"] for group in groups]
    for step in count():
        share = (
            fall(min((step - warm) / (steps - warm), 1.0)) if step >= warm else (step + 1) / warm
        )
        for group, rate in zip(groups, rates, strict=True):
            group["lr"] = rate * share
        yield


def optimizer(
    net: Network, how: Training, params: Iterable[Tensor] | None = None
) -> torch.optim.Optimizer | None:
    """A fresh optimizer over what is not frozen; the backbone at learning rates of its own."""
    rates = _rates(net, how)
    learns = [p for p in (net.parameters() if params is None else params) if p.requires_grad]
    groups: dict[float, list[Tensor]] = {how.lr: []}
    for p in learns:
        groups.setdefault(rates.get(id(p), how.lr), []).append(p)
    made = [{"params": some, "lr": rate} for rate, some in groups.items() if some]
    if not made:
        return None
    if how.optimizer == "adamw":
        return torch.optim.AdamW(made, how.lr, weight_decay=how.weight_decay, foreach=True)
    return torch.optim.SGD(made, how.lr, how.momentum, weight_decay=how.weight_decay, foreach=True)


def _rates(net: Network, how: Training) -> dict[int, float]:
    """Learning rates of the backbone's parameters, by id.

    Source: Howard and Ruder 2018, "Universal Language Model Fine-tuning", arXiv:1801.06146,
    discriminative fine-tuning.
    """
    found = list(reversed(stages(net.backbone).values()))
    return {id(p): how.below * how.layer_decay**k for k, some in enumerate(found) for p in some}


class _Joined:
    """Records of a task, then those of a memory."""

    def __init__(self, first: Records, second: Records):
        self.first, self.second = first, second

    def __len__(self) -> int:
        return len(self.first) + len(self.second)

    def take(self, rows: Tensor) -> Tensor:
        here = rows < len(self.first)
        parts = self.first.take(rows[here]), self.second.take(rows[~here] - len(self.first))
        x = parts[0].new_empty(len(rows), *parts[0].shape[1:])
        x[here], x[~here] = parts
        return x


def _joined(task: Task, mix: Any) -> tuple[Records, Tensor]:
    return _Joined(task.records, mix), torch.cat([task.y, mix.y])


def _autocast(method: Learner) -> AbstractContextManager[Any]:
    if method.how.autocast is None:
        return nullcontext()
    return torch.autocast(method.net.device.type, method.how.autocast)


def _moments(method: Learner) -> dict[str, dict[str, Tensor]]:
    """The optimizer's state by parameter name, for a stream that goes on."""
    assert method.optimizer is not None
    names: dict[Any, str] = {p: name for name, p in method.net.named_parameters()}
    state = method.optimizer.state
    return {
        names[p]: {key: torch.as_tensor(v).clone() for key, v in values.items() if v is not None}
        for p, values in state.items()
        if p in names
    }


def _recall(method: Learner) -> None:
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


def modules_state(module: nn.Module) -> dict[str, Tensor]:
    """A copy of all parameters and buffers, by name."""
    return {name: t.detach().clone() for name, t in module.state_dict().items()}
