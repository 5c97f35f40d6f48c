"""What the benchmarks of one data set share: the same rows on the same splits and class orders."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from evergrow import GrowingClassifier

CLOSED = ("ncm", "lda", "ridge")  # on the backbone that "auto" chooses
TRAINED = ("finetune", "er", "joint")  # each with its defaults, ten epochs a task


@dataclass(frozen=True)
class Course:
    """x, y: samples and labels.  each: classes a task.  share: of each class, held out.

    network: the backbone of methods that train.  more: rows beside the usual ones, by name.
    """

    x: np.ndarray
    y: np.ndarray
    each: int
    share: float
    network: str
    more: dict[str, Callable[[], GrowingClassifier]]


def rows(course: Course, seeds: Iterable[int]) -> Iterator[dict[str, object]]:
    """Each row on each seed: last accuracy on what was held out, and seconds of learning."""
    models = {"auto": GrowingClassifier} | course.more
    models |= {name: lambda name=name: GrowingClassifier("auto", name) for name in CLOSED}
    models |= {n: lambda n=n: GrowingClassifier(course.network, n) for n in TRAINED}
    for seed in seeds:
        x, xt, y, yt = train_test_split(
            course.x, course.y, test_size=course.share, stratify=course.y, random_state=seed
        )
        order = np.random.default_rng(seed).permutation(np.unique(y))
        tasks = [order[i : i + course.each] for i in range(0, len(order), course.each)]
        for name, make in models.items():
            began, model = time.perf_counter(), make()
            for classes in tasks:
                some = np.isin(y, classes)
                model.partial_fit(x[some], y[some])
            found = {"accuracy": model.score(xt, yt), "seconds": time.perf_counter() - began}
            yield {"row": name, "seed": seed, "order": order.tolist()} | found
        began = time.perf_counter()
        flat = [part.reshape(len(part), -1).astype(float) for part in (x, xt)]
        peer = make_pipeline(StandardScaler(), MLPClassifier(random_state=seed, max_iter=1000))
        accuracy = peer.fit(flat[0], y).score(flat[1], yt)
        found = {"accuracy": accuracy, "seconds": time.perf_counter() - began}
        yield {"row": "MLPClassifier, all classes at once", "seed": seed} | found


def summary(found: list[dict]) -> list[dict[str, object]]:
    """Mean last accuracy in per cent, its least, and mean seconds, of each row."""
    names = dict.fromkeys(row["row"] for row in found)
    by = {name: [row for row in found if row["row"] == name] for name in names}
    return [
        {
            "row": name,
            "last": round(100 * float(np.mean([r["accuracy"] for r in some])), 2),
            "least": round(100 * min(r["accuracy"] for r in some), 2),
            "seconds": round(float(np.mean([r["seconds"] for r in some])), 1),
        }
        for name, some in by.items()
    ]
