"""scikit-learn's digits, 8x8, 5 tasks of 2 classes in random orders, defaults, a third held out.

python benchmarks/digits.py
"""

import numpy as np
import torch
from common import write
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from evergrow import GrowingClassifier

torch.set_num_threads(2)


def main():
    data = load_digits()
    images = (data.images * (255 / 16)).round().astype(np.uint8)
    rows = []
    for seed in range(5):
        fit, test, y, yt = train_test_split(
            images, data.target, test_size=1 / 3, stratify=data.target, random_state=seed
        )
        order = np.random.default_rng(seed).permutation(10)
        model = GrowingClassifier()
        for pair in np.split(order, 5):
            some = np.isin(y, pair)
            model.partial_fit(fit[some], y[some])
        rows.append({"seed": seed, "order": order.tolist(), "accuracy": model.score(test, yt)})
    write("digits", rows, mean=float(np.mean([r["accuracy"] for r in rows])))


if __name__ == "__main__":
    main()
