"""Anything as plain JSON: what every tool reads, and what is the same once read back."""

import math
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """The value as dicts, lists, str, int, float, bool and None.

    Keys become strings, tuples lists, arrays and tensors lists or numbers, NaN and infinity None,
    whatever else its str.

    >>> plain({1: (2, float("nan")), "at": range(2)})
    {'1': [2, None], 'at': 'range(0, 2)'}
    """
    if hasattr(value, "tolist"):  # numpy and torch, scalars too
        value = value.tolist()
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else str(key): plain(value[key]) for key in value}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)
