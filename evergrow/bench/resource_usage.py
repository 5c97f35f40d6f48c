"""What a model took: bytes that it keeps, and the most memory that learning needed."""

import sys
from collections.abc import Mapping
from typing import Any


def bytes_kept(parts: Mapping[str, Any]) -> int:
    """Bytes of a model: weights, sums, and samples that are kept, as they lie in its folder.

    parts: of `serialize.parts`: mappings of tensors, tables; what has no size of its own is passed
    over. The manifest and the ledger (what was learnt, not how) do not count.

    >>> import numpy as np
    >>> bytes_kept({"serving": {"head": np.zeros((2, 3), np.float32)}, "memory": None})
    24
    """
    total = 0
    for name, part in parts.items():
        if name != "ledger":
            held = part.values() if isinstance(part, Mapping) else [part]
            blobs = [v for h in held for v in (h.values() if isinstance(h, Mapping) else [h])]
            total += sum(int(getattr(value, "nbytes", 0)) for value in blobs)
    return total


def begin_peak() -> None:
    """From now on `peak_memory` tells of what comes; without effect but on Linux."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def peak_memory() -> int | None:
    """Bytes: the most memory that this process had since `begin_peak`, all of its parts counted.

    Elsewhere than on Linux, since it began; None where the system does not tell.
    """
    try:
        with open("/proc/self/status") as file:
            line = next(line for line in file if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    except (OSError, StopIteration):
        return _peak_since_the_beginning()


def _peak_since_the_beginning() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024  # bytes there, kilobytes elsewhere
