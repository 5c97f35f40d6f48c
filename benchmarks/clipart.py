"""Open Clip Art, 13 tasks of 3 classes, on the pretrained network that comes along.

python benchmarks/clipart.py [--data FOLDER] [--orders 3]

39 folders, at most 60 pictures each, 30 % of each held out; three class orders, each with a split
of its own. Defaults (`auto`: efficientnet_lite0 at 224 pixels, lda) beside other methods on the
same features, and beside scikit-learn's logistic regression, class-balanced, fitted on the last
layer's features of all training pictures at once, its C chosen by five-fold cross-validation on
them. Features are computed once a picture; each model reads them as they are, as it would those of
a network of the user's own: the first task fixes the scale on which they become integers.
(Debian: openclipart-png; FOLDER holds animals, buildings, ...)
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from common import write
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from evergrow import GrowingClassifier, backbones, catalogue, methods, prepare, sources
from evergrow.network import Network

torch.set_num_threads(1)
MOST, HELD, PER_TASK = 60, 0.3, 3
GRADIENT = {"epochs": 20, "lr": 0.01, "freeze": True}
ROWS = {  # row: method, its settings, parameters, whether it reads the last layer alone
    "ours (auto)": ("lda", {}, {}, False),
    "lda, last layer": ("lda", {}, {}, True),
    "ncm": ("ncm", {}, {}, False),
    "ridge": ("ridge", {}, {}, False),
    "finetune": ("finetune", {}, GRADIENT, False),
    "er": ("er", {"memory": 780}, GRADIENT, False),
    "joint": ("joint", {}, GRADIENT, False),
}


def features(folder):
    """(n, width) features, the last layer's width, labels: of at most `MOST` pictures a class.

    The first picks of a fixed shuffle; files that cannot be read are passed over.
    """
    rng, files, labels = np.random.default_rng(0), [], []
    for name in catalogue.CLIPART:
        found = sorted((folder / name).glob("*.png"))
        found = [found[i] for i in rng.permutation(len(found))[:MOST]]
        files, labels = files + found, labels + [name] * len(found)
    chunk = sources.read(files, labels, skip_bad=True)
    backbone = backbones.get("efficientnet_lite0")
    form = backbone.prepare(chunk.seen)
    body = backbone.build(form, torch.Generator().manual_seed(0))
    net = Network(body, backbone.inputs(form))
    pictures = prepare.Prepared(chunk, form)
    parts = [net.steady(pictures.take(rows)) for rows in torch.arange(len(chunk)).split(256)]
    return torch.cat(parts), body.parts[0][1], chunk.labels.astype(str)


class Given(torch.nn.Module):
    """Features as they were computed, as a backbone; none of it learns."""

    def forward(self, x):
        return x


def classifier(row, seed):
    name, settings, parameters, _ = ROWS[row]
    method = methods.get(name, **settings)
    return GrowingClassifier(Given(), method, random_state=seed, **parameters)


def split(labels, seed):
    """Rows to learn and rows held out, the same share of each class."""
    rng, held = np.random.default_rng(seed), np.zeros(len(labels), bool)
    for c in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == c))
        held[rows[: round(HELD * len(rows))]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


def run(row, x, last, labels, seed):
    """Accuracy on the held-out pictures of all classes so far, after each task."""
    train, test = split(labels, seed)
    order = np.random.default_rng(100 + seed).permutation(np.unique(labels))
    x = x[:, :last] if ROWS[row][3] else x
    model, accuracies = classifier(row, seed), []
    for start in range(0, len(order), PER_TASK):
        rows = train[np.isin(labels[train], order[start : start + PER_TASK])]
        model.partial_fit(x[rows, None], labels[rows])
        seen = test[np.isin(labels[test], order[: start + PER_TASK])]
        answers = model.predict(x[seen, None])
        accuracies.append(float((answers == labels[seen]).mean()))
    return {"accuracies": accuracies, "last": accuracies[-1], "macro": macro(answers, labels[seen])}


def macro(answers, labels):
    return float(np.mean([(answers[labels == c] == c).mean() for c in np.unique(labels)]))


def regression(x, last, labels, seed):
    train, test = split(labels, seed)
    x = x[:, :last].numpy()
    model = make_pipeline(
        StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=500)
    )
    grid = {"logisticregression__C": [3e-4, 1e-3, 3e-3, 1e-2, 3e-2]}
    found = GridSearchCV(model, grid, cv=5, n_jobs=1).fit(x[train], labels[train])
    answers = found.predict(x[test])
    right = float((answers == labels[test]).mean())
    return {"last": right, "macro": macro(answers, labels[test]), "C": found.best_params_}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("/usr/share/openclipart/png"))
    parser.add_argument("--orders", type=int, default=3)
    given = parser.parse_args()
    x, last, labels = features(given.data)
    rows = []
    for seed in range(given.orders):
        for row in ROWS:
            rows.append({"row": row, "seed": seed} | run(row, x, last, labels, seed))
            print(row, seed, rows[-1]["last"], flush=True)
        name = "logistic regression, all at once"
        rows.append({"row": name, "seed": seed} | regression(x, last, labels, seed))
        print(name, seed, rows[-1]["last"], flush=True)
    summary = []
    for name in dict.fromkeys(r["row"] for r in rows):
        mine = [r for r in rows if r["row"] == name]
        average = [np.mean(r["accuracies"]) for r in mine if "accuracies" in r]
        summary.append(
            {
                "row": name,
                "last": round(100 * float(np.mean([r["last"] for r in mine])), 2),
                "macro": round(100 * float(np.mean([r["macro"] for r in mine])), 2),
                "average": round(100 * float(np.mean(average)), 2) if average else None,
            }
        )
    write("clipart", rows, summary=summary, pictures=len(labels))


if __name__ == "__main__":
    main()
