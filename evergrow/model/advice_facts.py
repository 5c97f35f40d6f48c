"""What is at hand when a chunk comes: of the model, its method and backbone, and of the samples."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from .. import backbones, methods
from ..data import drift
from ..data.dataset import Seen
from ..data.drift import evenly_spaced
from ..data.task import Task
from ..methods.closed_form import ClosedForm
from ..training.replay_buffer import Memory
from . import nearest_neighbour
from .model import Model

BORN_RANDOM = ("mlp", "convnet", "resnet32")  # backbones that know nothing until they are trained
BOUNDED = 2**40  # a memory with more room keeps everything
MEMORY_LOOKED_AT = 256  # samples of a memory that are looked at, at most


@dataclass(frozen=True)
class Facts:
    """What is at hand when a chunk comes.

    method, family, settings: as it is listed, and its settings.  backbone: its name.
    trains: whether the backbone learns.  untrained: whether its first, random weights stay.
    classes: labels by column, new ones last.  old: how many were known.
    learnt, coming: samples by column, learnt before and in the chunk.
    tasks: chunks learnt before.  adopted: whether classes came with a network trained elsewhere
        and have no samples here.
    room: samples a bounded memory may hold; None where there is no such.
    held: mean number of samples kept of each old class that has none in the chunk.
    nearest: recall of those classes by the nearest neighbour among what is kept and what comes.
    auxiliary, wants_auxiliary: whether unlabelled inputs came; whether the method needs such.
    width: features.  penalty: where a method of fixed features has one that is not chosen.
    recall: mean recall of the model as it is, in [0, 1], on samples that it has not learnt; None
        where it is not at hand.
    unseen_photos: whether images for a pretrained network come to a backbone that was chosen for
        want of one.  nested: the folder to pass, where class folders hold folders alone.
    unlike: in what the inputs differ from those the model began with; see `drift.differences`.
    """

    method: str
    family: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    backbone: str = ""
    trains: bool = True
    untrained: bool = False
    classes: Sequence[Any] = ()
    old: int = 0
    learnt: Sequence[int] = ()
    coming: Sequence[int] = ()
    tasks: int = 0
    adopted: bool = False
    room: int | None = None
    held: float = 0.0
    nearest: float | None = None
    auxiliary: bool = False
    wants_auxiliary: bool = False
    width: int = 0
    penalty: float | None = None
    recall: float | None = None
    unseen_photos: bool = False
    nested: str = ""
    unlike: Sequence[str] = ()

    @property
    def absent(self) -> int:
        """Old classes without a sample in the chunk."""
        return sum(n == 0 for n in self.coming[: self.old])

    @property
    def born(self) -> int:
        """Classes that are new."""
        return len(self.classes) - self.old

    @property
    def share(self) -> float:
        """Share of all classes that the chunk has samples of, in [0, 1]."""
        return 1 - self.absent / len(self.classes)


def gather_facts(
    model: Model,
    task: Task,
    now: drift.InputSummary | None,
    recalls: Sequence[float | None] | None = None,
    seen: Seen | None = None,
) -> Facts:
    """The facts of a task that a model is about to learn; `classes` has the new ones already.

    now, seen: what its inputs look like.  recalls: of the model as it is, by column, where known.
    """
    learner, net = model.learner, model.net
    entry = next((e for e in methods.ENTRIES if e.name == model.method_name), None)
    coming = torch.bincount(task.y, minlength=task.total)
    learnt = torch.zeros_like(coming)
    learnt[: task.old] = torch.from_numpy(model.counts)
    trains = net.backbone.trains and model.parameters.freeze is not True
    fixed = learner.needs_fixed and not learner.draws
    memory = next((m for m in vars(learner).values() if isinstance(m, Memory)), None)
    bounded = memory is not None and memory.room < BOUNDED
    return Facts(
        method=model.method_name,
        family=entry.family if entry else "",
        settings=learner.settings(),
        backbone=model.backbone_name,
        trains=trains and not fixed,
        untrained=fixed and model.backbone_name in BORN_RANDOM,
        classes=model.classes.tolist(),
        old=task.old,
        learnt=learnt.tolist(),
        coming=coming.tolist(),
        tasks=task.number,
        adopted=bool(model.adopted),
        room=memory.room if memory is not None and bounded else None,
        held=_held(memory, task),
        nearest=_nearest(model, memory, task),
        auxiliary=task.auxiliary is not None,
        wants_auxiliary=learner.uses_auxiliary,
        width=_width(learner, net.width),
        penalty=learner.settings().get("penalty") if fixed else None,
        recall=_recall(recalls),
        unseen_photos=_unseen_photos(model, seen),
        nested="" if seen is None else seen.nested,
        unlike=drift.differences(model.began, now),
    )


def _unseen_photos(model: Model, seen: Seen | None) -> bool:
    """Whether the backbone was chosen for want of a pretrained one."""
    chosen = model.parameters.backbone == "auto" and model.backbone_name == "patches"
    return chosen and seen is not None and backbones.kind(seen) == "unseen photo"


def _held(memory: Memory | None, task: Task) -> float:
    """Mean number of samples kept of each old class that the task has no sample of."""
    absent = task.absent(task.old)
    if memory is None or not len(memory) or not len(absent):
        return 0.0
    return float(torch.isin(memory.y, absent).sum()) / len(absent)


@torch.no_grad()
def _nearest(model: Model, memory: Memory | None, task: Task) -> float | None:
    """Recall of absent old classes by the nearest neighbour, from some hundred samples."""
    absent = task.absent(task.old)
    if memory is None or memory.room >= BOUNDED or not len(memory) or not len(absent):
        return None
    if model.net.inputs.kind == "text":
        return None  # token ids have no distance
    remembered = evenly_spaced(len(memory), MEMORY_LOOKED_AT)
    come = evenly_spaced(len(task), drift.ROWS)
    parts = memory.take(remembered), task.records.take(come)
    x = torch.cat([model.net.inputs(part.to(model.net.device)) for part in parts])
    return nearest_neighbour.recall(
        x.cpu(), torch.cat([memory.y[remembered], task.y[come]]), absent
    )


def _width(learner: Any, features: int) -> int:
    """Features that the last layer reads."""
    return learner.sums.width if isinstance(learner, ClosedForm) else features


def _recall(recalls: Sequence[float | None] | None) -> float | None:
    """Their mean, where there are any."""
    known = [recall for recall in recalls or () if recall is not None]
    return sum(known) / len(known) if known else None
