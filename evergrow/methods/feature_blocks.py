"""A task's features, a block of samples at a time: for methods that add up sums of them."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from ..data.task import Task
from ..nn import devices
from ..nn.network import as_integers
from ..training.protocols import Checkpoint

PIECE, BLOCK = 256, 1024  # samples that are fetched at a time, samples of a block


def features(
    method: Any, task: Task, scale: float | None, done: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Blocks of (m, width) features and (m,) columns of a task, in order, the network at rest.

    A row's features do not depend on its block.  scale: give features times this as int8 instead.
    done: leading samples that are left out.
    """
    method.watch.start(-(-len(task) // BLOCK), done=done // BLOCK)
    if done == len(task):
        return
    task = task.part(torch.arange(done, len(task))) if done else task
    pieces = task.blocks(PIECE, method.how.num_workers, devices.staging(method.net.device))
    start = 0
    while parts := [method.net.steady(x, scale) for x, _ in islice(pieces, BLOCK // PIECE)]:
        block = torch.cat(parts)
        yield block, task.y[start : start + len(block)]
        start += len(block)
        method.watch.step(None)


def integers(
    method: Any, task: Task, beside: Mapping[str, Tensor] | None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Blocks of (m, width) int8 features and (m,) columns of a task, for sums.

    The first task's first samples fix the scale, where the backbone does not; they are the first
    block, and computed once.

    beside: of a caller whose state, with these tensors that it writes into, is all that it has
    added up once it asks for the next block. Then a task that was interrupted goes on from its last
    checkpoint: the state and the tensors are filled, and samples that are in are left out.
    """
    done = 0 if beside is None else _resume(method, beside)
    first = method.net.fix_scale(task.records)
    if first is not None and method.net.scale is not None:
        done = len(first)
        yield as_integers(first, method.net.scale), task.y[:done]
    for q, y in features(method, task, method.net.scale, done):
        yield q, y
        done += len(y)
        if beside is not None and done < len(task):
            method.checkpoints.reached(
                lambda rows=done: Checkpoint(rows, method.net.scale, method.state(), dict(beside))
            )


def _resume(method: Any, beside: Mapping[str, Tensor]) -> int:
    """Be as at the last checkpoint of the task under way.  Returns the samples that are in."""
    last = method.checkpoints.last()
    if last is None:
        return 0
    method.net.scale = last.scale
    method.fill(last.state)
    for name, tensor in beside.items():
        tensor.copy_(last.beside[name])
    return int(last.rows)
