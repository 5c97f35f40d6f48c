"""A classifier led through a scenario: what it could do after each task, and what that took."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch

from ..data import preprocess
from ..model import recall, serialize
from ..model.calibration import calibration
from ..model.classifier import GrowingClassifier
from ..storage.plain_json import plain
from . import accuracy_matrix, resource_usage
from .benchmark_data import BenchmarkData
from .corruptions import under
from .task_streams import Scenario, by_domain, cut, hold_out

DIVERGED = "probabilities are not numbers: training diverged; take a smaller learning rate."
Share = Callable[[float], None]  # is told what share of the way is done, in [0, 1]


@dataclass(frozen=True)
class Stream:
    """Data and the scenario that it is cut into: all there is to learn and to be asked about."""

    scenario: Scenario
    data: BenchmarkData

    def asked(self) -> np.ndarray:
        """(m,) test rows that some task answers for, in the order of the tasks."""
        return np.concatenate(self.scenario.test)


@dataclass
class Notes:
    """What was measured on the way.  seconds: of learning, the first answer after it included."""

    matrix: np.ndarray
    seconds: float = 0.0
    warnings: dict[str, None] = field(default_factory=dict)  # each once, in their order
    advice: list[Any] = field(default_factory=list)


def stream(data: BenchmarkData, how: Any, seed: int) -> Stream:
    """The data cut for a seed, which holds a share out for testing where no test part is given.

    how: a `scenarios.Cut`.  Raises DataError where the data cannot be cut like that.
    """
    train, test, domains = data.train, data.test, (data.domains, data.test_domains)
    if test is None:
        learn, held = hold_out(_kinds(data), how.test_share, seed)
        train, test = data.train.subset(learn), data.train.subset(held)
        domains = (
            (None, None) if data.domains is None else (data.domains[learn], data.domains[held])
        )
    if data.domains is None:
        scenario = cut(train.labels, test.labels, how, seed)
    else:
        scenario = by_domain(train.labels, domains, how, seed)
    if scenario.conditions:
        train = under(train, scenario.train, scenario.conditions)
        test = under(test, scenario.test, scenario.conditions)
    return Stream(scenario, BenchmarkData(train, test))


def _kinds(data: BenchmarkData) -> np.ndarray:
    """(n,) what the same share is held out of: each class, or each class of each domain."""
    assert data.train.labels is not None
    if data.domains is None:
        return data.train.labels
    pairs = zip(data.train.labels.tolist(), data.domains.tolist(), strict=True)
    return np.array([f"{label} in {domain}" for label, domain in pairs], dtype=object)


def decode_ahead(stream: Stream, form: dict[str, Any]) -> None:
    """Decode all images that may be kept in memory, so that no method's seconds count it.

    form: what they are brought to (`GrowingClassifier.prepare_`).
    """
    for chunk in (stream.data.train, stream.data.test):
        assert chunk is not None
        if chunk.kind == "text":
            continue
        records = preprocess.Prepared(chunk, form)
        if records.kept is not None:
            for rows in torch.arange(len(chunk)).split(256):
                records.take(rows)


def learn_stream(
    model: GrowingClassifier, stream: Stream, share: Share = lambda _: None
) -> dict[str, Any]:
    """Let the model learn all tasks; accuracies after each, answers at the end, time and memory.

    A test sample of a class that the model has not met is wrong, unasked. Returns the part of a row
    of `bench` that is measured, as plain JSON.
    """
    resource_usage.begin_peak()
    tasks = len(stream.scenario)
    notes = Notes(np.full((tasks, tasks), np.nan))
    for task in range(tasks):
        _learn(model, stream, task, notes, share)
        if task < tasks - 1:
            notes.matrix[task] = _row(stream, _right(model, stream))
    probabilities, answers = _answers(model, stream)
    if np.isnan(probabilities).any():
        notes.warnings[DIVERGED] = None
    rows = stream.asked()
    assert stream.data.test is not None and stream.data.test.labels is not None
    labels = stream.data.test.labels[rows]
    right = np.zeros(len(stream.data.test), bool)
    right[rows] = answers == labels
    notes.matrix[-1] = _row(stream, right)
    return _measured(model, stream, notes) | _asked(labels, answers, probabilities)


def _learn(model: GrowingClassifier, stream: Stream, task: int, notes: Notes, share: Share) -> None:
    arrivals, train = stream.scenario.arrivals(task), stream.data.train
    for i, rows in enumerate(arrivals):
        began = time.perf_counter()
        model.partial_fit(train.subset(rows))
        notes.seconds += time.perf_counter() - began
        notes.warnings.update(dict.fromkeys(model.update_["warnings"]))
        notes.advice += [a for a in model.update_.get("advice", []) if a not in notes.advice]
        share((task + (i + 1) / len(arrivals)) / len(stream.scenario))
    began = time.perf_counter()
    model.predict(train.subset(arrivals[-1][:1]))  # what was put off until asked is done now
    notes.seconds += time.perf_counter() - began


def _right(model: GrowingClassifier, stream: Stream) -> np.ndarray:
    """(m,) whether each test sample is answered right by the model as it is now."""
    test = stream.data.test
    assert test is not None and test.labels is not None
    right = np.zeros(len(test), bool)
    rows = stream.asked()
    known = rows[np.isin(test.labels[rows].tolist(), model.classes_.tolist())]
    if len(known):
        right[known] = model.predict(test.subset(known)) == test.labels[known]
    return right


def _row(stream: Stream, right: np.ndarray) -> list[float]:
    """Accuracy on the test samples of each task; NaN where a task has none."""
    return [float(right[rows].mean()) if len(rows) else np.nan for rows in stream.scenario.test]


def _answers(model: GrowingClassifier, stream: Stream) -> tuple[np.ndarray, np.ndarray]:
    """(m,) probability of each answer, and the (m,) answers, to all that is asked."""
    assert stream.data.test is not None
    shares = model.predict_proba(stream.data.test.subset(stream.asked()))
    return shares.max(1), model.classes_[shares.argmax(1)]


def _measured(model: GrowingClassifier, stream: Stream, notes: Notes) -> dict[str, Any]:
    """What the matrix says, and what it took."""
    taught = [label for classes in stream.scenario.classes for label in classes]
    shared = len(set(taught)) < len(taught)  # tasks have classes in common
    untaught = 1 / len(model.classes_) if shared else 0.0
    summary = accuracy_matrix.summary(notes.matrix, stream.scenario.sizes, untaught)
    return {
        **plain(asdict(summary)),
        "seconds": notes.seconds,
        "peak_bytes": resource_usage.peak_memory(),
        "bytes_kept": resource_usage.bytes_kept(serialize.parts(model.model)),
        "matrix": plain(notes.matrix),
        "sizes": stream.scenario.sizes,
        "warnings": list(notes.warnings),
        "advice": notes.advice,
    }


def _asked(labels: np.ndarray, answers: np.ndarray, probabilities: np.ndarray) -> dict[str, Any]:
    """What the answers at the end say."""
    recalls = recall.per_class(labels, answers)
    error, bins = calibration(probabilities, answers == labels)
    return {
        "mean_recall": plain(recall.mean_recall(recalls)),
        "calibration_error": plain(error),
        "per_class": recalls,
        "calibration": [list(cells) for cells in bins],
        "confusion": [list(cells) for cells in recall.confusion(labels, answers)],
    }
