"""The parameters of a classifier, declared once: names, types and defaults."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Parameters:
    """What a classifier is asked for; `GrowingClassifier` says what each means.

    >>> Parameters(epochs=3).epochs, Parameters().method
    (3, 'auto')
    """

    backbone: Any = "auto"
    method: Any = "auto"
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
    augment: Any = None
    image_size: int | tuple[int, int] | None = None
    boundary: str = "task"
    validation: int = 0
    num_workers: int = 0
    device: str = "auto"
    precision: str = "auto"
    random_state: int | None = 0

    @property
    def seed(self) -> int:
        """What every random draw derives from."""
        return int(self.random_state or 0)

    def items(self) -> Iterator[tuple[str, Any]]:
        """Names and values, as they were given."""
        return ((name, getattr(self, name)) for name in NAMES)


NAMES = tuple(field.name for field in fields(Parameters))
OBJECTS = ("backbone", "method", "augment")  # not a plain value
FIXED = ("backbone", "image_size", "random_state")  # once a model has begun
SETTABLE = tuple(name for name in NAMES if name not in (*OBJECTS, *FIXED))  # by --set
