"""First-session adaptation: the first task may train the backbone, which then stays as it is.

Panos et al. 2023, "First Session Adaptation: A Strong Replay-Free Baseline for Class-Incremental
Learning", arXiv:2303.13199; McDonnell et al. 2023, "RanPAC", arXiv:2307.02251. Where we differ:
what `freeze` leaves free is trained by plain cross-entropy with a linear head that is dropped
after, where the papers train small parts (FiLM, adapters, prompts) of the network. At the rate of
the head a pretrained network loses what it knew, so it learns at a thousandth of that by default.

Methods of fixed features are subclasses.
"""

import copy
from collections.abc import Iterator
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from ..data.task import Task
from ..errors import SettingError
from ..nn import precision
from ..nn.freezing import freeze
from ..training.losses import cross_entropy
from ..training.random_generators import Generators
from ..training.settings import Training
from .base import Method

GENTLY = 0.001  # of lr, what a pretrained backbone learns at unless `backbone_lr` says otherwise
TOO_GOOD = (
    "the backbone was trained on this first task: recalls of its classes by rows left out are too "
    "good, as it has seen these rows; judge them by samples of their own."
)


class FirstSession(Method):
    """A method that knows classes by sums over features, and may train the backbone once, before.

    A subclass writes `remember`, which adds a task up, and `counts`; its setting `adapt` says
    whether to train. Remembered: `adapted`, whether that was done.
    """

    needs_fixed: ClassVar[bool] = True
    adapt: bool  # a field of the subclass, as fields have an order

    @property
    def counts(self) -> Tensor:
        """(classes,) samples in the sums."""
        raise NotImplementedError

    @property
    def draws(self) -> bool:
        return self.adapt

    def setup(self) -> None:
        self.adapted = False
        self._notes: list[str] = []

    def grow(self, old: int, total: int) -> None:
        """The head stays as it is: columns live in the sums."""

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]] | None:
        """Add the task up; before the first, train the backbone where it is to adapt.

        Where nothing can be adapted, a note says why. Raises SettingError if classes of a network
        trained elsewhere have no samples in the sums.
        """
        self._check_known()
        self._notes = []
        if self.adapt and not self.adapted:
            obstacle = self._obstacle(task)
            if not obstacle:
                return self._first(task)
            self._notes = [f"adapt=True: the backbone stays as it is, as {obstacle}."]
        self.remember(task)
        return None

    def warnings(self) -> list[str]:
        return self._notes

    def fork(self, how: Training, rng: Generators) -> Self:
        """As `Method.fork`; attributes are replaced or forked, never written into.

        A backbone that stays as it is serves both.
        """
        twin = copy.copy(self)
        moves = self.adapt and not self.adapted
        twin.net = copy.deepcopy(self.net) if moves else self.net.beside()
        twin.how, twin.rng = how, rng
        for name, value in vars(self).items():
            if hasattr(value, "fork"):
                setattr(twin, name, value.fork())
        return twin

    def _check_known(self) -> None:
        own = self.net.n_classes
        missing = own - int((self.counts[:own] > 0).sum())
        if missing:
            raise SettingError(
                f"{type(self).__name__} knows classes by their sums, "
                f"and has none of {missing} of the classes that "
                "this network learnt elsewhere; give a few samples of each (remember, --old), "
                "use a method that trains, or learn all classes anew."
            )

    def _obstacle(self, task: Task) -> str:
        """Why the backbone cannot be trained on this task; nothing if it can."""
        net, how = self.net, self.how
        if self.counts.any():
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

    def _first(self, task: Task) -> Iterator[dict[str, Tensor]]:
        """Train the backbone with a head that is dropped after, then add the task up."""
        net = self.net
        net.head.grow(task.total, self.rng("weights"))
        fast = net.backbone.pretrained and self.how.backbone_lr is None
        changes: dict[str, Any] = {"backbone_lr": GENTLY} if fast else {}
        for batch in self.batches(task, **changes):
            yield {"new": cross_entropy(net(batch.x), batch.y)}
        net.head.forget()
        net.scale = None  # that of a bundled network was for its features as they were
        if self.how.autocast is None:
            height, width = task.records.take(torch.arange(1)).shape[-2:]
            precision.reconsider(net, (height, width))
        self.adapted = True
        self._notes = [TOO_GOOD] if self.judges_itself else []
        self.remember(task)
