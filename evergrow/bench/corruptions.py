"""The same classes under new conditions: images turned, inverted, darkened, made noisy."""

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..data.dataset import Chunk, Store, Then
from ..data.image_arrays import to_8_bits
from ..data.resize import Canvas
from ..errors import DataError, SettingError


def _noisy(x: np.ndarray) -> np.ndarray:
    """Normal noise of a tenth of the range; drawn by the image itself, so the same each time."""
    rng = np.random.default_rng(zlib.crc32(np.ascontiguousarray(x).data))
    return np.clip(x + rng.normal(0, 25.5, x.shape), 0, 255).astype(np.uint8)


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {  # of one (C, H, W) uint8 picture
    "as it is": lambda x: x,
    "turned": lambda x: np.rot90(x, axes=(1, 2)).copy(),  # a quarter, against the clock
    "inverted": lambda x: 255 - x,
    "dark": lambda x: x // 3,
    "noisy": _noisy,
}


class Changed:
    """Images of a store, each under the condition that its row is in (`dataset.Store`).

    of: (n,) the condition of each row of the store, a number of `names`.
    """

    def __init__(self, store: Store, of: np.ndarray, names: Sequence[str]):
        self.store, self.of, self.names, self.stable = store, of, names, store.stable

    def __len__(self) -> int:
        return len(self.store)

    def name(self, i: int) -> str:
        return f"{self.store.name(i)}, {self.names[self.of[i]]}"

    def take(self, rows: np.ndarray, then: Then | None = None) -> Any:
        """Records of these rows: an array, or a list as the store itself gives one."""
        images: list[np.ndarray | None] = [None] * len(rows)
        for k in np.unique(self.of[rows]):
            at = np.flatnonzero(self.of[rows] == k)
            for i, x in zip(at, self._under(rows[at], self.names[k], then), strict=True):
                images[i] = x
        return images

    def _under(self, rows: np.ndarray, name: str, then: Then | None) -> list[np.ndarray]:
        top = then.top if isinstance(then, Canvas) else Canvas.top

        def change(x: np.ndarray) -> np.ndarray:
            changed = CHANGES[name](to_8_bits(x, top))
            return changed if then is None else then(changed)

        images = self.store.take(rows, change)
        return [change(x) for x in images] if isinstance(images, np.ndarray) else images


def under(chunk: Chunk, tasks: Sequence[np.ndarray], names: Sequence[str]) -> Chunk:
    """The chunk with the rows of task k under condition names[k]; other rows are left as they are.

    Raises DataError for data that is not images, SettingError for a name that is not known.

    >>> from ..data.read import read
    >>> chunk = read(np.full((2, 4, 4), 200, np.uint8), ["cat", "cat"])
    >>> dark = under(chunk, [np.array([0]), np.array([1])], ["as it is", "dark"])
    >>> [int(x.max()) for x in dark.take(np.arange(2))]
    [200, 66]
    """
    if chunk.kind != "image":
        raise DataError(
            f"conditions change images, and this is {chunk.kind} data; give the domain of each "
            "sample instead (scenarios.by_domain)."
        )
    for name in names:
        if name not in CHANGES:
            raise SettingError(f"conditions: there is no {name!r}; there are {', '.join(CHANGES)}.")
    of = np.zeros(len(chunk.store), np.int64)
    for k, rows in enumerate(tasks):
        of[chunk.at(rows)] = k + 1
    store = Changed(chunk.store, of, ["as it is", *names])
    changed = Chunk(chunk.seen, store, chunk.labels, chunk.skipped, chunk.notes)
    changed.rows = chunk.rows
    return changed
