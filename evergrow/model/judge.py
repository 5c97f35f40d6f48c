"""A model judged by samples that it has not learnt: recalls, and what an update did."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from ..analytic import discriminant
from ..data import preprocess
from ..data.dataset import Chunk
from ..data.task import Tensors
from ..errors import DataError, SettingError
from . import holdout, update_report
from .model import Model
from .recall_history import HELD_OUT, LEFT_OUT
from .update_report import HeldOutAnswers, Recalls


def apart(model: Model, chunk: Chunk, columns: torch.Tensor) -> tuple[Chunk, Any]:
    """What of a chunk is to be trained on, and rows of it; the others are held out from now on.

    Raises DataError if nothing is left, SettingError for a number that is none.
    """
    each = model.parameters.validation
    if isinstance(each, bool) or not isinstance(each, int | np.integer) or each < 0:
        raise SettingError(
            f"validation={each!r}: how many samples of each class are held back, 0 or more."
        )
    if not each or model.learner.judges_itself:
        return chunk, np.arange(len(chunk))
    assert model.schema is not None
    records = model.net.backbone.records(chunk, model.schema)
    hashes = preprocess.hashes(records)
    held, rest = model.heldout.choose(hashes, columns, int(each))
    if not len(rest):
        raise DataError(
            "every sample given is held back to judge updates by, and nothing is left to learn; "
            "give others, or set validation=0."
        )
    if len(held):
        at = torch.from_numpy(held)
        model.heldout = model.heldout.add(records.take(at), columns[at], hashes[held])
    return chunk.subset(rest), rest


def recalls(model: Model) -> Recalls | None:
    """Recall of each class as the model is, by column; None where that is not known."""
    learner = model.learner
    if not model.tasks and not model.adopted:
        return None
    if learner.judges_itself:
        by_column = learner.recalls(work=bool(model.parameters.validation))
        return None if by_column is None else [None if r != r else r for r in by_column.tolist()]
    judged = _heldout(model)
    if judged is None:
        return None
    return update_report.recalls_by_column(judged.answers, judged.y, len(model.classes))


def held_out_answers(model: Model) -> HeldOutAnswers | None:
    """Answers to samples that were not learnt; None where there are none."""
    if not model.learner.judges_itself:
        return _heldout(model)
    left_out = model.learner.left_out()
    return (
        None
        if left_out is None
        else HeldOutAnswers(left_out[0].numpy(), left_out[1].numpy(), LEFT_OUT)
    )


def _heldout(model: Model) -> HeldOutAnswers | None:
    held = model.heldout
    if not len(held):
        return None
    scores = model.scores(Tensors(held.x)).double()
    return HeldOutAnswers(model.learner.probabilities(scores).numpy(), held.y.numpy(), HELD_OUT)


def most_kept(model: Model) -> int | None:
    """How many samples held out may stay: a tenth of the method's memory; None: as many as are."""
    memory = model.learner.settings().get("memory")
    return memory // holdout.HOLD_OUT_ONE_IN if isinstance(memory, int) and memory else None


def last_update(model: Model) -> dict[str, Any] | None:
    """What the last update did, see `update_report.report`; None where nothing can be judged."""
    answers = held_out_answers(model)
    if answers is None:
        return None
    last = model.update
    old = len(last["old_classes"])
    return update_report.report(
        answers, model.class_names, old, last.get("before"), last.get("recalls")
    )


def assessed(model: Model) -> Model | None:
    """The model with a report of its last update; None where nothing can be judged."""
    report = last_update(model) if model.update else None
    return None if report is None else replace(model, update=model.update | {"report": report})


def by_layer(model: Model) -> dict[str, float]:
    """Mean recall in [0, 1] of each layer's features; see `GrowingClassifier.layer_scores`."""
    sums, parts = model.learner.sums_of_features(), model.net.backbone.parts
    if sums is None or not parts or sums.width != model.net.width:
        raise SettingError(
            "layer_scores needs a backbone of several layers (efficientnet_lite0, or timm:... "
            "with layers=) under lda, ridge or ncm."
        )
    starts = np.cumsum([0, *(width for _, width in parts)])
    recalls = {
        name: discriminant.lda(sums.of(int(start), width)).judged.macro
        for (name, width), start in zip(parts, starts, strict=False)
    }
    return recalls | {"all": discriminant.lda(sums).judged.macro}
