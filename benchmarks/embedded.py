"""Methods side by side on features computed once, as if their network were the model's own.

A course is a stream of tasks over several class orders, each with a split of its own. Methods that
train learn the head alone, 20 epochs a task, at the learning rate that is best on a tenth of each
class's training samples of the first order, held back from the whole stream. Beside them stands
scikit-learn's logistic regression, fitted on the last layer's features of all classes at once, its
C chosen by cross-validation on them.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
from common import read_rows, write_rows
from sklearn.base import BaseEstimator
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GridSearchCV

from evergrow import GrowingClassifier, methods
from evergrow.backbones.identity import Flatten, Nothing
from evergrow.bench.task_streams import hold_out
from evergrow.data import read

LAST = ", last layer"  # ends the name of a row that reads the last layer alone
CLOSED = ("ncm", "lda", "ridge")
TRAINED = {"finetune": {}, "er": {"memory": 20}, "joint": {}}  # memory: samples a class
REGRESSION = "logistic regression, all at once"
ROWS = ("ours (auto)", *CLOSED, *(name + LAST for name in CLOSED), *TRAINED, REGRESSION)
EPOCHS, HELD = 20, 0.1


@dataclass(frozen=True)
class Course:
    """x, y: (n, width) features and n labels.  last: columns of the last layer, the first ones.

    scale: that makes integers of features; None: the first task fixes it.  each: classes a task.
    orders: of each, rows to learn, rows held out, classes as they arrive.  rates: learning rates
    tried.  regression: and its grid of settings, folds of its cross-validation.
    """

    x: np.ndarray
    y: np.ndarray
    last: int
    scale: float | None
    each: int
    orders: list[tuple[np.ndarray, np.ndarray, np.ndarray]]
    regression: BaseEstimator
    grid: dict[str, list[float]]
    folds: int
    rates: tuple[float, ...]
    chosen: dict[str, float] = field(default_factory=dict)  # learning rate of a row

    def rate(self, row: str) -> float:
        """The learning rate of a row, best on training samples held back."""
        if row not in self.chosen:
            fit, _, classes = self.orders[0]
            _, at = hold_out(self.y[fit], HELD, 0)
            learn = np.setdiff1d(fit, fit[at])
            part = learn, fit[at], classes
            # joint begins anew at each task, and what it comes to after the last is all that counts
            how = replace(self, each=len(classes)) if row == "joint" else self
            found = {lr: grown(row, how, part, 0, lr)["last"] for lr in self.rates}
            self.chosen[row] = max(found, key=lambda lr: found[lr])
        return self.chosen[row]


@dataclass
class Cached(Nothing):
    """Features that were computed already, on the scale that makes integers of their network's."""

    reads: ClassVar = ("tensor",)
    width: int = 0
    scale: float | None = None

    def build(self, prepared, rng):
        return Flatten(self.width, self.scale)


def classifier(row: str, course: Course, width: int, seed: int, lr: float | None):
    """A model of a row that has learnt nothing."""
    name, backbone = row.removesuffix(LAST), Cached(width, course.scale)
    if lr is None:
        return GrowingClassifier(backbone, "auto" if name == "ours (auto)" else name)
    settings = {key: n * len(np.unique(course.y)) for key, n in TRAINED[name].items()}
    training = {"epochs": EPOCHS, "lr": lr, "freeze": True, "random_state": seed}
    return GrowingClassifier(backbone, methods.get(name, **settings), **training)


def grown(row: str, course: Course, part, seed: int, lr: float | None = None) -> dict[str, object]:
    """One model over the tasks: accuracies after each over the classes so far; the last one's."""
    fit, test, classes = part
    x, y = course.x[:, : course.last] if row.endswith(LAST) else course.x, course.y
    model, accuracies = classifier(row, course, x.shape[1], seed, lr), []
    began = time.process_time()
    for start in range(0, len(classes), course.each):
        own = fit[np.isin(y[fit], classes[start : start + course.each])]
        model.partial_fit(read.read(x[own], y[own], own=True))
        asked = test[np.isin(y[test], classes[: start + course.each])]
        answers = model.predict(read.read(x[asked], own=True, need_labels=False))
        accuracies.append(float((answers == y[asked]).mean()))
    found = {"seconds": round(time.process_time() - began, 1)} | judged(answers, y[asked])
    return found | {"average": float(np.mean(accuracies)), "accuracies": accuracies}


def judged(answers: np.ndarray, labels: np.ndarray) -> dict[str, object]:
    return {
        "last": float((answers == labels).mean()),
        "macro": float(balanced_accuracy_score(labels, answers)),
    }


def regression(course: Course, part) -> dict[str, object]:
    fit, test, _ = part
    x, began = course.x[:, : course.last], time.process_time()
    model = GridSearchCV(course.regression, course.grid, cv=course.folds)
    model.fit(x[fit], course.y[fit])
    found = judged(model.predict(x[test]), course.y[test]) | {"chosen": model.best_params_}
    return found | {"seconds": round(time.process_time() - began, 1)}


def run(row: str, course: Course, seed: int) -> dict[str, object]:
    if row == REGRESSION:
        return regression(course, course.orders[seed])
    if row not in TRAINED:
        return grown(row, course, course.orders[seed], seed)
    lr = course.rate(row)
    return {"lr": lr} | grown(row, course, course.orders[seed], seed, lr)


def summary(found: list[dict]) -> list[dict[str, object]]:
    """Means over the orders in per cent, the spread of the last accuracy, processor seconds."""
    table = []
    for name in ROWS:
        own = [row for row in found if row["row"] == name]
        if not own:
            continue
        mean = {
            key: round(100 * float(np.mean([row[key] for row in own])), 2)
            for key in ("last", "macro", "average")
            if key in own[0]
        }
        spread = round(100 * float(np.ptp([row["last"] for row in own])), 2)
        seconds = round(float(np.mean([row["seconds"] for row in own])), 1)
        table.append({"row": name, **mean, "spread": spread, "seconds": seconds})
    return table


def arguments() -> argparse.ArgumentParser:
    """--orders and --only of a benchmark."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=3, help="class orders, each with a split")
    parser.add_argument("--only", nargs="+", choices=ROWS, help="run these rows, keep the others")
    return parser


def main(name: str, course: Callable[[], Course], only: list[str] | None, **about: object) -> None:
    """Run the rows, or those named beside what is kept of the others; write them down."""
    made, kept = course(), read_rows(name) if only else []
    found = [row for row in kept if row["row"] in ROWS and row["row"] not in (only or ())]
    for seed in range(len(made.orders)):
        for row in only or ROWS:
            found.append({"row": row, "seed": seed} | run(row, made, seed))
            print(row, seed, found[-1]["last"], flush=True)
    write_rows(name, found, samples=len(made.y), **about)
    print(*summary(found), sep="\n")
