"""The contract between a method and the rest of evergrow."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..analytic.feature_statistics import FeatureStatistics
from ..data.task import Batch, Records, Task
from ..errors import SettingError
from ..nn.feature_cache import Level
from ..nn.network import Network
from ..training import loop
from ..training.protocols import Checkpoints, Unsaved, Unwatched, Watch
from ..training.random_generators import Generators
from ..training.replay_buffer import Memory
from ..training.settings import Training
from . import feature_blocks, packing


@dataclass(eq=False)
class Method:
    """How a network learns a task without losing the ones before.

    A method is one dataclass in one file, and the file is its story. The only thing it must write
    is `learn`, a generator::

        def learn(self, task):
            ...                                 # before training
            for batch in self.batches(task):
                yield {"new": ..., "keep": ...} # the loop minimises the sum: one optimizer step
                ...                             # the weights have moved
            ...                                 # after training

    Fields of the dataclass are settings: they never change; `get_params`, the command line and a
    model's `manifest.json` show them. Attributes that `setup` and `learn` assign are what the
    method remembers: tensors, scalars, strings, dicts and lists of them, networks, objects with
    `state()` and `fill()`; the store saves them. Locals, and attributes that begin with an
    underscore, are forgotten.

    The methods below stand in this order: what one may write, from `__post_init__` to `warnings`;
    what it may use, `batches`, `features` and `integers`; what the rest of evergrow asks of it.
    """

    needs_fixed: ClassVar[bool] = False  # whether it needs features that do not move
    uses_auxiliary: ClassVar[bool] = False  # whether it learns from unlabelled inputs beside a task
    judges_itself: ClassVar[bool] = False  # whether `left_out` answers, so that none is held out

    @property
    def draws(self) -> bool:
        """Whether learning may draw from torch's global generator, as dropout does."""
        return not self.needs_fixed  # a network at rest draws nothing

    def __post_init__(self) -> None:
        """Check the settings; raise ValueError with the value."""

    def setup(self) -> None:
        """Create what is remembered, empty: memories, sums."""

    def grow(self, old: int, total: int) -> None:
        """Classes arrived: change the network's shape, without moving what is there."""
        self.net.head.grow(total, self.rng("weights"))

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]] | None:
        """Learn `task`, yielding a dict of weighted loss terms a step; the head has grown."""
        raise NotImplementedError

    def remember(self, task: Task) -> None:
        """Put old samples into what is kept, with the answers given now, and train on nothing.

        Raises SettingError if nothing is kept.
        """
        memories = [m for m in vars(self).values() if isinstance(m, Memory)]
        if not memories:
            raise SettingError(
                f"{type(self).__name__} keeps no samples, so it cannot be given any to remember; "
                "use a rehearsal method (`evergrow methods` lists what each keeps)."
            )
        for x, y in task.blocks(1024, self.how.num_workers):
            with torch.no_grad():
                logits = self.net(x)
            for memory in memories:
                memory.remember(x, y, logits)

    def before_step(self) -> None:
        """Gradients are ready and the weights have not moved yet: project gradients here."""

    def scores(self, x: Tensor) -> Tensor:
        """(n, classes) from canonical inputs: the larger, the likelier; the head's logits here."""
        return self.net(x)  # type: ignore[no-any-return]

    def probabilities(self, scores: Tensor) -> Tensor:
        """(n, classes) in [0, 1] from scores."""
        return scores.softmax(1)

    def serving(self) -> dict[str, Tensor]:
        """Tensors that `scores` needs beyond the network: solved weights. Given back by `serve`."""
        return {}

    def serve(self, tensors: dict[str, Tensor]) -> None:
        """Take solved weights that `serving` gave, so that nothing is solved again."""

    def figures(self) -> dict[str, Any]:
        """What the method knows of itself once it has learnt, as JSON; shown, never relied on."""
        return {}

    def left_out(self) -> tuple[Tensor, Tensor] | None:
        """(m, classes) probabilities of rows kept, each as if it had not been learnt; (m,) columns.

        None where there are no such rows.
        """
        return None

    def recalls(self, work: bool) -> Tensor | None:
        """(k,) recall of rows kept, left out, NaN where a class has none; None if it is not known.

        work: find out, even where that takes more than reading it.
        """
        return None

    def sums_of_features(self) -> FeatureStatistics | None:
        """The sums of all samples' features, where the method keeps such."""
        return None

    def warnings(self) -> list[str]:
        """What a user should know of the task just learnt before trusting it."""
        return []

    def batches(
        self, task: Task, mix: Records | None = None, params: Any = None, **changes: Any
    ) -> Iterator[Batch]:
        """Start a phase of training; see `loop.batches`."""
        return loop.batches(self, task, mix, params, **changes)

    def features(
        self, task: Task, scale: float | None = None, done: int = 0
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Blocks of (m, width) features and (m,) columns of a task; see `feature_blocks`."""
        return feature_blocks.features(self, task, scale, done)

    def integers(
        self, task: Task, beside: Mapping[str, Tensor] | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Blocks of (m, width) int8 features and (m,) columns, for sums; see `feature_blocks`."""
        return feature_blocks.integers(self, task, beside)

    def attach(self, net: Network, how: Training, rng: Generators) -> None:
        """Bind to a network, once: from here on `self.net`, `self.how` and `self.rng` exist."""
        self.__post_init__()
        self.net, self.how, self.rng = net, how, rng
        self.optimizer: torch.optim.Optimizer | None = None
        self.moments: dict[str, dict[str, Tensor]] = {}
        self.watch: Watch = Unwatched()
        self.watched = False
        self.level: Level | None = None  # where features of a frozen network outlast the process
        self.checkpoints: Checkpoints = Unsaved()
        self.setup()

    def settings(self) -> dict[str, Any]:
        """The fields and their values."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The settings, for scikit-learn (`method__memory` in a grid)."""
        return self.settings()

    def set_params(self, **params: Any) -> "Method":
        """Change settings of a method not attached yet; unknown names raise SettingError."""
        unknown = set(params) - set(self.settings())
        if unknown:
            raise SettingError(
                f"{type(self).__name__} has no setting {sorted(unknown)[0]!r}; "
                f"it has: {', '.join(self.settings())}."
            )
        for name, value in params.items():
            setattr(self, name, value)
        self.__post_init__()
        return self

    def fresh(self) -> "Method":
        """An unattached method of the same settings."""
        return type(self)(**self.settings())

    def fork(self, how: Training, rng: Generators) -> "Method":
        """This method with all that it remembers, on a network of its own: to learn on from here.

        This one stays as it is and goes on answering. What is private is forgotten, as it is by a
        second process. Attributes that have a `fork` of their own need not be copied.
        """
        twin = self.fresh()
        twin.attach(copy.deepcopy(self.net), how, rng)
        packing.copy_remembered(self, twin)
        return twin

    def settle(self) -> None:
        """The task is learnt and stays so: from here on several threads may ask at once."""
        self.optimizer, self.level, self.checkpoints = None, None, Unsaved()
        self.net.eval()
        for value in packing.remembered_attributes(self).values():
            if hasattr(value, "settle"):
                value.settle()

    def state(self) -> dict[str, Any]:
        """What is remembered: attributes neither settings, nor given by `attach`, nor private."""
        return packing.state(self)

    def fill(self, state: dict[str, Any]) -> None:
        """Remember what the method that gave this state remembered."""
        packing.fill(self, state)
