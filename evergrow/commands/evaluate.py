"""A model judged by labelled samples of the user's own."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.source import Source
from ..errors import DataError
from ..storage.model_folder import ModelFolder
from . import preflight
from .open_model import CURRENT, Answer, OpenOptions, load, of_model
from .predict import blocks

if TYPE_CHECKING:
    import numpy as np

PAIRS_SHOWN = 10  # pairs of classes confused most


def evaluate(model: str | Path, data: Any, options: OpenOptions = CURRENT) -> Answer:
    """Accuracy in [0, 1] on labelled data: overall, old and new, by class; pairs confused most.

    new: classes that the last update brought. Labels that the model does not know count as wrong.
    """
    import numpy as np

    folder = ModelFolder(model)
    preflight.check_paths([data])
    loaded = load(folder, options)
    chunk = of_model(Source.of(data), loaded).read()
    if chunk.labels is None:
        raise DataError("evaluate needs labels: name their column with --label.")
    parts = [loaded.labels(loaded.records(chunk.subset(rows))) for rows in blocks(len(chunk))]
    columns = loaded.columns_of(chunk.labels).tolist()
    written = map(str, chunk.labels.tolist())
    answers = np.array([str(label) for part in parts for label in part.tolist()])
    order = loaded.class_names
    pairs = zip(columns, written, strict=True)
    labels = np.array([order[j] if j >= 0 else label for j, label in pairs])
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
        "version": options.version or folder.current(),
        "skipped": [list(file) for file in chunk.skipped],
        "warnings": [*chunk.notes, *loaded.unlike(chunk)],
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


def examined(folder: ModelFolder, data: Any, options: OpenOptions = CURRENT) -> Examined:
    """Ask a model about labelled samples, and keep what it answered.  Raises DataError."""
    import numpy as np

    from ..model import update_report

    loaded = load(folder, options)
    chunk = of_model(Source.of(data), loaded).read()
    if chunk.labels is None:
        raise DataError("samples to judge by need labels: name their column with --label.")
    columns = loaded.columns_of(chunk.labels).numpy()
    unknown = sorted({str(label) for label in chunk.labels[columns < 0].tolist()})
    chunk, y = chunk.subset(np.flatnonzero(columns >= 0)), columns[columns >= 0]
    if not len(y):
        raise DataError("the model knows none of these labels; name data with classes it learnt.")
    shares = np.concatenate(
        [loaded.probabilities(loaded.records(chunk.subset(r))) for r in blocks(len(y))]
    )
    labels = loaded.class_names
    judged = update_report.HeldOutAnswers(shares, y, "samples given")
    old = len(loaded.update.get("old_classes", ()))
    report = update_report.report(judged, labels, old, None)
    records = loaded.records(chunk)
    return Examined(report, labels, unknown, records, y, judged.answers)


def _share(right: "np.ndarray") -> Answer:
    return {"accuracy": float(right.mean()) if len(right) else None, "samples": len(right)}


def _confused(labels: "np.ndarray", answers: "np.ndarray") -> list[Answer]:
    """The pairs of classes most often taken one for the other, worst first."""
    from collections import Counter

    wrong = labels != answers
    pairs = Counter(zip(labels[wrong].tolist(), answers[wrong].tolist(), strict=True))
    ranked = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))[:PAIRS_SHOWN]
    return [{"label": g, "predicted": a, "samples": n} for (g, a), n in ranked]
