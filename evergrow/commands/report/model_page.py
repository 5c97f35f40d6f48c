"""The report of a model folder: what each update did, what is confused, what it cost."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...formatting import listed, percent, points, size
from ...model.recall_history import in_words
from .. import versions
from . import charts, history
from .history import History
from .html import Page, Pair, Section, Table, embedded

if TYPE_CHECKING:
    from ..evaluate import Examined

PAIRS, IMAGES = 6, 4  # worst pairs shown, images of each class
CELLS = 40  # classes in a confusion matrix at most: those that are confused most
NEVER = "nothing was judged: samples were not held back (--validation 0), or none were learnt."


def page(
    place: Path,
    past: History,
    shown: Mapping[str, Any],
    images: Mapping[int, Sequence[bytes]],
    judged: "Examined | None" = None,
) -> Page:
    """What the versions of a model tell, and what samples of the user's say of the current one.

    place: its folder, in words; nothing is read there.  shown: the answer of `versions.show`.
    images: PNG files of raw samples by column.  judged: the answer of `evaluate.examined`.
    """
    last, report = past.last, past.reports[-1]
    tiles = [
        ("classes", f"{len(last['classes']):,}"),
        ("samples learnt", f"{sum(last['counts']):,}"),
        ("mean recall", _with_margin(report, "all")),
        ("of old classes", _with_margin(report, "old")),
        ("of these when learnt", percent(report.get("old_first"))),
        ("of these at best", percent(report.get("old_best"))),
        ("of new classes", _with_margin(report, "new")),
        ("calibration error", percent((report.get("calibration") or {}).get("error"))),
        ("on disk", size(shown["bytes"])),
    ]
    sections = [
        _advice(past),
        _over_updates(past),
        _tested(judged) if judged is not None else None,
        _confused(past, images),
        _classes(past),
        _calibrated(report),
        _costs(past),
        _versions(place, shown),
    ]
    learns = f"{last['method']['name']} on {last['backbone']['name']}: {last['reason']}"
    title = f"{place.resolve().name}, version {last['version']}"
    return Page(title, f"{learns}. Written {last['time']}.", tiles, [s for s in sections if s])


def _with_margin(report: Mapping[str, Any], key: str) -> str:
    if report.get(key) is None:
        return "-"
    return f"{percent(report[key])} ± {points(report['margins'][key])}"


def _advice(past: History) -> Section | None:
    points = []
    for name, last in zip(past.names, past.updates, strict=True):
        texts = [_told(advice) for advice in last.get("advice") or []]
        points += [f"{name}: {text}" for text in dict.fromkeys([*texts, *last.get("warnings", [])])]
    note = "What was said before and after each update."
    return Section("Advice", note, points=points) if points else None


def _told(advice: Mapping[str, Any]) -> str:
    helps = "; ".join(advice.get("remedies") or [])
    return str(advice["text"]) + (f" What helps: {helps}." if helps else "")


def _over_updates(past: History) -> Section:
    by = next((r["by"] for r in reversed(past.reports) if r), None)
    if by is None:
        return Section("Accuracy over updates", NEVER)
    series = {f"{key} classes": past.figures(key) for key in ("old", "new", "all")}
    margins = {f"{key} classes": past.margins(key) for key in ("old", "new", "all")}
    line = charts.lines("Mean recall, 95 % intervals", ("version", ""), past.names, series, margins)
    born = [f"born in {name}" for name in past.groups]
    matrix = charts.heat(
        "Accuracy matrix: classes by the update that brought them",
        ("", "after"),
        born,
        past.names,
        past.matrix(),
    )
    return Section("Accuracy over updates", f"Judged by {by}.", [line, matrix])


def _confused(past: History, by_column: Mapping[int, Sequence[bytes]]) -> Section | None:
    report = past.reports[-1]
    if not report.get("confusion"):
        return None
    labels = [str(label) for label in past.last["classes"]]
    images = {labels[j]: [embedded(png) for png in files] for j, files in by_column.items()}
    note = f"Of {report['samples']:,} {report['by']}."
    matrix = confusion_matrix(report["confusion"], labels)
    worst = history.worst_pairs(report["confusion"], PAIRS)
    if not images:
        note += " No images lie in the folder; --data FOLDER shows those of your own that go wrong."
        rows = [[a, b, f"{n} of {report['judged'][a]}"] for a, b, n in worst]
        table = Table(["label", "taken for", "samples"], rows, (2,)) if rows else None
        return Section("Confusion", note, [matrix], table)
    pairs = [
        Pair(
            a, b, f"{n} of {report['judged'][a]}", [(a, images.get(a, [])), (b, images.get(b, []))]
        )
        for a, b, n in worst
    ]
    return Section("Confusion", note, [matrix], pairs=pairs)


def confusion_matrix(confusion: Sequence[Sequence[Any]], labels: Sequence[str]) -> Any:
    """A heat map of all classes, or of those confused most where there are many."""
    title, shown = "Confusion", list(labels)
    if len(shown) > CELLS:
        pairs = history.worst_pairs(confusion, len(confusion))
        mixed = list(dict.fromkeys(label for a, b, _ in pairs for label in (a, b)))[:CELLS]
        shown = [label for label in labels if label in mixed]
        title = f"Confusion: the {len(shown)} of {len(labels)} classes confused most"
    return charts.heat(
        title, ("predicted", "label"), shown, shown, history.shares(confusion, shown)
    )


def _classes(past: History) -> Section | None:
    labels = [str(label) for label in past.last["classes"]]
    counts = past.last["counts"]
    rows = past.by_class()
    if not any(value is not None for row in rows for value in row):
        return None
    heat = charts.heat("Recall of each class", ("after", ""), past.names, labels, rows)
    header = ["class", "recall", "before", "when learnt", "at best", "learnt", "judged"]
    report = past.reports[-1]
    columns = [report.get(key) or {} for key in ("per_class", "before", "first", "best")]
    now, _, _, best = columns
    drops = {label: best.get(label, 0.0) - (now.get(label) or 0.0) for label in labels}
    judged = report.get("judged") or {}
    table = [
        [label, *(percent(column.get(label)) for column in columns), f"{n:,}", judged.get(label, 0)]
        for label, n in sorted(zip(labels, counts, strict=True), key=lambda pair: -drops[pair[0]])
    ]
    told = [in_words(entry, report) for entry in report.get("fallen") or []]
    note = "Furthest below their best first." if told else ""
    return Section("Classes", note, [heat], Table(header, table, (1, 2, 3, 4, 5, 6)), points=told)


def _calibrated(report: Mapping[str, Any]) -> Section | None:
    calibration = report.get("calibration")
    if not calibration:
        return None
    note = f"Probabilities are off by {points(calibration['error'])} points on average."
    return Section(
        "Calibration", note, [charts.calibration_curves({"this version": calibration["bins"]})]
    )


def _costs(past: History) -> Section:
    seconds = {"seconds": [u.get("seconds", 0.0) for u in past.updates]}
    samples = {"samples": [u.get("samples", 0) for u in past.updates]}
    megabytes = {"megabytes": [count / 1e6 for count in past.sizes]}
    figures = [
        charts.bars("Seconds to learn", ("version", "s"), past.names, seconds),
        charts.bars("Samples", ("version", ""), past.names, samples),
        charts.bars("Bytes of the version", ("version", "MB"), past.names, megabytes),
    ]
    return Section("What each update cost", "", figures)


def _versions(place: Path, shown: Mapping[str, Any]) -> Section:
    header = ["version", "time", "samples", "classes", "new", "old recall", "recall", "method"]
    version = shown["version"]
    rows = [versions.row(entry, version, header, " (current)", 8) for entry in shown["history"]]
    note = f"evergrow rollback {place} --to N makes any of them the current one."
    return Section("Versions", note, table=Table(header, rows, (2, 3, 5, 6)))


def _tested(examined: "Examined") -> Section:
    """Samples of the user's own, judged by the current version; images of what goes wrong."""
    report, labels = examined.report, examined.labels
    text = f"{report['samples']:,} samples, mean recall {_with_margin(report, 'all')}."
    if examined.unknown:
        text += f" Passed over, since the model does not know them: {listed(examined.unknown)}."
    pairs = []
    for a, b, n in history.worst_pairs(report["confusion"], PAIRS):
        wrong = [embedded(png) for png in examined.images(a, b, IMAGES)]
        right = [embedded(png) for png in examined.images(b, b, IMAGES)]
        shown = [(f"{a}, taken for {b}", wrong), (f"{b}, rightly", right)]
        pairs.append(Pair(a, b, f"{n} of {report['judged'][a]}", shown))
    figures = [
        confusion_matrix(report["confusion"], labels),
        charts.calibration_curves({"these samples": report["calibration"]["bins"]}),
    ]
    return Section("On your samples", text, figures, pairs=pairs)
