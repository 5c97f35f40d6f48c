"""What inputs look like in a few numbers, so that a later chunk that looks otherwise is noticed."""

from typing import Any

import torch
from torch import Tensor

from .dataset import Seen
from .task import Records

ROWS, FEWEST = 128, 10  # records looked at, at most; fewer than the latter say nothing
FAR = 1.0  # means this many standard deviations apart (of pixels) are unlike
TIMES = 2.5  # spreads or largest values this many times apart are unlike
COLUMN_FAR, COLUMN_TIMES = 5.0, 8.0  # the same of a column of a table: beyond what classes differ
CLASSES = 3  # a column of fewer classes may lie anywhere, and vary little
AREA = 1.5  # images this many times larger are of another size

InputSummary = dict[str, Any]  # JSON


def summarise(records: Records, seen: Seen, classes: int = 1) -> InputSummary | None:
    """Some evenly spaced records in a few numbers, as JSON; None of texts, and of few.

    Few are less than `FEWEST`.

    classes: of these records.  mean, std: by channel, column, or of all values of a tensor.
    high: the largest size of a value.
    sizes: of images as they came: the one [height, width], or the smallest and the largest.
    Values are as the network reads them: pixels in [0, 1].

    >>> from .task import Tensors
    >>> x = Tensors(torch.full((10, 1, 2, 2), 51, dtype=torch.uint8))
    >>> summarise(x, Seen("image", 1, ((2, 2),)))
    {'kind': 'image', 'classes': 1, 'sizes': [[2, 2]], 'mean': [0.2], 'std': [0.0], 'high': 0.2}
    """
    n = len(records)
    if n < FEWEST or seen.kind == "text":
        return None
    x = records.take(evenly_spaced(n, ROWS))
    x = x.double() / 255 if x.dtype == torch.uint8 else x.double()
    if seen.kind == "tensor":
        x = x.flatten()[:, None]
    over = [d for d in range(x.dim()) if d != 1]
    std = x.std(over, correction=0)
    if seen.kind == "table":
        std = torch.where(_flat(x), 0.0, std)
    return {
        "kind": seen.kind,
        "classes": classes,
        "sizes": [list(size) for size in seen.sizes],
        "mean": _rounded(x.mean(over)),
        "std": _rounded(std),
        "high": round(float(x.abs().max()), 6),
    }


def evenly_spaced(n: int, most: int) -> Tensor:
    """Up to `most` rows of n, the first and the last one among them.

    >>> evenly_spaced(9, 3).tolist(), evenly_spaced(2, 3).tolist()
    ([0, 4, 8], [0, 1])
    """
    return torch.linspace(0, n - 1, min(n, most)).long()


def _flat(x: Tensor) -> Tensor:
    """(columns,) whether the middle four fifths of a column are one value."""
    ordered, out = x.sort(0).values, len(x) // 10
    return ordered[out] == ordered[len(x) - 1 - out]


def _rounded(values: Tensor) -> list[float]:
    return [round(v, 6) for v in values.tolist()]


def differences(began: InputSummary | None, now: InputSummary | None) -> list[str]:
    """In what inputs look unlike those the model began with, in words; [] if they look alike.

    >>> began = {"kind": "image", "classes": 2, "sizes": [[8, 8]], "high": 1.0}
    >>> began |= {"mean": [0.3], "std": [0.3]}
    >>> differences(began, began | {"mean": [0.8]})
    ['channel 1 has mean 0.8 (std 0.3), it was 0.3 (0.3)']
    """
    if began is None or now is None or began["kind"] != now["kind"]:
        return []
    if began["kind"] == "table":
        few = min(began["classes"], now["classes"]) < CLASSES
        return [] if few else _channels(began, now)
    notes = _sizes(began["sizes"], now["sizes"]) if began["sizes"] and now["sizes"] else []
    if _times(now["high"], began["high"]) > TIMES:
        notes.append(f"the largest value is {now['high']:.3g}, it was {began['high']:.3g}")
    return notes + _channels(began, now)


def _sizes(began: list[list[int]], now: list[list[int]]) -> list[str]:
    before, after = ([height * width for height, width in sizes] for sizes in (began, now))
    if max(before) * AREA > min(after) and max(after) * AREA > min(before):
        return []
    came, was = (" to ".join(f"{h} x {w}" for h, w in sizes) for sizes in (now, began))
    return [f"images are of {came} pixels, they were of {was}"]


def _channels(began: InputSummary, now: InputSummary) -> list[str]:
    """Channels or columns whose mean or spread is another; the first one in words."""
    table = began["kind"] == "table"
    far, times = (COLUMN_FAR, COLUMN_TIMES) if table else (FAR, TIMES)
    name = "column" if table else "channel"
    columns = zip(began["mean"], began["std"], now["mean"], now["std"], strict=True)
    unlike = [
        f"{name} {i} has mean {mean:.3g} (std {std:.3g}), it was {mean_0:.3g} ({std_0:.3g})"
        for i, (mean_0, std_0, mean, std) in enumerate(columns, 1)
        if std_0 > 0
        and std > 0
        and (
            abs(mean - mean_0) > far * (max(std_0, std) if table else std_0)
            or _times(std, std_0) > times
        )
    ]
    if len(unlike) < 2:
        return unlike
    return [f"{unlike[0]}, and {len(unlike) - 1} more {name}s are unlike"]


def _times(a: float, b: float) -> float:
    """How many times the larger one is of the smaller."""
    low, high = sorted((abs(a), abs(b)))
    return high / low if low else float("inf") if high else 1.0
