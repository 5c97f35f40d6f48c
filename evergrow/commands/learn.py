"""Let a model on disk learn, or say what would happen; answers are dicts, as --json prints them."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.source import Source
from ..errors import DataError, EvergrowError
from ..model.options import How, Tell
from ..storage.model_folder import ModelFolder
from . import preflight
from .open_model import Answer, OpenOptions, commit, described, description, of_model, restored

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from ..data.dataset import Chunk
    from ..model.model import Model
    from ..model.parameters import Parameters


@dataclass(frozen=True)
class Beside:
    """Data that comes beside what is to be learnt, each a Source or whatever `sources.read` takes.

    old: samples of classes known already, to keep without training on them.
    auxiliary: inputs without labels, for methods that use such.
    """

    old: Any = None
    auxiliary: Any = None


def learn(
    model: str | Path,
    data: Any,
    how: How | None = None,
    beside: Beside = Beside(),
    tell: Tell | None = None,
) -> Answer:
    """Create a model from data, or let it learn data on top of what it knows: one new version.

    data: a Source, or whatever `sources.read` takes. Samples that the model has learnt before are
    passed over; if no other is left, no version is written. What the update did to old and new
    classes is in "report" (`update_report.report`).  tell: is given the advice before training
    begins.
    Raises DataError, SettingError, ModelError, GateError: then the model is as it was.
    """
    began, folder, how = time.perf_counter(), ModelFolder(model), how or How()
    source = Source.of(data)
    _preflight(folder, source, how, beside)
    if how.dry_run:
        answer = _plan(folder, source, how, beside, tell)
    else:
        with folder.writer():
            answer = _learn(folder, source, how, beside, tell)
    return answer | {"model": str(folder.path), "seconds": time.perf_counter() - began}


def advise(
    model: str | Path,
    data: Any,
    how: How | None = None,
    beside: Beside = Beside(),
    seconds: float = 0,
) -> Answer:
    """What to expect of `learn` with the same arguments; nothing is learnt or written.

    seconds: train a small network on a part of the data for so long, to see whether features that
    stay as they are do well; 0: do not.
    """
    began, folder = time.perf_counter(), ModelFolder(model)
    _preflight(folder, data, how or How(), beside)
    answer = _plan(folder, Source.of(data), how or How(), beside, None, seconds)
    return answer | {"model": str(folder.path), "seconds": time.perf_counter() - began}


def _preflight(folder: ModelFolder, data: Any, how: How, beside: Beside) -> None:
    """Say what is wrong with the command, or the model, before anything slow is imported."""
    preflight.check_paths([data, beside.old, beside.auxiliary])
    preflight.check_names(how, description(folder) if folder.exists() else None)


def _learn(
    folder: ModelFolder, source: Source, how: How, beside: Beside, tell: Tell | None
) -> Answer:
    from ..model import update
    from ..model.model import UpdateContext
    from ..storage import ledger
    from .checkpoint import Unfinished

    at_hand = _open(folder, how)
    parent = description(folder) if folder.exists() else None
    unfinished = Unfinished(folder.unfinished, parent, tell)
    known = at_hand.model
    old = None if beside.old is None else of_model(Source.of(beside.old), known).read()
    chunk = of_model(source, known).read()
    unfinished.recall(chunk)
    fresh = _unlearnt(at_hand, chunk, how)
    if not len(fresh.chunk):
        idle = [] if old is None else ["there was nothing to learn, so --old was passed over."]
        nothing = {"samples": 0, "new_classes": [], "advice": [], "warnings": idle, "resumed": 0}
        return fresh.answer | described(_known(at_hand), folder.current()) | nothing
    private = how.keep_no_samples or bool(parent and parent.get("keep_no_samples"))
    if private:
        _keeps_none(at_hand)
    version = max(folder.versions(), default=0) + 1
    if old is not None:
        at_hand = _remember(at_hand, old, version)
    checkpoints = unfinished.of if beside == Beside() else None
    context = UpdateContext(tell, checkpoints, private)
    incoming = update.Incoming(fresh.chunk, auxiliary=_unlabelled(beside))
    try:
        model = _taught(at_hand, incoming, how.gate, context)
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(unfinished.stopped()) from stop
    hashes = fresh.hashes_by(model)
    columns = model.columns_of(fresh.chunk.labels).numpy()
    model.ledger = ledger.add(at_hand.ledger, hashes, columns, version)
    twice = _two_labels(fresh.chunk, hashes, columns)
    try:
        version = commit(folder, model, {"data": ledger.samples_fingerprint(hashes, columns)})
    except KeyboardInterrupt:
        if folder.current() != version:
            raise  # else it came too late: the version is there, only tidying was cut short
    notes = [*at_hand.notes, *unfinished.notes, *twice]
    while True:
        with suppress(KeyboardInterrupt):  # it comes too late: the version is there
            there = {"resumed": unfinished.resumed, "bytes": _bytes(folder, version)}
            return fresh.answer | there | described(model, version) | _updated(model, notes)


def _bytes(folder: ModelFolder, version: int) -> int | None:
    """Of a version that is there; whatever hinders looking is no failure of what is done."""
    with suppress(OSError, EvergrowError):
        return folder.bytes(version)
    return None


@dataclass(frozen=True)
class AtHand:
    """What an update begins with.  model: None where there is none yet.

    parameters: as the command asks for them.  ledger: what was learnt.
    notes: what the user should know.
    """

    model: "Model | None"
    parameters: "Parameters"
    ledger: "pa.Table"
    notes: list[str]


@dataclass(frozen=True)
class Unlearnt:
    """What of a chunk the model has not learnt.

    hashes: (n, 16) content hashes, if they were needed.  answer: counts of what is passed over.
    """

    chunk: "Chunk"
    hashes: "np.ndarray | None"
    answer: Answer

    def hashes_by(self, model: "Model") -> "np.ndarray":
        """(n, 16) content hashes, of canonical tensors as this model has them."""
        from ..data import preprocess

        if self.hashes is None:
            return preprocess.hashes(model.records(self.chunk))
        return self.hashes


def _taught(at_hand: AtHand, incoming: Any, gate: float | None, context: Any) -> "Model":
    """Learn, and judge what that did.  gate: points that old classes may lose, or GateError."""
    from ..model import gate as gate_rule
    from ..model import judge, update

    model = at_hand.model
    if gate is not None and model is not None and judge.recalls(model) is None:
        raise gate_rule.blind()
    model = update.learn(model, at_hand.parameters, incoming, context)
    model.update |= {"report": judge.last_update(model)}
    if gate is not None:
        gate_rule.enforce(model, gate)
    return model


def _remember(at_hand: AtHand, old: "Chunk", version: int) -> AtHand:
    """Give old samples that are not known yet to the memory, and to the ledger."""
    from ..data import preprocess
    from ..model import update
    from ..storage import ledger

    model = at_hand.model
    if model is None:
        raise DataError(
            "--old takes samples of classes that the model knows, and it knows none yet: "
            "learn them as DATA."
        )
    hashes = preprocess.hashes(model.records(old))
    columns = model.columns_of(old.labels).numpy()
    rows = ledger.unlearnt(at_hand.ledger, hashes, columns)
    if len(rows):
        incoming = update.Incoming(old.subset(rows))
        model = update.remember(model, at_hand.parameters, incoming)
    learnt = ledger.add(at_hand.ledger, hashes[rows], columns[rows], version)
    return replace(at_hand, model=model, ledger=learnt)


def _unlabelled(beside: Beside) -> "Chunk | None":
    auxiliary = beside.auxiliary
    return None if auxiliary is None else Source.of(auxiliary).read(need_labels=False)


def _plan(
    folder: ModelFolder,
    source: Source,
    how: How,
    beside: Beside,
    tell: Tell | None = None,
    seconds: float = 0,
) -> Answer:
    """What `learn` would do, and what to expect of it; nothing on disk is changed."""
    from ..model import update

    at_hand = _open(folder, how)
    fresh = _unlearnt(at_hand, of_model(source, at_hand.model).read(), how)
    chunk = fresh.chunk
    if beside.old is not None:
        old = of_model(Source.of(beside.old), at_hand.model)
        at_hand = _remember(at_hand, old.read(), 0)
    model, parameters = at_hand.model, at_hand.parameters
    known = [] if model is None else model.classes.tolist()
    begun = update.begin(parameters, chunk) if model is None else model
    incoming = update.Incoming(chunk, auxiliary=_unlabelled(beside))
    advice = update.foresee(model, parameters, incoming) if len(chunk) else []
    probed: Answer = {}
    if seconds > 0 and len(chunk):
        probed = _probed(begun, chunk, seconds)
        advice += probed.pop("advice")
    if tell is not None:
        tell(advice)
    labels = chunk.labels if len(chunk) else None
    arriving = [] if labels is None else begun.classes_with(labels)[len(known) :].tolist()
    version = folder.current() if known else 0
    state = described(begun, version) | {"classes": [*known, *arriving]}
    planned = {
        "samples": len(chunk),
        "new_classes": arriving,
        "advice": advice,
        "warnings": at_hand.notes,
    }
    return fresh.answer | probed | state | planned | {"dry_run": True}


def _probed(model: "Model", chunk: "Chunk", seconds: float) -> Answer:
    """What a probe of so many seconds found, and the advice that follows from it."""
    from ..model.advice_on_backbone import weak_backbone
    from ..model.backbone_probe import probe

    comparison = probe(model, chunk, seconds)
    weak = None if comparison is None else weak_backbone(comparison)
    return {
        "probe": None if comparison is None else asdict(comparison),
        "advice": [] if weak is None else [weak.plain()],
    }


def _open(folder: ModelFolder, how: How) -> AtHand:
    """What there is to go on with."""
    from ..model import configure
    from ..storage import ledger

    if not folder.exists():
        return AtHand(None, configure.new(how), ledger.empty(), [])
    stored = folder.read()
    options = OpenOptions(how.settings.get("method"), how.settings.get("device", "auto"))
    model, notes = configure.change(restored(folder, stored, options, learning=True), how)
    past = ledger.empty() if stored.ledger is None else stored.ledger
    return AtHand(model, model.parameters, past, notes)


def _unlearnt(at_hand: AtHand, chunk: "Chunk", how: How) -> Unlearnt:
    """What is to be learnt; what was learnt before is passed over, unless asked for again."""
    from ..data import preprocess
    from ..storage import ledger

    total, hashes, model = len(chunk), None, at_hand.model
    if len(at_hand.ledger) and model is not None and not how.again:
        hashes = preprocess.hashes(model.records(chunk))
        rows = ledger.unlearnt(at_hand.ledger, hashes, model.columns_of(chunk.labels).numpy())
        chunk, hashes = chunk.subset(rows), hashes[rows]
    skipped = [list(file) for file in chunk.skipped]
    answer = {"passed_over": total - len(chunk), "skipped": skipped}
    return Unlearnt(chunk, hashes, answer)


def _two_labels(chunk: "Chunk", hashes: "np.ndarray", columns: "np.ndarray") -> list[str]:
    """A note on samples of the same content that came with different labels, three by name."""
    import numpy as np

    content = np.ascontiguousarray(hashes).view(f"V{hashes.shape[1]}")[:, 0]
    distinct, sample = np.unique(content, return_inverse=True)
    low, high = np.full(len(distinct), columns.max()), np.full(len(distinct), columns.min())
    np.minimum.at(low, sample, columns)
    np.maximum.at(high, sample, columns)
    torn = np.flatnonzero(low < high)
    if not len(torn):
        return []
    assert chunk.labels is not None
    named = []
    for i in torn[:3]:
        rows = [int(np.flatnonzero((sample == i) & (columns == c))[0]) for c in (low[i], high[i])]
        named.append(" and ".join(f"{chunk.name(row)} ({chunk.labels[row]})" for row in rows))
    more = f"; and {len(torn) - 3:,} more" if len(torn) > 3 else ""
    return [
        f"{len(torn):,} samples came with two labels, and were learnt with each: "
        f"{'; '.join(named)}{more}. If one of them is wrong, take it out of the data."
    ]


def _keeps_none(at_hand: AtHand) -> None:
    """Refuse a method that is known to keep raw samples, before it learns."""
    from .. import methods
    from ..model import serialize

    asked = at_hand.parameters.method
    name = asked if isinstance(asked, str) else methods.name_of(asked)
    name = name if at_hand.model is None else at_hand.model.method_name
    keeps = next((e.keeps for e in methods.ENTRIES if e.name == name), "")
    if "images" in keeps:
        raise serialize.keeps_raw(name)


def _known(at_hand: AtHand) -> "Model":
    """The model that there is.  Raises DataError where nothing came, and nothing was learnt."""
    if at_hand.model is None:
        raise DataError("there are no samples to begin a model with.")
    return at_hand.model


def _updated(model: "Model", notes: Sequence[str]) -> Answer:
    last = model.update
    warnings = [*notes, *last["warnings"]]
    keys = ("new_classes", "samples", "held_back", "advice", "report")
    return {k: last[k] for k in keys} | {
        "warnings": warnings,
        "learning_seconds": last["seconds"],
    }
