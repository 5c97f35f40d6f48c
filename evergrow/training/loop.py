"""The training loop: the only place in evergrow where an optimizer takes a step."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from ..data.task import Batch, Records, Task, fetched
from ..errors import SettingError
from ..nn import devices
from ..nn.feature_cache import FeatureCache
from ..nn.freezing import freeze
from ..nn.network import Network
from .lr_schedule import schedule
from .optimizer import build_optimizer, optimizer_state, restore_state
from .protocols import Learner
from .settings import Training


def train(method: Learner, task: Task) -> None:
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
        method.moments = optimizer_state(method)


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
    """One phase of training: an optimizer, and every sample once an epoch, shuffled and augmented.

    mix: a memory whose samples are shuffled into the task's.
    params: what learns, if not all of the network.
    changes: fields of `Training` that differ in this phase.
    A clean-up follows even if the phase is cut short.
    """
    how = replace(method.how, **changes) if changes else method.how
    _thaw(method.net, how)
    method.net.cache = _cache(method, how)
    method.optimizer = build_optimizer(method.net, how, params)
    if how.boundary == "new classes" and params is None:
        restore_state(method)
    records, y = (task.records, task.y) if mix is None or not len(mix) else _joined(task, mix)
    steps = how.epochs * -(-len(y) // how.batch_size)
    method.watch.start(steps)
    pace = schedule(method.optimizer, how, steps)
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
