"""scikit-learn's digits, 8x8, 5 tasks of 2 classes in random orders, defaults, a third held out.

python benchmarks/digits.py

`auto` takes them as images; "auto, as a table" as 64 numbers. `finetune`, `er` and `joint` train
the backbone `convnet`, all by their defaults; `joint` keeps all data.
"""

import numpy as np
import torch
from beside import Course, rows, summary
from common import write_rows
from sklearn.datasets import load_digits

from evergrow import GrowingClassifier

torch.set_num_threads(1)


class Flat(GrowingClassifier):
    """Images as rows of a table."""

    def partial_fit(self, X, y):
        return super().partial_fit(X.reshape(len(X), -1), y)

    def score(self, X, y):
        return super().score(X.reshape(len(X), -1), y)


def main():
    data = load_digits()
    images = (data.images * (255 / 16)).round().astype(np.uint8)
    course = Course(images, data.target, 2, 1 / 3, "convnet", {"auto, as a table": Flat})
    found = []
    for row in rows(course, range(3)):
        print(row["row"], row["seed"], f"{100 * row['accuracy']:.2f} %", flush=True)
        found.append(row)
    write_rows("digits", found)
    print(*summary(found), sep="\n")


if __name__ == "__main__":
    main()
