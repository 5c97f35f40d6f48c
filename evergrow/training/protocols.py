"""What the training loop needs of a method, and who watches it; and those that do nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from ..data.task import Task
from ..nn.feature_cache import Level
from ..nn.network import Network
from .random_generators import Generators


class Watch(Protocol):
    """Is told how training goes; see `progress`."""

    def start(self, total: int, *, done: int = 0) -> None: ...

    def step(self, terms: dict[str, float] | None, n: int = 1) -> None: ...


class Unwatched:
    """Nobody looks: the watch of a method until one is given."""

    def start(self, total: int, *, done: int = 0) -> None: ...

    def step(self, terms: dict[str, float] | None, n: int = 1) -> None: ...


class Learner(Protocol):
    """What the loop needs of a method; see `methods.base.Method`, which has it all.

    moments: the optimizer's state by parameter name, where a stream goes on with it.
    watched: whether anybody looks at the loss terms.
    level: where features of a frozen network outlast the process; None: nowhere.
    """

    net: Network
    how: Any  # Training
    rng: Generators
    optimizer: torch.optim.Optimizer | None
    moments: dict[str, dict[str, Tensor]]
    watch: Watch
    watched: bool
    level: Level | None

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]] | None:
        """Learn the task, yielding a dict of loss terms a step."""

    def before_step(self) -> None:
        """Gradients are ready and the weights have not moved yet."""


@dataclass(frozen=True)
class Checkpoint:
    """How far a task was added up.  rows: leading rows that are in.  scale: of integer features.

    state: the method's.  beside: what it was adding up beside that.
    """

    rows: int
    scale: float | None
    state: dict[str, Any]
    beside: dict[str, Tensor]


class Checkpoints(Protocol):
    """Where a task that is added up leaves how far it is, should the process end before it does."""

    def last(self) -> Checkpoint | None:
        """Where the same task was left off, if it was."""

    def reached(self, checkpoint: Callable[[], Checkpoint]) -> None:
        """A block of rows is in; `made` tells all of it, which takes time: ask now and then."""


class Unsaved:
    """Nothing outlives the process: the checkpoints of a method until others are given."""

    def last(self) -> Checkpoint | None:
        return None

    def reached(self, checkpoint: Callable[[], Checkpoint]) -> None: ...
