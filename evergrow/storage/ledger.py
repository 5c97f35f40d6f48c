"""What a model has learnt, sample by sample, so that nothing is learnt twice by accident."""

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from ..data import preprocess
from ..data.task import Records

if TYPE_CHECKING:
    import pyarrow as pa

SIZE = 16  # bytes of a content hash


def empty() -> "pa.Table":
    """The ledger of a model that has learnt nothing.

    >>> empty().column_names
    ['hash', 'column', 'version']
    """
    return _table(np.zeros((0, SIZE), np.uint8), np.zeros(0, np.int64), 0)


def hashes(records: Records) -> np.ndarray:
    """(n, 16) uint8 content hashes of canonical tensors."""
    found = np.ascontiguousarray(preprocess.hashes(records))
    return found.view(np.uint8).reshape(len(found), -1)


def unlearnt(past: "pa.Table", found: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """(m,) rows that the ledger does not hold: new content, or known content under another label.

    found: (n, 16) content hashes.  columns: (n,), -1 for labels that the model does not know.

    >>> one = np.zeros((1, 16), np.uint8)
    >>> past = add(empty(), one, np.array([3]), version=1)
    >>> unlearnt(past, one, np.array([3])).tolist(), unlearnt(past, one, np.array([4])).tolist()
    ([], [0])
    """
    known = set(zip(past["hash"].to_pylist(), past["column"].to_pylist(), strict=True))
    keys = zip(_bytes(found), columns.tolist(), strict=True)
    return np.array([i for i, key in enumerate(keys) if key not in known], dtype=np.int64)


def add(past: "pa.Table", found: np.ndarray, columns: np.ndarray, version: int) -> "pa.Table":
    """The ledger with these samples, learnt for `version`."""
    import pyarrow as pa

    return pa.concat_tables([past, _table(found, columns, version)]).combine_chunks()


def fingerprint(found: np.ndarray, columns: np.ndarray) -> str:
    """One hash of all samples and their columns, whatever their order.

    >>> found = np.arange(32, dtype=np.uint8).reshape(2, 16)
    >>> fingerprint(found, np.array([0, 1])) == fingerprint(found[::-1], np.array([1, 0]))
    True
    """
    keys = sorted(zip(_bytes(found), columns.tolist(), strict=True))
    return hashlib.sha256(b"".join(key + b"%d," % column for key, column in keys)).hexdigest()


def _table(found: np.ndarray, columns: np.ndarray, version: int) -> "pa.Table":
    import pyarrow as pa

    return pa.table(
        {
            "hash": pa.array(_bytes(found), pa.binary(SIZE)),
            "column": pa.array(columns, pa.int32()),
            "version": pa.array(np.full(len(columns), version), pa.int32()),
        }
    )


def _bytes(found: np.ndarray) -> list[bytes]:
    data = found.tobytes()
    return [data[start : start + SIZE] for start in range(0, len(data), SIZE)]
