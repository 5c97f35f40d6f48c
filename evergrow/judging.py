"""A classifier judged by samples that it has not learnt: what an update did, and if it may stay."""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from . import heldout, outcome, prepare
from .chunk import Chunk
from .data import Tensors
from .errors import DataError, GateError, SettingError
from .outcome import Judged, Recalls

if TYPE_CHECKING:
    from .classifier import GrowingClassifier

LEFT_OUT, HELD_OUT = "kept samples, each left out in turn", "samples held back from learning"


def apart(model: "GrowingClassifier", chunk: Chunk, columns: torch.Tensor) -> tuple[Chunk, Any]:
    """What of a chunk is to be trained on, and rows of it; the others are held out from now on.

    Raises DataError if nothing is left, SettingError for a number that is none.
    """
    each = model.validation
    if isinstance(each, bool) or not isinstance(each, int | np.integer) or each < 0:
        raise SettingError(
            f"validation={each!r}: how many samples of each class are held back, 0 or more."
        )
    if not each or model.learner_.judges_itself:
        return chunk, np.arange(len(chunk))
    assert model.prepare_ is not None
    records = model.net_.backbone.records(chunk, model.prepare_)
    hashes = prepare.hashes(records)
    held, rest = model.heldout_.choose(hashes, columns, int(each))
    if not len(rest):
        raise DataError(
            "every sample given is held back to judge updates by, and nothing is left to learn; "
            "give others, or set validation=0."
        )
    if len(held):
        at = torch.from_numpy(held)
        model.heldout_ = model.heldout_.add(records.take(at), columns[at], hashes[held])
    return chunk.subset(rest), rest


def recalls(model: "GrowingClassifier") -> Recalls | None:
    """Recall of each class as the model is, by column; None where that is not known."""
    learner = model.learner_
    if not model.tasks_ and not model.adopted_:
        return None
    if learner.judges_itself:
        found = learner.recalls(work=bool(model.validation))
        return None if found is None else [None if r != r else r for r in found.tolist()]
    judged = _heldout(model)
    if judged is None:
        return None
    return outcome.recalls(judged.answers, judged.y, len(model.classes_))


def judged(model: "GrowingClassifier") -> Judged | None:
    """Answers to samples that were not learnt; None where there are none."""
    if not model.learner_.judges_itself:
        return _heldout(model)
    found = model.learner_.left_out()
    return None if found is None else Judged(found[0].numpy(), found[1].numpy(), LEFT_OUT)


def _heldout(model: "GrowingClassifier") -> Judged | None:
    held = model.heldout_
    if not len(held):
        return None
    scores = model._scores(Tensors(held.x)).double()
    return Judged(model.learner_.probabilities(scores).numpy(), held.y.numpy(), HELD_OUT)


def most_kept(model: "GrowingClassifier") -> int | None:
    """How many samples held out may stay: a tenth of the method's memory; None: as many as are."""
    memory = getattr(model.learner_, "memory", None)
    return memory // heldout.SHARE if isinstance(memory, int) and memory else None


def report(model: "GrowingClassifier") -> dict[str, Any] | None:
    """What the last update did, see `outcome.report`; None where nothing can be judged."""
    found = judged(model)
    if found is None:
        return None
    labels = [str(label) for label in model.classes_.tolist()]
    last = model.update_
    return outcome.report(found, labels, len(last["old_classes"]), last.get("before"))


def gate(model: "GrowingClassifier", points: float) -> None:
    """Raise GateError if the last update costs too much (`outcome.refusal`), or if nobody can tell.

    points: of mean recall that old classes may lose.
    """
    found, old = model.update_["report"] or report(model), model.update_["old_classes"]
    if found is None or (old and found["old_before"] is None):
        raise blind()
    why = outcome.refusal(found, points)
    if why:
        raise GateError(f"the gate refused this update: {why}. The model is as it was.", found)


def blind() -> GateError:
    """The error of a gate that has nothing to judge old classes by."""
    return GateError(
        "the gate cannot tell what the old classes would lose: no samples of theirs were held back "
        "when they were learnt (--validation 20, validation=20). Leave the gate out this once, or "
        "use a closed-form method such as lda, which needs none. The model is as it was."
    )
