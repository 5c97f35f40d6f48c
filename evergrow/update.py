"""A model on disk: one call for each thing done to it; answers are dicts, as --json prints them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import DataError, ModelError, SettingError
from .options import How
from .store import ModelFolder, Stored

if TYPE_CHECKING:
    import numpy as np

    from .classifier import GrowingClassifier
    from .sources import Chunk

SHOWN = 10  # pairs of classes confused most
BLOCK = 4096  # samples predicted at a time
Answer = dict[str, Any]
Tell = Callable[[list[Answer]], None]  # is given advice before training begins


@dataclass(frozen=True)
class Source:
    """Where data is: whatever `sources.read` takes, and how to read it.

    label, text: column or key of the labels, of the texts.  skip_bad: pass over unreadable files.
    """

    data: Any
    label: str | None = None
    text: str | None = None
    skip_bad: bool = False

    def read(self, need_labels: bool = True) -> "Chunk":
        """The data.  Raises DataError; BadFilesError lists all files that cannot be read."""
        from . import sources

        return sources.read(
            self.data,
            label=self.label,
            text=self.text,
            skip_bad=self.skip_bad,
            need_labels=need_labels,
        )


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
    classes is in "report" (`outcome.report`).  tell: is given the advice before training begins.
    Raises DataError, SettingError, ModelError, GateError: then the model is as it was.
    """
    began, folder, how = time.perf_counter(), ModelFolder(model), how or How()
    source = _source(data)
    if how.dry_run:
        answer = _plan(folder, source, how, beside, tell)
    else:
        with folder.writer():
            answer = _learn(folder, source, how, beside, tell)
    return answer | {"model": str(folder.path), "seconds": time.perf_counter() - began}


def _source(data: Any) -> Source:
    return data if isinstance(data, Source) else Source(data)


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
    answer = _plan(folder, _source(data), how or How(), beside, None, seconds)
    return answer | {"model": str(folder.path), "seconds": time.perf_counter() - began}


def _learn(
    folder: ModelFolder, source: Source, how: How, beside: Beside, tell: Tell | None
) -> Answer:
    from . import ledger
    from .resume import Unfinished

    clf, past, notes = _open(folder, how)
    parent = folder.manifest() if folder.exists() else None
    unfinished = Unfinished(folder.unfinished, parent, tell)
    old = None if beside.old is None else _source(beside.old).read()
    chunk = source.read()
    unfinished.recall(chunk)
    chunk, found, answer = _unlearnt(clf, past, chunk, how)
    if not len(chunk):
        idle = [] if old is None else ["there was nothing to learn, so --old was passed over."]
        nothing = {"samples": 0, "new_classes": [], "advice": [], "warnings": idle, "resumed": 0}
        return answer | _state(clf, folder.current()) | nothing
    private = how.keep_no_samples or bool(parent and parent.get("keep_no_samples"))
    if private:
        _keeps_none(clf)
    clf._carried = {"ledger": past, "keep_no_samples": private}
    version = max(folder.versions(), default=0) + 1
    if old is not None:
        past = _remember(clf, past, old, version)
    clf._tell = tell
    if beside == Beside():
        clf._checkpoints = unfinished.of(clf, chunk)
    try:
        _teach(clf, chunk, how.gate, _unlabelled(beside))
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(unfinished.stopped()) from stop
    found = ledger.hashes(clf._checked(chunk)) if found is None else found
    columns = _columns(clf, chunk)
    learnt = ledger.add(past, found, columns, version)
    extra = {"keep_no_samples": private, "data": ledger.fingerprint(found, columns)}
    try:
        version = commit(folder, clf, learnt, extra)
    except KeyboardInterrupt:
        if folder.current() != version:
            raise  # else it came too late: the version is there, only tidying was cut short
    answer |= {"resumed": unfinished.resumed, "bytes": folder.bytes(version)}
    return answer | _state(clf, version) | _updated(clf, [*notes, *unfinished.notes])


def _teach(
    clf: "GrowingClassifier", chunk: "Chunk", gate: float | None, auxiliary: "Chunk | None"
) -> None:
    """Learn, and judge what that did.  gate: points that old classes may lose, or GateError."""
    from . import judging

    known = len(getattr(clf, "classes_", ()))
    if gate is not None and known and judging.recalls(clf) is None:
        raise judging.blind()
    clf.partial_fit(chunk, auxiliary=auxiliary)
    clf.update_ |= {"report": judging.report(clf)}
    if gate is not None:
        judging.gate(clf, gate)


def _remember(clf: "GrowingClassifier", past: Any, old: "Chunk", version: int) -> Any:
    """Give old samples that are not known yet to the memory.  Returns the ledger with them."""
    from . import ledger

    if not hasattr(clf, "classes_"):
        raise DataError(
            "--old takes samples of classes that the model knows, and it knows none yet: "
            "learn them as DATA."
        )
    clf._fit_in(old)
    found, columns = ledger.hashes(clf._checked(old)), _columns(clf, old)
    rows = ledger.unlearnt(past, found, columns)
    if len(rows):
        clf.remember(old.subset(rows))
    return ledger.add(past, found[rows], columns[rows], version)


def _unlabelled(beside: Beside) -> "Chunk | None":
    given = beside.auxiliary
    return None if given is None else _source(given).read(need_labels=False)


def _plan(
    folder: ModelFolder,
    source: Source,
    how: How,
    beside: Beside,
    tell: Tell | None = None,
    seconds: float = 0,
) -> Answer:
    """What `learn` would do, and what to expect of it; nothing on disk is changed."""
    clf, past, notes = _open(folder, how)
    known = clf.classes_.tolist() if hasattr(clf, "classes_") else []
    chunk, _, answer = _unlearnt(clf, past, source.read(), how)
    if beside.old is not None:
        _remember(clf, past, _source(beside.old).read(), 0)
    if known:
        clf._checked(chunk)
    else:
        clf._start(chunk)
    advice = clf.advise(chunk, auxiliary=_unlabelled(beside)) if len(chunk) else []
    if seconds > 0 and len(chunk):
        probed = _probed(clf, chunk, seconds)
        advice += probed["advice"]
        answer["probe"] = probed["probe"]
    if tell is not None:
        tell(advice)
    labels = chunk.labels if len(chunk) else None
    arriving = [] if labels is None else clf._labels(labels, None)[len(known) :].tolist()
    state = _state(clf, folder.current() if known else 0) | {"classes": [*known, *arriving]}
    planned = {"samples": len(chunk), "new_classes": arriving, "advice": advice, "warnings": notes}
    return answer | state | planned | {"dry_run": True}


def _probed(clf: "GrowingClassifier", chunk: "Chunk", seconds: float) -> Answer:
    """What a probe of so many seconds found, and the advice that follows from it."""
    from .advice import weak_backbone
    from .trial import probe

    found = probe(clf, chunk, seconds)
    weak = None if found is None else weak_backbone(found)
    return {
        "probe": None if found is None else asdict(found),
        "advice": [] if weak is None else [weak.plain()],
    }


def _open(folder: ModelFolder, how: How) -> "tuple[GrowingClassifier, Any, list[str]]":
    """The classifier to go on with, what it has learnt, and what its user should know."""
    if folder.exists():
        folder.manifest()  # what is wrong with a model is said before anything slow is imported
    from . import configure, ledger

    if not folder.exists():
        return configure.new(how), ledger.empty(), []
    stored = folder.read()
    given = Given(how.settings.get("method"), how.settings.get("device", "auto"))
    clf = restored(stored, given, learning=True)
    notes = configure.change(clf, how)
    return clf, ledger.empty() if stored.ledger is None else stored.ledger, notes


def _unlearnt(
    clf: "GrowingClassifier", past: Any, chunk: "Chunk", how: How
) -> "tuple[Chunk, np.ndarray | None, Answer]":
    """What is to be learnt, its content hashes if they were needed, and counts of what is not."""
    from . import ledger

    total, found = len(chunk), None
    if len(past) and not how.again:
        found = ledger.hashes(clf._checked(chunk))
        rows = ledger.unlearnt(past, found, _columns(clf, chunk))
        chunk, found = chunk.subset(rows), found[rows]
    skipped = [list(file) for file in chunk.skipped]
    return chunk, found, {"passed_over": total - len(chunk), "skipped": skipped}


def _columns(clf: "GrowingClassifier", chunk: "Chunk") -> "np.ndarray":
    """(n,) columns, -1 for labels that the model does not know; none where there are no labels."""
    import numpy as np

    return np.array([], np.int64) if chunk.labels is None else clf._columns(chunk.labels).numpy()


def _keeps_none(clf: "GrowingClassifier") -> None:
    """Refuse a method that is known to keep raw samples, before it learns."""
    from . import methods, saving

    name = getattr(clf, "method_", clf.method)
    name = name if isinstance(name, str) else methods.name_of(name)
    keeps = next((e.keeps for e in methods.ENTRIES if e.name == name), "")
    if "images" in keeps:
        raise saving.keeps_raw(name)


def _state(clf: "GrowingClassifier", version: int) -> Answer:
    """What every answer about learning says of the model."""
    return {
        "version": version,
        "classes": clf.classes_.tolist() if hasattr(clf, "classes_") else [],
        "method": clf.method_,
        "backbone": clf.backbone_,
        "reason": clf.reason_,
    }


def _updated(clf: "GrowingClassifier", notes: Sequence[str]) -> Answer:
    last = clf.update_
    warnings = [*notes, *last["warnings"]]
    told = ("new_classes", "samples", "held_back", "advice", "report")
    return {k: last[k] for k in told} | {"warnings": warnings}


def commit(folder: ModelFolder, clf: "GrowingClassifier", ledger: Any, extra: Answer) -> int:
    """One new version of a model folder that is locked already.  Returns its number."""
    from . import saving

    clf._carried = {"ledger": ledger, "keep_no_samples": extra["keep_no_samples"]}
    parts = saving.parts(clf)
    parts["manifest"] |= extra
    return folder.commit(**parts)


def load(folder: ModelFolder, given: Given) -> "GrowingClassifier":
    """The classifier in a folder, to ask it."""
    folder.manifest(given.version)  # as in `_open`
    return restored(folder.read(given.version, learning=False), given, learning=False)


def restored(stored: Stored, given: Given, learning: bool) -> "GrowingClassifier":
    """A classifier from what was stored.  ModelError: it needs code that is not evergrow's."""
    from . import classifier, saving

    classifier._device(given.device)  # raises SettingError where there is no such
    stored.manifest["parameters"]["device"] = given.device  # of this machine, not of the model
    own = given.method if given.method and ":" in given.method else None
    try:
        return saving.restore(classifier.GrowingClassifier, stored, None, own, learning)
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
    clf = load(folder, given)
    chunk = _source(data).read(need_labels=False)
    found: list[Answer] = []
    for rows in _blocks(len(chunk)):
        part = chunk.subset(rows)
        shares = clf.predict_proba(part)
        best = (-shares).argsort(axis=1, kind="stable")[:, :top]
        for i, columns in enumerate(best):
            ranked = [[clf.classes_[j].item(), float(shares[i, j])] for j in columns]
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
    clf = load(folder, given)
    chunk = _source(data).read()
    if chunk.labels is None:
        raise DataError("evaluate needs labels: name their column with --label.")
    parts = [clf.predict(chunk.subset(rows)) for rows in _blocks(len(chunk))]
    labels = np.array([str(label) for label in chunk.labels.tolist()])
    answers = np.array([str(label) for part in parts for label in part.tolist()])
    order = [str(label) for label in clf.classes_.tolist()]
    new = {str(label) for label in clf.update_["new_classes"]}
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
    """A model asked about labelled samples.  report: as `outcome.report`, of samples it knows.

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

        from .state import to_png

        same = (self.y == self.labels.index(label)) & (self.answers == self.labels.index(predicted))
        x = self.records.take(torch.from_numpy(np.flatnonzero(same)[:most]))
        return to_png(x) if x.dtype == torch.uint8 and x.ndim == 4 else []


def examined(folder: ModelFolder, data: Any, given: Given = Given()) -> Examined:
    """Ask a model about labelled samples, and keep what it answered.  Raises DataError."""
    import numpy as np

    from . import outcome

    clf, chunk = load(folder, given), _source(data).read()
    if chunk.labels is None:
        raise DataError("samples to judge by need labels: name their column with --label.")
    columns = _columns(clf, chunk)
    unknown = sorted({str(label) for label in chunk.labels[columns < 0].tolist()})
    chunk, y = chunk.subset(np.flatnonzero(columns >= 0)), columns[columns >= 0]
    if not len(y):
        raise DataError("the model knows none of these labels; name data with classes it learnt.")
    shares = np.concatenate([clf.predict_proba(chunk.subset(r)) for r in _blocks(len(y))])
    labels = [str(label) for label in clf.classes_.tolist()]
    judged = outcome.Judged(shares, y, "samples given")
    old = len(clf.update_.get("old_classes", ()))
    report = outcome.report(judged, labels, old, None)
    records = clf._checked(chunk)
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
    folder = ModelFolder(model)
    clf = restored(folder.read(), Given(), learning=True)
    widths: dict[str, int] = dict(getattr(clf.net_.backbone, "parts", ()))
    rows = [
        {"layer": name, "features": widths.get(name, clf.net_.width), "recall": recall}
        for name, recall in clf.layer_scores().items()
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
    from . import configure, ledger

    began, folder = time.perf_counter(), ModelFolder(model)
    with folder.writer():
        if folder.exists():
            raise ModelError(
                f"{folder.path} holds a model already; name a folder that does not exist."
            )
        clf = configure.adopted(Path(weights), backbone, classes, how)
        version = commit(folder, clf, ledger.empty(), {"keep_no_samples": False, "data": ""})
    new = clf.classes_.tolist()
    answer = _state(clf, version) | {"model": str(folder.path), "new_classes": new, "samples": 0}
    return answer | {"adopted": True, "seconds": time.perf_counter() - began}


def check(method: str) -> Answer:
    """Run the contract of `checks.py` on a method, named MODULE:CLASS.  Raises ContractError."""
    from . import methods
    from .checks import check_method

    made = methods.get(method)
    check_method(made)
    return {"method": methods.name_of(made), "passed": True}
