"""A model on disk: one call for each thing done to it; answers are dicts, as --json prints them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.source import Source
from ..errors import DataError, ModelError, SettingError
from ..model.options import How
from ..storage.model_folder import ModelFolder, Stored

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from ..data.dataset import Chunk
    from ..model.model import Model
    from ..model.parameters import Parameters

SHOWN = 10  # pairs of classes confused most
BLOCK = 4096  # samples predicted at a time
Answer = dict[str, Any]
Tell = Callable[[list[Answer]], None]  # is given advice before training begins


@dataclass(frozen=True)
class Beside:
    """Data that comes beside what is to be learnt, each a Source or whatever `sources.read` takes.

    old: samples of classes known already, to keep without training on them.
    auxiliary: inputs without labels, for methods that use such.
    """

    old: Any = None
    auxiliary: Any = None


@dataclass(frozen=True)
class Given:
    """What a model folder does not say.

    method: MODULE:CLASS, where the model learns by such.  device: to compute on.
    version: which; None for the current one.
    """

    method: str | None = None
    device: str = "auto"
    version: int | None = None


# -- learning -------------------------------------------------------------------------------------


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
    answer = _plan(folder, Source.of(data), how or How(), beside, None, seconds)
    return answer | {"model": str(folder.path), "seconds": time.perf_counter() - began}


def _learn(
    folder: ModelFolder, source: Source, how: How, beside: Beside, tell: Tell | None
) -> Answer:
    from ..model import update
    from ..model.model import UpdateContext
    from ..storage import ledger
    from .checkpoint import Unfinished

    at_hand = _open(folder, how)
    parent = folder.manifest() if folder.exists() else None
    unfinished = Unfinished(folder.unfinished, parent, tell)
    old = None if beside.old is None else Source.of(beside.old).read()
    chunk = source.read()
    unfinished.recall(chunk)
    fresh = _unlearnt(at_hand, chunk, how)
    if not len(fresh.chunk):
        idle = [] if old is None else ["there was nothing to learn, so --old was passed over."]
        nothing = {"samples": 0, "new_classes": [], "advice": [], "warnings": idle, "resumed": 0}
        return fresh.answer | _state(_known(at_hand), folder.current()) | nothing
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
    try:
        version = commit(folder, model, {"data": ledger.fingerprint(hashes, columns)})
    except KeyboardInterrupt:
        if folder.current() != version:
            raise  # else it came too late: the version is there, only tidying was cut short
    answer = fresh.answer | {"resumed": unfinished.resumed, "bytes": folder.bytes(version)}
    return answer | _state(model, version) | _updated(model, [*at_hand.notes, *unfinished.notes])


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
    from ..model import judge, update

    model = at_hand.model
    if gate is not None and model is not None and judge.recalls(model) is None:
        raise judge.blind()
    model = update.learn(model, at_hand.parameters, incoming, context)
    model.update |= {"report": judge.report(model)}
    if gate is not None:
        judge.gate(model, gate)
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
    given = beside.auxiliary
    return None if given is None else Source.of(given).read(need_labels=False)


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
    fresh = _unlearnt(at_hand, source.read(), how)
    chunk = fresh.chunk
    if beside.old is not None:
        at_hand = _remember(at_hand, Source.of(beside.old).read(), 0)
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
    state = _state(begun, version) | {"classes": [*known, *arriving]}
    planned = {
        "samples": len(chunk),
        "new_classes": arriving,
        "advice": advice,
        "warnings": at_hand.notes,
    }
    return fresh.answer | probed | state | planned | {"dry_run": True}


def _probed(model: "Model", chunk: "Chunk", seconds: float) -> Answer:
    """What a probe of so many seconds found, and the advice that follows from it."""
    from ..model.advice import weak_backbone
    from ..model.backbone_probe import probe

    found = probe(model, chunk, seconds)
    weak = None if found is None else weak_backbone(found)
    return {
        "probe": None if found is None else asdict(found),
        "advice": [] if weak is None else [weak.plain()],
    }


def _open(folder: ModelFolder, how: How) -> AtHand:
    """What there is to go on with."""
    if folder.exists():
        folder.manifest()  # what is wrong with a model is said before anything slow is imported
    from ..model import configure
    from ..storage import ledger

    if not folder.exists():
        return AtHand(None, configure.new(how), ledger.empty(), [])
    stored = folder.read()
    given = Given(how.settings.get("method"), how.settings.get("device", "auto"))
    model, notes = configure.change(restored(stored, given, learning=True), how)
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


def _state(model: "Model", version: int) -> Answer:
    """What every answer about learning says of the model."""
    return {
        "version": version,
        "classes": model.classes.tolist(),
        "method": model.method_name,
        "backbone": model.backbone_name,
        "reason": model.reason,
    }


def _updated(model: "Model", notes: Sequence[str]) -> Answer:
    last = model.update
    warnings = [*notes, *last["warnings"]]
    told = ("new_classes", "samples", "held_back", "advice", "report")
    return {k: last[k] for k in told} | {"warnings": warnings}


def commit(folder: ModelFolder, model: "Model", extra: Answer) -> int:
    """One new version of a model folder that is locked already.  Returns its number."""
    from ..model import serialize

    parts = serialize.parts(model)
    parts["manifest"] |= extra
    return folder.commit(**parts)


def load(folder: ModelFolder, given: Given) -> "Model":
    """The model in a folder, to ask it."""
    folder.manifest(given.version)  # as in `_open`
    return restored(folder.read(given.version, learning=False), given, learning=False)


def restored(stored: Stored, given: Given, learning: bool) -> "Model":
    """The model that was stored.  ModelError: it needs code that is not evergrow's."""
    from ..model import serialize
    from ..nn import devices

    devices.named(given.device)  # raises SettingError where there is no such
    own = given.method if given.method and ":" in given.method else None
    try:
        return serialize.restore(stored, given.device, None, own, learning)
    except SettingError as error:
        raise ModelError(str(error)) from error


# -- asking ---------------------------------------------------------------------------------------


def predict(
    model: str | Path,
    data: Any,
    top: int = 3,
    given: Given = Given(),
) -> Answer:
    """The likeliest labels of each input with their probabilities, best first, at most `top`.

    data: a Source, or whatever `sources.read` takes; labels are not needed.
    """
    folder = ModelFolder(model)
    loaded = load(folder, given)
    chunk = Source.of(data).read(need_labels=False)
    found: list[Answer] = []
    for rows in _blocks(len(chunk)):
        part = chunk.subset(rows)
        shares = loaded.probabilities(loaded.records(part))
        best = (-shares).argsort(axis=1, kind="stable")[:, :top]
        for i, columns in enumerate(best):
            ranked = [[loaded.classes[j].item(), float(shares[i, j])] for j in columns]
            label, probability = ranked[0]
            found.append(
                {"input": part.name(i), "label": label, "probability": probability, "top": ranked}
            )
    skipped = [list(file) for file in chunk.skipped]
    return {
        "predictions": found,
        "version": given.version or folder.current(),
        "skipped": skipped,
    }


def evaluate(model: str | Path, data: Any, given: Given = Given()) -> Answer:
    """Accuracy in [0, 1] on labelled data: overall, old and new, by class; pairs confused most.

    new: classes that the last update brought. Labels that the model does not know count as wrong.
    """
    import numpy as np

    folder = ModelFolder(model)
    loaded = load(folder, given)
    chunk = Source.of(data).read()
    if chunk.labels is None:
        raise DataError("evaluate needs labels: name their column with --label.")
    parts = [loaded.labels(loaded.records(chunk.subset(rows))) for rows in _blocks(len(chunk))]
    labels = np.array([str(label) for label in chunk.labels.tolist()])
    answers = np.array([str(label) for part in parts for label in part.tolist()])
    order = [str(label) for label in loaded.classes.tolist()]
    new = {str(label) for label in loaded.update["new_classes"]}
    present = set(labels.tolist())
    unknown = sorted(present - set(order))
    right = answers == labels
    by_class = {c: right[labels == c] for c in [*order, *unknown] if c in present}
    old = [c for c in order if c not in new]
    return {
        "accuracy": float(right.mean()),
        "samples": len(labels),
        "per_class": {c: float(r.mean()) for c, r in by_class.items()},
        "counts": {c: len(r) for c, r in by_class.items()},
        "old": _share(right[np.isin(labels, old)]),
        "new": _share(right[np.isin(labels, list(new))]),
        "confused": _confused(labels, answers),
        "unknown_classes": unknown,
        "version": given.version or folder.current(),
        "skipped": [list(file) for file in chunk.skipped],
    }


@dataclass(frozen=True)
class Examined:
    """A model asked about labelled samples.  report: as `update_report.report`, of samples it
    knows.

    labels: by column.  unknown: labels that the model does not know, whose samples are passed over.
    """

    report: Answer
    labels: list[str]
    unknown: list[str]
    records: Any
    y: "np.ndarray"
    answers: "np.ndarray"

    def images(self, label: str, predicted: str, most: int) -> list[bytes]:
        """PNG files of samples of one label that got this answer; none where they are no images."""
        import numpy as np
        import torch

        from ..storage.flatten import to_png

        same = (self.y == self.labels.index(label)) & (self.answers == self.labels.index(predicted))
        x = self.records.take(torch.from_numpy(np.flatnonzero(same)[:most]))
        return to_png(x) if x.dtype == torch.uint8 and x.ndim == 4 else []


def examined(folder: ModelFolder, data: Any, given: Given = Given()) -> Examined:
    """Ask a model about labelled samples, and keep what it answered.  Raises DataError."""
    import numpy as np

    from ..model import update_report

    loaded, chunk = load(folder, given), Source.of(data).read()
    if chunk.labels is None:
        raise DataError("samples to judge by need labels: name their column with --label.")
    columns = loaded.columns_of(chunk.labels).numpy()
    unknown = sorted({str(label) for label in chunk.labels[columns < 0].tolist()})
    chunk, y = chunk.subset(np.flatnonzero(columns >= 0)), columns[columns >= 0]
    if not len(y):
        raise DataError("the model knows none of these labels; name data with classes it learnt.")
    shares = np.concatenate(
        [loaded.probabilities(loaded.records(chunk.subset(r))) for r in _blocks(len(y))]
    )
    labels = [str(label) for label in loaded.classes.tolist()]
    judged = update_report.Judged(shares, y, "samples given")
    old = len(loaded.update.get("old_classes", ()))
    report = update_report.report(judged, labels, old, None)
    records = loaded.records(chunk)
    return Examined(report, labels, unknown, records, y, judged.answers)


def _blocks(n: int) -> "list[np.ndarray]":
    import numpy as np

    return [np.arange(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK)]


def _share(right: "np.ndarray") -> Answer:
    return {"accuracy": float(right.mean()) if len(right) else None, "samples": len(right)}


def _confused(given: "np.ndarray", answers: "np.ndarray") -> list[Answer]:
    """The pairs of classes most often taken one for the other, worst first."""
    from collections import Counter

    wrong = given != answers
    pairs = Counter(zip(given[wrong].tolist(), answers[wrong].tolist(), strict=True))
    ranked = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))[:SHOWN]
    return [{"label": g, "predicted": a, "samples": n} for (g, a), n in ranked]


def layers(model: str | Path) -> Answer:
    """How well the features of each layer of the backbone tell the classes apart, left out."""
    from ..model import judge

    folder = ModelFolder(model)
    loaded = restored(folder.read(), Given(), learning=True)
    widths: dict[str, int] = dict(loaded.net.backbone.parts)
    rows = [
        {"layer": name, "features": widths.get(name, loaded.net.width), "recall": recall}
        for name, recall in judge.by_layer(loaded).items()
    ]
    return {"layers": rows, "version": folder.current()}


def show(model: str | Path) -> Answer:
    """What a model knows, how it learns, its versions, its size in bytes. Needs no torch."""
    folder = ModelFolder(model)
    manifest, version = folder.manifest(), folder.current()
    counts = [None if n == 0 else n for n in manifest["counts"]]  # nobody counted what was adopted
    labels = [str(label) for label in manifest["classes"]]
    return {
        "version": version,
        "versions": folder.versions(),
        "classes": manifest["classes"],
        "counts": dict(zip(labels, counts, strict=True)),
        "method": manifest["method"]["name"],
        "method_settings": manifest["method"]["settings"],
        "backbone": manifest["backbone"]["name"],
        "backbone_settings": manifest["backbone"]["settings"],
        "reason": manifest["reason"],
        "input": manifest["prepare"],
        "raw_samples": "memory.parquet" in manifest["files"],
        "bytes": folder.bytes(),
        "version_bytes": folder.bytes(version),
        "history": [_version(folder, number) for number in folder.versions()],
    }


def _version(folder: ModelFolder, number: int) -> Answer:
    """One version in a few words; a damaged one is named, not an error."""
    try:
        manifest = folder.manifest(number)
    except ModelError as error:
        return {"version": number, "fault": str(error)}
    last = manifest["update"] or {}
    return {
        "version": number,
        "parent": manifest["parent"],
        "time": manifest["time"],
        "classes": len(manifest["classes"]),
        "new_classes": last.get("new_classes", []),
        "samples": last.get("samples", 0),
        "seconds": last.get("seconds", 0.0),
        "accuracy": {k: (last.get("report") or {}).get(k) for k in ("old", "new", "all")},
        "method": manifest["method"]["name"],
        "learns_on": not manifest["pruned"],
    }


def rollback(model: str | Path, to: int | None = None) -> Answer:
    """Make an older version the current one, the parent by default. Needs no torch."""
    folder = ModelFolder(model)
    version = folder.rollback(to)
    return {
        "version": version,
        "versions": folder.versions(),
        "classes": folder.manifest(version)["classes"],
    }


def adopt(model: str | Path, weights: str | Path, backbone: str, classes: Any, how: How) -> Answer:
    """Begin a model from a network trained elsewhere: its predictions are the network's own.

    weights: .safetensors, or .pt with tensors alone.  classes: labels in the order of the outputs,
    or a text file with one a line.  Raises ModelError if there is a model already.
    """
    from ..model import configure
    from ..storage import ledger

    began, folder = time.perf_counter(), ModelFolder(model)
    with folder.writer():
        if folder.exists():
            raise ModelError(
                f"{folder.path} holds a model already; name a folder that does not exist."
            )
        adopted = configure.adopted(Path(weights), backbone, classes, how)
        adopted.ledger = ledger.empty()
        version = commit(folder, adopted, {"data": ""})
    new = adopted.classes.tolist()
    answer = _state(adopted, version) | {
        "model": str(folder.path),
        "new_classes": new,
        "samples": 0,
    }
    return answer | {"adopted": True, "seconds": time.perf_counter() - began}


def check(method: str) -> Answer:
    """Run the contract of `checks.py` on a method, named MODULE:CLASS.  Raises ContractError."""
    from .. import methods
    from ..checks import check_method

    made = methods.get(method)
    check_method(made)
    return {"method": methods.name_of(made), "passed": True}
