"""The same table, however it comes, is one chunk."""

import csv

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from torch.utils.data import TensorDataset

from evergrow.data import preprocess
from evergrow.data.read import read

N = 12


RNG = np.random.default_rng(0)


def canonical(chunk, size=None):
    records = preprocess.Prepared(chunk, preprocess.spec(chunk.seen, size))
    return records.take(torch.arange(len(chunk))).numpy()


def test_the_same_table_gives_the_same_rows_however_it_comes(tmp_path):
    x, y = RNG.normal(size=(N, 3)).astype(np.float32), np.arange(N) % 4
    frame = pd.DataFrame(x.astype(float), columns=["a", "b", "c"]).assign(label=y)
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_csv(tmp_path / "a.csv.gz", index=False, sep=";")
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_json(tmp_path / "a.jsonl", orient="records", lines=True, double_precision=15)
    np.savez(tmp_path / "a.npz", x=x, y=y)
    np.save(tmp_path / "a.npy", x)
    vectors = pd.DataFrame({"embedding": list(x), "label": y})
    vectors.to_parquet(tmp_path / "b.parquet")
    vectors.assign(embedding=[row.tolist() for row in x]).to_json(
        tmp_path / "b.jsonl", orient="records", lines=True, double_precision=15
    )
    cases = [
        (x, y),
        (x.astype(float), y.tolist()),
        (x.tolist(), y.tolist()),
        (torch.from_numpy(x), torch.from_numpy(y)),
        (frame, None),
        (frame.drop(columns="label"), frame["label"]),
        (pa.Table.from_pandas(frame), None),
        (list(x), y),
        (vectors, None),
        (TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), None),
        (tmp_path / "a.npy", y),
        *((path, None) for path in sorted(tmp_path.iterdir()) if path.suffix != ".npy"),
    ]
    for X, labels in cases:
        chunk = read(X, labels)
        assert chunk.kind == "table" and chunk.labels.tolist() == y.tolist(), X
        assert chunk.seen.names in ((), ("a", "b", "c"))
        np.testing.assert_allclose(canonical(chunk), x, rtol=1e-6)
    named = [read(path).name(2) for path in (tmp_path / "a.csv", tmp_path / "a.npz")]
    assert named == ["row 2 of a.csv", "row 2 of a.npz"]


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (["1", "2", "1"], [1, 2, 1]),
        (["cat", "NA", "None"], ["cat", "NA", "None"]),
        (["007", "8", "9"], ["007", "8", "9"]),
        (["1", "cat", "2"], ["1", "cat", "2"]),
        (["1.0", "2.0", "2.0"], ["1.0", "2.0", "2.0"]),
        (["3.9", "3.10", "3.9", "3.10"], ["3.9", "3.10", "3.9", "3.10"]),
    ],
)
def test_labels_of_a_csv_are_int_or_as_they_are_written(tmp_path, cells, labels):
    with open(tmp_path / "a.csv", "w", newline="") as file:
        csv.writer(file).writerows([["x", "label"], *([1.5, cell] for cell in cells)])
    assert read(tmp_path / "a.csv").labels.tolist() == labels


def test_texts_are_read(tmp_path):
    frame = pd.DataFrame({"text": ["one", "two"], "n": [1, 2], "label": ["a", "b"]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    for chunk in (
        read(tmp_path / "a.csv", text="text"),
        read(["one", "two"], ["a", "b"]),
        read(pd.Series(["one", "two"]), ["a", "b"]),
        read(["one", "two"], ["a", "b"], text="text"),
    ):
        assert (chunk.kind, chunk.labels.tolist()) == ("text", ["a", "b"])
        assert list(chunk.take(np.array([1]))) == ["two"]
