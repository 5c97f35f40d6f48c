"""What a model has learnt, sample by sample, so that nothing is learnt twice by accident."""

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

SIZE = 16  # bytes of a content hash


def empty() -> "pa.Table":
    """The ledger of a model that has learnt nothing.

    >>> empty().column_names
    ['hash', 'column', 'version']
    """
    return _table(np.zeros((0, SIZE), np.uint8), np.zeros(0, np.int64), 0)


def unlearnt(past: "pa.Table", hashes: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """(m,) rows that the ledger does not hold: new content, or known content under another label.

    hashes: (n, 16) content hashes.  columns: (n,), -1 for labels that the model does not know.

    >>> one = np.zeros((1, 16), np.uint8)
    >>> past = add(empty(), one, np.array([3]), version=1)
    >>> unlearnt(past, one, np.array([3])).tolist(), unlearnt(past, one, np.array([4])).tolist()
    ([], [0])
    """
    learnt = _keys(_values(past["hash"], f"V{SIZE}"), _values(past["column"], "int32"))
    keys, learnt = _keys(hashes, columns), np.sort(learnt)
    known = np.searchsorted(learnt, keys, "right") > np.searchsorted(learnt, keys)
    return np.flatnonzero(~known)


def add(past: "pa.Table", hashes: np.ndarray, columns: np.ndarray, version: int) -> "pa.Table":
    """The ledger with these samples, learnt for `version`."""
    import pyarrow as pa

    return pa.concat_tables([past, _table(hashes, columns, version)]).combine_chunks()


def samples_fingerprint(hashes: np.ndarray, columns: np.ndarray) -> str:
    """One hash of all samples and their columns, whatever their order.

    >>> hashes = np.arange(32, dtype=np.uint8).reshape(2, 16)
    >>> columns = np.array([0, 1])
    >>> turned = samples_fingerprint(hashes[::-1], columns[::-1])
    >>> samples_fingerprint(hashes, columns) == turned
    True
    """
    data = hashes.tobytes()
    contents = [data[start : start + SIZE] for start in range(0, len(data), SIZE)]
    keys = sorted(zip(contents, columns.tolist(), strict=True))
    return hashlib.sha256(b"".join(key + b"%d," % column for key, column in keys)).hexdigest()


def _table(hashes: np.ndarray, columns: np.ndarray, version: int) -> "pa.Table":
    """Made of the arrays' own bytes: `pa.array` would import pandas, which takes longer."""
    import pyarrow as pa

    def array(kind: "pa.DataType", values: np.ndarray) -> "pa.Array":
        data = pa.py_buffer(np.ascontiguousarray(values))
        return pa.Array.from_buffers(kind, len(columns), [None, data])

    return pa.table(
        {
            "hash": array(pa.binary(SIZE), hashes),
            "column": array(pa.int32(), columns.astype(np.int32)),
            "version": array(pa.int32(), np.full(len(columns), version, np.int32)),
        }
    )


def _values(column: "pa.ChunkedArray", dtype: str) -> np.ndarray:
    """(n,) a column's values, without pandas, which `to_numpy` would import."""
    parts = [np.zeros(0, dtype)]
    for part in column.chunks:
        values = np.frombuffer(part.buffers()[1] or b"", dtype)
        parts.append(values[part.offset : part.offset + len(part)])
    return np.concatenate(parts)


def _keys(hashes: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """(n,) one word of bytes for each sample: its content hash and its column."""
    content = np.ascontiguousarray(hashes).view(np.uint8).reshape(len(columns), SIZE)
    column = columns.astype(np.int32).view(np.uint8).reshape(len(columns), 4)
    return np.hstack([content, column]).view(f"S{SIZE + 4}")[:, 0]
