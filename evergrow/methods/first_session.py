"""First-session adaptation: the first task may train the backbone, which then stays as it is.

Panos et al. 2023, "First Session Adaptation: A Strong Replay-Free Baseline for Class-Incremental
Learning", arXiv:2303.13199; McDonnell et al. 2023, "RanPAC", arXiv:2307.02251. Where we differ:
what `freeze` leaves free is trained by plain cross-entropy with a linear head that is dropped
after, where the papers train small parts (FiLM, adapters, prompts) of the network. At the rate of
the head a pretrained network loses what it knew, so it learns at a thousandth of that by default.

Methods of fixed features call it. They have the attributes `adapt` (a setting), `adapted` (whether
it was done) and `_notes` (what `warnings` gives).
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ..data.task import Task
from ..nn import precision
from ..nn.freezing import freeze
from ..training.losses import cross_entropy

GENTLY = 0.001  # of lr, what a pretrained backbone learns at unless `backbone_lr` says otherwise
TOO_GOOD = (
    "the backbone was trained on this first task: recalls of its classes by rows left out are too "
    "good, as it has seen these rows; judge them by samples of their own."
)


def learn(method: Any, task: Task, counts: Tensor) -> Iterator[dict[str, Tensor]] | None:
    """Let `method.remember` the task; before the first, train the backbone where it is to adapt.

    counts: samples learnt so far, by column.  Where nothing can be adapted, a note says why.
    """
    method._notes = []
    if method.adapt and not method.adapted:
        obstacle = _obstacle(method, task, counts)
        if not obstacle:
            return _first(method, task)
        method._notes = [f"adapt=True: the backbone stays as it is, as {obstacle}."]
    method.remember(task)
    return None


def _obstacle(method: Any, task: Task, counts: Tensor) -> str:
    """Why the backbone cannot be trained on this task; nothing if it can."""
    net, how = method.net, method.how
    if counts.any():
        return "classes are known by its features already"
    if not net.backbone.trains:
        return "it has nothing that learns"
    freeze(net, how.freeze)
    free = any(p.requires_grad for p in net.backbone.parameters())
    net.eval()
    if not free:
        return f"freeze={how.freeze!r} leaves nothing of it free"
    if how.unfreeze >= how.epochs:
        return f"the head learns alone in all of {how.epochs} epochs (unfreeze={how.unfreeze})"
    if len(task.classes) < 2:
        return "the first task has one class, and nothing to tell it from"
    return ""


def _first(method: Any, task: Task) -> Iterator[dict[str, Tensor]]:
    net = method.net
    net.head.grow(task.total, method.rng("weights"))
    fast = net.backbone.pretrained and method.how.backbone_lr is None
    changes = {"backbone_lr": GENTLY} if fast else {}
    for batch in method.batches(task, **changes):
        yield {"new": cross_entropy(net(batch.x), batch.y)}
    net.head.forget()
    net.scale = None  # that of a bundled network was for its features as they were
    if method.how.autocast is None:
        height, width = task.records.take(torch.arange(1)).shape[-2:]
        precision.reconsider(net, (height, width))
    method.adapted = True
    method._notes = [TOO_GOOD] if method.judges_itself else []
    method.remember(task)
