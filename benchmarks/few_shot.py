"""A new class with few images: Fashion-MNIST, 8 classes of 2,000, then 2 of 5, 20 or 50; 45 pairs.

python benchmarks/few_shot.py                 ours (defaults), against a tuned logistic regression
                                              that kept every feature
python benchmarks/few_shot.py --pairs 5       the first few pairs only

The regression: scikit-learn, class-balanced, C chosen from a grid on a validation third of its
training features (stratified), fitted on the same features, scaled. Features are computed once and
shared; ours learns from them with the same sums as the classifier (checked on the first pair
against the whole classifier).
"""

import argparse
import itertools
import time
import warnings

import numpy as np
import torch
from common import fashion, write_rows
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.model_selection import train_test_split

from evergrow import GrowingClassifier
from evergrow.analytic import discriminant
from evergrow.analytic.feature_statistics import FeatureStatistics

GRID = (1e-4, 1e-3, 1e-2, 1e-1)


def integers(model, x):
    """(n, width) int8 features of images, as the classifier adds them up."""
    blocks = torch.from_numpy(x)[:, None].split(2048)
    return torch.cat([model.net_.steady(block, model.net_.scale) for block in blocks])


def ours(q, y, order):
    """(width, 10) weights and biases of the default method, columns by class number."""
    sums = FeatureStatistics(q.shape[1])
    sums.grow(10)
    sums.add(q[order], y[order])
    return discriminant.lda(sums)


def regression(q, y, seed):
    """Balanced, tuned logistic regression on scaled features."""
    x = q.numpy().astype(np.float32) / 32
    fit, check, yf, yc = train_test_split(x, y, test_size=1 / 3, stratify=y, random_state=seed)
    best, chosen = -1.0, GRID[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for c in GRID:
            model = LogisticRegression(C=c, class_weight="balanced", max_iter=60).fit(fit, yf)
            macro = recall_score(yc, model.predict(check), average="macro", zero_division=0)
            if macro > best:
                best, chosen = macro, c
        return LogisticRegression(C=chosen, class_weight="balanced", max_iter=100).fit(x, y), chosen


def recalls(answers, y):
    return recall_score(y, answers, average=None, labels=range(10), zero_division=0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=45)
    parser.add_argument("--shots", type=int, nargs="+", default=[5, 20, 50])
    parser.add_argument("--regressions", type=int, default=45, help="pairs it is fitted for")
    parser.add_argument("--name", default="few_shot")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    x, y, xt, yt = fashion()
    probe = GrowingClassifier().partial_fit(x[:100], y[:100])
    q, qt = integers(probe, x), integers(probe, xt)
    test = qt.float()
    rows = []
    pairs = list(itertools.combinations(range(10), 2))
    np.random.default_rng(0).shuffle(pairs)
    for number, pair in enumerate(pairs[: args.pairs]):
        rng = np.random.default_rng(number)
        for shots in args.shots:
            size = [shots if c in pair else 2000 for c in range(10)]
            chosen = [rng.permutation(np.flatnonzero(y == c))[:n] for c, n in enumerate(size)]
            order = torch.from_numpy(np.concatenate(chosen))
            labels = torch.from_numpy(y)
            began = time.perf_counter()
            solution = ours(q, labels, order)
            mine = recalls((test @ solution.weight + solution.bias).argmax(1).numpy(), yt)
            row = {"pair": [int(c) for c in pair], "shots": shots, "penalty": solution.penalty}
            row |= {"ours_macro": mine.mean(), "ours_new": mine[list(pair)].mean()}
            row |= {
                "ours_new_least": mine[list(pair)].min(),
                "ours_seconds": time.perf_counter() - began,
            }
            if number < args.regressions:
                began = time.perf_counter()
                theirs, c = regression(q[order], y[order.numpy()], number)
                his = recalls(theirs.predict(qt.numpy().astype(np.float32) / 32), yt)
                row |= {"lr_macro": his.mean(), "lr_new": his[list(pair)].mean(), "lr_C": c}
                row |= {"lr_seconds": time.perf_counter() - began}
            rows.append({k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()})
            print(rows[-1], flush=True)
    write_rows(args.name, rows)
    print(*(summed(rows, shots) for shots in args.shots), sep="\n")


def summed(rows, shots):
    """Means over pairs; those with a regression also beside it."""
    some = [r for r in rows if r["shots"] == shots]
    both = [r for r in some if "lr_macro" in r]
    line = {"shots": shots, "pairs": len(some), "pairs_with_regression": len(both)}
    for key in ("ours_macro", "ours_new"):
        line[key] = round(float(np.mean([r[key] for r in some])), 4)
    if both:
        for key in ("ours_macro", "lr_macro", "ours_new", "lr_new"):
            line[f"{key}_where_both"] = round(float(np.mean([r[key] for r in both])), 4)
        line["pairs_below_half_of_lr_new"] = sum(
            bool(r["ours_new"] < r["lr_new"] / 2) for r in both
        )
        worst = max(r["lr_macro"] - r["ours_macro"] for r in both)
        line["largest_macro_deficit"] = round(float(worst), 4)
    return line


if __name__ == "__main__":
    main()
