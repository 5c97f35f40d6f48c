"""A learning rate chosen on training data alone: samples of the first tasks that are held back."""

from collections.abc import Callable, Mapping

import numpy as np

from ..model.classifier import GrowingClassifier
from .evaluation import Stream
from .task_streams import hold_out

RATES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
TASKS = 2  # that a rate is judged on: the first ones
HELD_BACK_SHARE = 0.1  # share of each class's samples that is held back


def tuned(
    make: Callable[[float], GrowingClassifier], stream: Stream, seed: int = 0
) -> tuple[float, dict[float, float]]:
    """The learning rate to take, and the accuracies in [0, 1] that speak for it, by rate.

    make: a classifier that has learnt nothing, for a learning rate. Each learns the first two tasks
    as they arrive, but for a tenth of each class, and is judged on these; the test samples are not
    looked at. Two tasks say less than all of them: rates that forget late are judged too well.
    """
    labels = stream.data.train.labels
    assert labels is not None
    seen = np.concatenate(stream.scenario.train[:TASKS])
    _, at = hold_out(labels[seen], HELD_BACK_SHARE, seed)
    held = stream.data.train.subset(seen[at])
    accuracies: dict[float, float] = {}
    for rate in RATES:
        model = make(rate)
        for task in range(min(TASKS, len(stream.scenario))):
            for rows in stream.scenario.arrivals(task):
                learn = rows[~np.isin(rows, seen[at])]
                if len(learn):
                    model.partial_fit(stream.data.train.subset(learn))
        accuracies[rate] = model.score(held)
    return choose_rate(accuracies, len(held)), accuracies


def choose_rate(accuracies: Mapping[float, float], n: int) -> float:
    """The largest rate within a standard error of the best, judged on n samples.

    >>> choose_rate({0.01: 0.90, 0.1: 0.89, 0.2: 0.50}, n=100)
    0.1
    """
    best = max(accuracies.values())
    error = (best * (1 - best) / n) ** 0.5
    return max(rate for rate, accuracy in accuracies.items() if accuracy >= best - error)
