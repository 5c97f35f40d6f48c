"""How long and how fast to train: the settings of a training, and what each may be."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..errors import SettingError

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

    epochs: passes over a task.  batch_size: samples a step.  optimizer: "sgd" or "adamw".
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
