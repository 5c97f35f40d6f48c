"""One update of a model: begin, learn, remember, foresee. It works on a model of its own.

What is given stays as it is, and what is returned is finished: whoever holds a model puts the new
one in its place, in one assignment. So an update that fails leaves nothing behind.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from .. import backbones, methods
from ..data import drift, preprocess, table_encoder
from ..data.dataset import Chunk, Seen
from ..data.task import Records, Task
from ..errors import DataError, SettingError
from ..methods.base import Method
from ..nn import devices, feature_store, precision
from ..nn.network import Network
from ..storage import flatten
from ..training import loop, progress
from ..training.random_generators import Generators, isolated
from . import advice_facts, choose, judge, recall_history
from .advice import advise
from .advice_on_samples import FEW_SAMPLES
from .choose import ADOPTED_ALONE, Adopted
from .model import Model, TableColumns, UpdateContext
from .parameters import Parameters
from .update_report import Recalls

PlainAdvice = list[dict[str, Any]]
NO_CONTEXT = UpdateContext()
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Incoming:
    """What an update is given.

    chunk: labelled.  announced: labels that get columns now and no score until they are seen.
    auxiliary: inputs without labels, for methods that use such.
    columns: of the table, by scikit-learn's checks; None: not looked at yet.
    """

    chunk: Chunk
    announced: np.ndarray | None = None
    auxiliary: Chunk | None = None
    columns: TableColumns | None = None

    @property
    def labels(self) -> np.ndarray:
        """(n,) of the chunk.  Raises DataError where it has none."""
        if self.chunk.labels is None:
            raise DataError(
                "requires y to be passed, but the target y is None: "
                "give labels, or data that holds them."
            )
        return self.chunk.labels


def begin(parameters: Parameters, chunk: Chunk, columns: TableColumns | None = None) -> Model:
    """A model for data like this, which has learnt nothing."""
    kind = backbones.kind(chunk.seen)
    settings, name = choose.backbone(parameters, kind)
    schema = preprocess.fitted(settings.prepare(chunk.seen, parameters.image_size), chunk)
    chunk.note(preprocess.range_notes(schema, chunk, begins="top" in schema))
    body = settings.build(schema, Generators(parameters.seed)("backbone"))
    net = Network(body, settings.inputs(schema)).eval()
    chosen = choose.method(parameters, body, kind, None)
    attach(chosen.method, net, parameters)
    if columns is None and chunk.kind == "table":  # it did not come through scikit-learn
        names = np.array(chunk.seen.names, dtype=object) if chunk.seen.names else None
        columns = TableColumns(chunk.seen.shape[0], names)
    reason = _with_columns(chosen.reason, schema)
    if body.pretrained and chunk.kind == "image" and chosen.method.needs_fixed:
        size = schema["height"], schema["width"]
        net.precision = precision.choose_precision(net, parameters.precision, size)
    return Model(
        parameters=parameters,
        backbone=settings,
        backbone_name=name,
        learner=chosen.method,
        method_name=chosen.name,
        reason=reason,
        schema=schema,
        columns=columns,
    )


def _with_columns(reason: str, schema: dict[str, Any]) -> str:
    return (
        f"{reason}; {table_encoder.in_words(schema['encode'])}" if schema.get("encode") else reason
    )


def attach(method: Method, net: Network, parameters: Parameters) -> None:
    """Bind a method to a network, on the device asked for."""
    rng = Generators(parameters.seed)
    net.to(devices.device_named(parameters.device))
    method.attach(net, choose.training(parameters, rng), rng)


def admit(model: Model | None, parameters: Parameters, incoming: Incoming) -> Model:
    """A model to work on: a new one for data like this, or a fork of the one that reads it.

    Settings that changed since the last update are taken over; those that may not are refused.
    Raises DataError, SettingError.
    """
    chunk = incoming.chunk
    if model is None:
        return begin(parameters, chunk, incoming.columns)
    check_learns(model)
    if model.schema is None:
        work = fork(model, parameters)
        form = work.backbone.prepare(chunk.seen, parameters.image_size)
        work.schema = preprocess.fitted(form, chunk)
        return work
    model.check(chunk)
    _check_length(model, chunk.seen)
    work = fork(model, parameters)
    preprocess.note_unseen(model.schema, chunk)
    chunk.note(preprocess.range_notes(model.schema, chunk))
    return work


def _check_length(model: Model, seen: Seen) -> None:
    """Raise DataError for sequences of another length beside a memory that holds samples."""
    assert model.schema is not None
    if not preprocess.of_another_length(model.schema, seen):
        return
    _, _, samples = flatten.flatten(model.learner.state())
    if samples or model.heldout:
        raise DataError(
            f"X has samples of shape {seen.shape}, and {model.method_name} keeps samples of shape "
            f"{tuple(model.schema['shape'])} to learn them together; pass the same length (padded "
            "as the network expects). Predicting takes any length that the network takes."
        )


def check_learns(model: Model | None) -> None:
    """Raise SettingError for a model that can only answer."""
    if model is not None and model.predicts_only:
        raise SettingError("this model was loaded with learning=False: load it whole to learn on.")


def fork(model: Model, parameters: Parameters) -> Model:
    """The same model, to be changed, with these parameters; what may not change is refused."""
    rng = Generators(model.learner.rng.seed)
    learner = model.learner.fork(choose.training(parameters, rng), rng)
    return replace(model, parameters=parameters, learner=_as_asked(model, learner, parameters))


def _as_asked(model: Model, learner: Method, parameters: Parameters) -> Method:
    """The method with the settings that are asked for now; another method is refused."""
    asked = parameters.method
    if isinstance(asked, Method):
        if type(asked) is not type(learner):
            raise SettingError(
                f"this model learns by {model.method_name}, and method={asked!r} is another one; "
                "change_method() says what can be taken along and changes it."
            )
        if asked.settings() != learner.settings():
            fresh, remembered = asked.fresh(), learner.state()
            fresh.attach(learner.net, learner.how, learner.rng)
            fresh.fill(remembered)
            return fresh
    elif methods.canonical(asked) not in ("auto", model.method_name):
        raise SettingError(
            f"this model learns by {model.method_name}, not {asked}; "
            "change_method() says what can be taken along and changes it."
        )
    return learner


def learn(
    model: Model | None,
    parameters: Parameters,
    incoming: Incoming,
    context: UpdateContext = NO_CONTEXT,
) -> Model:
    """The model once it has learnt what came.  Raises DataError, SettingError."""
    began, chunk, labels = time.perf_counter(), incoming.chunk, incoming.labels
    work = admit(model, parameters, incoming)
    work.keep_no_samples |= context.keep_no_samples
    auxiliary = _auxiliary(work, incoming)
    work.heldout = work.heldout.keep(judge.most_kept(work))
    before = _recalls(model, work)
    old, work.classes = len(work.classes), _classes(work, incoming)
    columns = work.columns_of(labels)
    part, rows = judge.apart(work, chunk, columns)
    task = _task(work, part, columns[rows], old, auxiliary)
    advice = _advice(work, task, chunk.seen, before)
    if context.tell is not None:
        context.tell(advice)
    notes = _run(work, task, chunk, context)
    counts = np.bincount(task.y.numpy(), minlength=task.total)
    counts[:old] += work.counts
    work.counts = counts
    work.tasks += 1
    past = {} if model is None else recall_history.carried(model.update, model.class_names, before)
    work.update = {
        "task": work.tasks,
        "samples": len(labels),
        "held_back": len(labels) - len(task),
        "old_classes": work.classes[:old].tolist(),
        "new_classes": work.classes[old:].tolist(),
        "method": work.method_name,
        "backbone": work.backbone_name,
        "reason": work.reason,
        "advice": advice,
        "warnings": [*_input_notes(work, chunk), *notes, *_warnings(work, auxiliary is not None)],
        "skipped": len(chunk.skipped),
        "seconds": time.perf_counter() - began,
        "before": before,
        "recalls": past,
        "report": None,
    }
    _log(work.update)
    return work


def _log(done: dict[str, Any]) -> None:
    """Tell standard logging of an update; nobody hears it but who asks for `evergrow`."""
    log.info(
        "learnt %d samples, %d new classes beside %d, in %.1f s by %s on %s (%s)",
        done["samples"],
        len(done["new_classes"]),
        len(done["old_classes"]),
        done["seconds"],
        done["method"],
        done["backbone"],
        done["reason"],
    )
    for warning in done["warnings"]:
        log.warning("%s", warning)


def foresee(model: Model | None, parameters: Parameters, incoming: Incoming) -> PlainAdvice:
    """What to expect of `learn` with the same arguments; nothing is learnt."""
    labels = incoming.labels
    work = admit(model, parameters, incoming)
    auxiliary = _auxiliary(work, incoming)
    recalls = _recalls(model, work)
    old, work.classes = len(work.classes), work.classes_with(labels)
    task = _task(work, incoming.chunk, work.columns_of(labels), old, auxiliary)
    return _advice(work, task, incoming.chunk.seen, recalls)


def remember(model: Model, parameters: Parameters, incoming: Incoming) -> Model:
    """The model with these samples of known classes kept, or in its sums; nothing is trained."""
    chunk, labels = incoming.chunk, incoming.labels
    check_learns(model)
    new = set(labels.tolist()) - set(model.classes.tolist())
    if new:
        raise DataError(
            f"remember takes samples of classes that are known, and {min(new)!r} is not one; new "
            "classes are learnt by partial_fit."
        )
    work = admit(model, parameters, incoming)
    _reconsider(work, Adopted(remembered=True))
    total = len(work.classes)
    task = _task(work, chunk, work.columns_of(labels), total, None)
    task = replace(task, boundary=False)
    with _watched(work):
        work.learner.remember(task)
    work.learner.settle()
    return work


def change_method(model: Model, parameters: Parameters) -> tuple[Model, list[str]]:
    """The model with the method of these parameters, and what it could not take along, in words.

    Raises SettingError where nothing of one method helps the other.
    """
    check_learns(model)
    asked, old = parameters.method, model.learner
    fresh = asked.fresh() if isinstance(asked, Method) else methods.get(asked)
    name = methods.name_of(fresh)
    if fresh.needs_fixed != old.needs_fixed:
        raise SettingError(
            f"{model.method_name} and {name} know classes in different ways (by sums, by weights): "
            "nothing of one helps the other; begin a new model with all the data instead."
        )
    rng = Generators(old.rng.seed)
    work = replace(model, parameters=parameters, method_name=name, reason="as asked for")
    twin = old.fork(choose.training(parameters, rng), rng)
    work.learner = fresh
    fresh.attach(twin.net, twin.how, rng)
    lost = _taken_along(fresh, twin.state(), model.method_name, name)
    fresh.settle()
    return work, lost


def _taken_along(fresh: Method, remembered: dict[str, Any], old: str, new: str) -> list[str]:
    """Fill a method with what another one remembered.  Returns what it has no place for."""
    mine, lost = fresh.state(), []
    kinds = [{name: type(value) for name, value in s.items()} for s in (mine, remembered)]
    if fresh.needs_fixed and kinds[0] != kinds[1]:
        raise SettingError(
            f"{new} adds up other sums than {old}: nothing of one helps the other; begin a new "
            "model with all the data instead."
        )
    for name in list(remembered):
        same = name in mine and type(mine[name]) is type(remembered[name])
        if not same and remembered[name] not in (None, {}):
            lost.append(f"{old}'s {name}")
        if not same:
            del remembered[name]
    fresh.fill(remembered)
    return lost


def _auxiliary(work: Model, incoming: Incoming) -> Records | None:
    """Inputs without labels as canonical tensors; "auto" may have a use for them."""
    if incoming.auxiliary is None:
        return None
    records = work.records(incoming.auxiliary)
    _reconsider(work, Adopted(auxiliary=True))
    return records


def _reconsider(work: Model, at_hand: Adopted) -> None:
    """A network trained elsewhere has learnt nothing yet, and "auto" may have better to do."""
    auto = work.parameters.method == "auto" and work.method_name == ADOPTED_ALONE
    if work.adopted and not work.tasks and auto:
        assert work.schema is not None
        kind = work.schema["kind"]
        chosen = choose.method(work.parameters, work.net.backbone, kind, at_hand)
        attach(chosen.method, work.net, work.parameters)
        work.learner, work.method_name, work.reason = chosen


def _recalls(model: Model | None, work: Model) -> Recalls | None:
    """Recalls of the model as it is: asked of itself, so that what it solves for it serves on."""
    if model is None:
        return None
    return judge.recalls(replace(model, heldout=work.heldout, parameters=work.parameters))


def _classes(work: Model, incoming: Incoming) -> np.ndarray:
    """`classes` once this is learnt: what is known, then what comes or is announced, sorted."""
    labels = incoming.labels
    if incoming.announced is not None:
        labels = np.concatenate([labels, incoming.announced])
    return work.classes_with(labels)


def _task(
    work: Model, part: Chunk, columns: torch.Tensor, old: int, auxiliary: Records | None
) -> Task:
    """What there is to learn; `classes` has its new ones already, `old` were there before."""
    assert work.schema is not None
    records = work.net.backbone.records(part, work.schema)
    work.net.inputs.fix(records)
    total = len(work.classes)
    boundary = work.parameters.boundary == "task" or total > old
    return Task(records, columns, old, total, work.tasks, boundary, auxiliary)


def _advice(
    work: Model, task: Task, seen: Seen, recalls: Sequence[float | None] | None
) -> PlainAdvice:
    """What to expect of a task, and what the model's first inputs look like, if this is it."""
    if task.total == task.old and len(task) < FEW_SAMPLES:
        return []  # a stream of single samples has no time for it
    now = drift.summarise(task.records, seen, len(task.classes))
    if not work.tasks:
        work.began = now
    facts = advice_facts.gather_facts(work, task, now, recalls, seen)
    return [advice.plain() for advice in advise(facts)]


def _run(work: Model, task: Task, chunk: Chunk, context: UpdateContext) -> list[str]:
    """Let the method learn the task.  Returns what the user should know of the machine."""
    learner = work.learner
    with _watched(work), feature_store.opened(work) as notes:
        if context.checkpoints is not None and not learner.draws:
            learner.checkpoints = context.checkpoints(work, chunk)
        if task.total > task.old:
            learner.grow(task.old, task.total)
        seed = learner.rng("global").initial_seed() if learner.draws else 0
        with isolated(seed) if learner.draws else nullcontext(), _converging(work):
            loop.train(learner, task)
    learner.settle()
    return notes


@contextmanager
def _converging(work: Model) -> Iterator[None]:
    """Training that leaves weights which are no numbers is refused, however it ends.

    Raises SettingError.
    """
    failed: RuntimeError | None = None
    try:
        yield
    except RuntimeError as error:  # who draws by probabilities that are none fails there
        failed = error
    if not work.net.is_finite():
        raise SettingError(
            "training diverged: weights are no longer finite numbers. Take a smaller lr (--lr), or "
            "a smaller strength of the method; nothing was learnt, the model is as it was."
        ) from failed
    if failed is not None:
        raise failed


@contextmanager
def _watched(work: Model) -> Iterator[None]:
    """The generators of this task, and a bar for whoever sits before a terminal."""
    learner, watch = work.learner, progress.for_terminal()
    learner.rng.begin(work.tasks)
    learner.watch, learner.watched = watch, not isinstance(watch, progress.Silent)
    try:
        yield
    finally:
        watch.close()


def _input_notes(work: Model, chunk: Chunk) -> list[str]:
    return [*chunk.notes, *work.net.backbone.notes(chunk)]


def _warnings(work: Model, auxiliary: bool) -> list[str]:
    """What a user would want to know before trusting this update."""
    warnings = work.learner.warnings()
    if auxiliary and not work.learner.uses_auxiliary:
        line = f"{work.method_name} has no use for auxiliary inputs; they were passed over."
        return [line, *warnings]
    return warnings
