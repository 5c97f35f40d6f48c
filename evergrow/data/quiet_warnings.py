"""No warnings of libraries while images are decoded, whichever threads do it."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_silence = threading.Lock()


_silent: list[Any] = []  # one entry for each block that is silent now; one holds the old filters


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings from libraries inside; the filters are as before once the last thread has left.

    (Where threads overlap, `warnings.catch_warnings` alone leaves the wrong filters behind.)
    """
    with _silence:
        old = None if _silent else warnings.catch_warnings()
        if old is not None:
            old.__enter__()
            warnings.simplefilter("ignore")
        _silent.append(old)
    try:
        yield
    finally:
        with _silence:
            _silent.sort(key=lambda entry: entry is None)  # the filters stay until the last leaves
            old = _silent.pop()
            if old is not None:
                old.__exit__(None, None, None)
