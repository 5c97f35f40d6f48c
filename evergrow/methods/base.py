"""The contract between a method and the rest of evergrow."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..analytic.feature_statistics import FeatureStatistics
from ..data.task import Batch, Records, Samples, Task
from ..errors import SettingError
from ..nn import devices
from ..nn.feature_cache import Level
from ..nn.freezing import frozen
from ..nn.network import Network, as_integers, modules_state
from ..training import loop
from ..training.generators import Generators
from ..training.protocols import Checkpoint, Checkpoints, Unsaved, Unwatched, Watch
from ..training.replay_buffer import Memory
from ..training.settings import Training

PIECE, BLOCK = 256, 1024  # rows that are fetched at a time, rows of features given at a time
GIVEN = set("net how rng optimizer watch watched level checkpoints".split())  # not remembered


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
    """

    needs_fixed: ClassVar[bool] = False  # whether it needs features that do not move
    uses_auxiliary: ClassVar[bool] = False  # whether it learns from unlabelled inputs beside a task
    judges_itself: ClassVar[bool] = False  # whether `left_out` answers, so that none is held out

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

    @property
    def draws(self) -> bool:
        """Whether learning may draw from torch's global generator, as dropout does."""
        return not self.needs_fixed  # a network at rest draws nothing

    # -- what a method may write ------------------------------------------------------------------

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

    # -- what a method may use --------------------------------------------------------------------

    def batches(
        self, task: Task, mix: Records | None = None, params: Any = None, **changes: Any
    ) -> Iterator[Batch]:
        """Start a phase of training; see `loop.batches`."""
        return loop.batches(self, task, mix, params, **changes)

    def features(
        self, task: Task, scale: float | None = None, done: int = 0
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Blocks of (m, width) features and (m,) columns of a task, in order, the network at rest.

        A row's features do not depend on its block. scale: give features times this as int8
        instead.  done: leading rows that are left out.
        """
        self.watch.start(-(-len(task) // BLOCK), done=done // BLOCK)
        if done == len(task):
            return
        task = task.part(torch.arange(done, len(task))) if done else task
        fetched = task.blocks(PIECE, self.how.num_workers, devices.staging(self.net.device))
        given = 0
        while parts := [self.net.steady(x, scale) for x, _ in islice(fetched, BLOCK // PIECE)]:
            whole = torch.cat(parts)
            yield whole, task.y[given : given + len(whole)]
            given += len(whole)
            self.watch.step(None)

    def integers(
        self, task: Task, beside: Mapping[str, Tensor] | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Blocks of (m, width) int8 features and (m,) columns of a task, for sums.

        The first task's first rows fix the scale, where the backbone does not; they are the first
        block, and computed once.

        beside: of a caller whose state, with these tensors that it writes into, is all that it has
        added up once it asks for the next block. Then a task that was interrupted goes on from its
        last checkpoint: the state and the tensors are filled, and rows that are in are left out.
        """
        done = 0 if beside is None else self._go_on(beside)
        first = self.net.fix_scale(task.records)
        if first is not None and self.net.scale is not None:
            done = len(first)
            yield as_integers(first, self.net.scale), task.y[:done]
        for q, y in self.features(task, self.net.scale, done):
            yield q, y
            done += len(y)
            if beside is not None and done < len(task):
                self.checkpoints.reached(
                    lambda rows=done: Checkpoint(  # type: ignore[misc]
                        rows, self.net.scale, self.state(), dict(beside)
                    )
                )

    def _go_on(self, beside: Mapping[str, Tensor]) -> int:
        """Be as at the last checkpoint of the task under way.  Returns the rows that are in."""
        last = self.checkpoints.last()
        if last is None:
            return 0
        self.net.scale = last.scale
        self.fill(last.state)
        for name, tensor in beside.items():
            tensor.copy_(last.beside[name])
        return last.rows

    # -- what the rest of evergrow uses -----------------------------------------------------------

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
        forks = {k: v.fork() for k, v in self._remembered().items() if hasattr(v, "fork")}
        packed = {k: _pack(k, v) for k, v in self._remembered().items() if k not in forks}
        twin.fill(_copied(packed))
        for name, value in forks.items():
            setattr(twin, name, value)
        return twin

    def settle(self) -> None:
        """The task is learnt and stays so: from here on several threads may ask at once."""
        self.optimizer, self.level, self.checkpoints = None, None, Unsaved()
        self.net.eval()
        for value in self._remembered().values():
            if hasattr(value, "settle"):
                value.settle()

    def state(self) -> dict[str, Any]:
        """What is remembered: attributes neither settings, nor given by `attach`, nor private."""
        return {name: _pack(name, value) for name, value in self._remembered().items()}

    def _remembered(self) -> dict[str, Any]:
        skip = GIVEN | set(self.settings())
        return {k: v for k, v in vars(self).items() if k not in skip and not k.startswith("_")}

    def fill(self, state: dict[str, Any]) -> None:
        """Remember what the method that gave this state remembered."""
        for name, value in state.items():
            mine: Any = getattr(self, name, None)
            if hasattr(mine, "fill"):
                mine.fill(value)
            else:
                setattr(self, name, _unpack(self.net, value))

    def serving(self) -> dict[str, Tensor]:
        """Tensors that `scores` needs beyond the network: solved weights. Given back by `serve`."""
        return {}

    def serve(self, tensors: dict[str, Tensor]) -> None:
        """Take solved weights that `serving` gave, so that nothing is solved again."""

    def probabilities(self, scores: Tensor) -> Tensor:
        """(n, classes) in [0, 1] from scores."""
        return scores.softmax(1)

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


def _pack(name: str, value: Any) -> Any:
    if hasattr(value, "state") and hasattr(value, "fill"):
        return value.state()
    if isinstance(value, Network):
        return {"__network__": modules_state(value)}
    if isinstance(value, dict):
        return {key: _pack(name, v) for key, v in value.items()}
    if isinstance(value, list):
        return [_pack(name, v) for v in value]
    if value is None or isinstance(value, Tensor | Samples | int | float | str | bool):
        return value
    raise SettingError(
        f"attribute {name!r} is a {type(value).__name__}, which a model cannot store; "
        "keep tensors, numbers, "
        "strings, dicts and lists of them, networks, or objects with state() and fill(); "
        "or begin its name with an underscore if it need not survive."
    )


def _unpack(like: Network, value: Any) -> Any:
    """What `_pack` packed; networks come back frozen, of the backbone of `like`."""
    if isinstance(value, dict) and "__network__" in value:
        return _network(like, value["__network__"])
    if isinstance(value, dict):
        return {key: _unpack(like, v) for key, v in value.items()}
    return [_unpack(like, v) for v in value] if isinstance(value, list) else value


def _network(like: Network, tensors: dict[str, Tensor]) -> Network:
    """A frozen network of the same backbone with these weights, its head as long as theirs."""
    net = frozen(like)
    net.head.forget()
    net.head.extend(tensors["head.weight"], tensors["head.bias"])
    net.load_state_dict(tensors)
    return net.eval().requires_grad_(False)


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, Samples):
        return Samples(value.x.clone(), value.y.clone(), _copied(value.logits))
    if isinstance(value, dict):
        return {k: _copied(v) for k, v in value.items()}
    return [_copied(v) for v in value] if isinstance(value, list) else value
