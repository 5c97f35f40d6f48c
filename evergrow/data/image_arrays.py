"""Arrays of images -> uint8 (n, C, H, W): layout, range, colour, size, exact on every machine."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from ..errors import DataError

BAND = 16  # output positions computed by one product
NUMBERS_AT_ONCE = 1 << 22  # numbers rounded at a time
PRODUCT = 1 << 18  # multiplications of one product: stays in the cache, and in one thread
RANGES = (255, 1023, 4095, 16383, 65535)  # that images of 16 bits are found to use
UNITS = {  # weights are whole multiples of 1 / unit: sums below 2**24 are exact in float32
    "bilinear": 1 << 16,
    "bicubic": 1 << 15,  # sizes of its weights add up to 1.3 at most
}


def as_images(x: np.ndarray, channels_first: bool = False) -> np.ndarray:
    """(n, H, W), (n, H, W, 1 or 3) or (n, 1 or 3, H, W) -> (n, 1 or 3, H, W) uint8.

    x: uint8 0..255, bool, or float 0..1, which is rounded to 1/255.
    channels_first: what a shape such as (n, 3, 8, 3) means; without it, that is refused.
    Raises DataError where layout or range is not one of these.

    >>> as_images(np.full((5, 2, 2, 3), 0.5)).shape, as_images(np.full((1, 2, 2), 0.5)).max()
    ((5, 3, 2, 2), np.uint8(128))
    """
    return to_levels(_planes(x, channels_first))


def _planes(x: np.ndarray, channels_first: bool) -> np.ndarray:
    """The same numbers as (n, C, H, W)."""
    shape = x.shape
    if x.ndim == 3:
        if shape[2] in (1, 3):
            raise DataError(
                f"X has shape {shape}: is it one image with {shape[2]} channels, or {shape[0]} "
                f"images {shape[2]} pixels wide? For one image pass X[None]; for several, X[..., "
                "None]."
            )
        return x[:, None]
    if x.ndim == 4:
        last, first = shape[3] in (1, 3), shape[1] in (1, 3)
        if first and (channels_first or not last or shape[1:] == (1, 1, 1)):
            return x
        if last and not first:
            return x.transpose(0, 3, 1, 2)
        if last:
            raise DataError(
                f"X has shape {shape}: channels may come first or last. Pass a torch tensor, "
                "which is read as (n, channels, height, width): torch.from_numpy(X), or "
                "torch.from_numpy(X).permute(0, 3, 1, 2) if they come last."
            )
        if 4 in (shape[1], shape[3]):
            raise DataError(
                f"X has shape {shape}: images with 4 channels; pass (n, height, width, 3), or "
                "PIL images, whose transparency is laid onto white."
            )
    raise DataError(
        f"X has shape {shape}: images are (n, height, width), (n, height, width, 1 or 3) or (n, "
        "1 or 3, height, width), a table is (n, columns). Reshape your data; arrays of other "
        "shapes need a backbone of your own (an nn.Module)."
    )


def to_levels(x: np.ndarray) -> np.ndarray:
    """uint8 as it is; bool and float 0..1 times 255, rounded.  Raises DataError for all else."""
    if x.dtype == np.uint8:
        return x
    if x.dtype == bool:
        return x.astype(np.uint8) * np.uint8(255)
    if x.dtype.kind != "f":
        raise DataError(
            f"image arrays are uint8 in 0..255 or float in 0..1, X has dtype {x.dtype} with "
            f"values {_range(x)}; pass X.astype('uint8') if they mean 0..255, or else divide X "
            "by its largest possible value."
        )
    low, high = (float(x.min()), float(x.max())) if x.size else (0.0, 0.0)
    if low != low or high != high:
        row = int(np.isnan(x).reshape(len(x), -1).any(1).argmax())
        raise DataError(
            f"Input X contains NaN (first: image {row}); replace or leave out what is missing."
        )
    if low < -1e-4 or high > 1 + 1e-4:
        raise DataError(
            f"image arrays are uint8 in 0..255 or float in 0..1, X is {x.dtype} with values "
            f"{_range(x)}; {_advice(low, high)}."
        )
    return _rounded(x)


def range_of(highest: int) -> int:
    """The range that images of 16 bits with this highest level use: of 8, 10, 12, 14 or 16 bits.

    >>> range_of(240), range_of(256), range_of(40_000)
    (255, 1023, 65535)
    """
    return next(top for top in RANGES if highest <= top)


def to_8_bits(x: np.ndarray, top: int) -> np.ndarray:
    """uint8 as it is; uint16 levels 0..top as 0..255, rounded, what is above as 255.

    >>> to_8_bits(np.array([0, 512, 1023, 4000], np.uint16), 1023).tolist()
    [0, 128, 255, 255]
    """
    if x.dtype == np.uint8:
        return x
    levels: np.ndarray = (np.minimum(x, top).astype(np.uint32) * 255 + top // 2) // top
    return levels.astype(np.uint8)


def _rounded(x: np.ndarray) -> np.ndarray:
    """Floats in 0..1 to 0..255, a block of images at a time."""
    levels = np.empty(x.shape, np.uint8)
    step = max(1, NUMBERS_AT_ONCE // max(1, x[0].size if len(x) else 1))
    for start in range(0, len(x), step):
        part = x[start : start + step].astype(np.float64) * 255
        levels[start : start + step] = np.clip(np.rint(part), 0, 255)
    return levels


def _range(x: np.ndarray) -> str:
    return (
        f"{x.min():.6g}..{x.max():.6g}" if x.size and x.dtype.kind in "iufb" else "of another kind"
    )


def _advice(low: float, high: float) -> str:
    if low < 0:
        return "leave out the normalisation (the backbone does its own), or bring X to 0..1"
    if 64 < high <= 255:
        return "pass X.astype('uint8') if they mean 0..255"
    top = next((top for top in (16, 64, 255, 1023, 4095, 65535) if high <= top), high)
    return f"divide X by its largest possible value (X / {top:g}?)"


def refuse_two_levels(highest: int) -> None:
    """Raise DataError where the brightest pixel of a uint8 chunk is 1: its range is surely 0..1.

    highest: largest level of all images.
    """
    if highest == 1:
        raise DataError(
            "images of type uint8 are read as 0..255, but X holds only 0 and 1; pass "
            "X.astype(bool) if 1 is white (X / 255.0 if it is that dark)."
        )


def recolour(x: np.ndarray, channels: int) -> np.ndarray:
    """(n, C, H, W) uint8 with that many channels: grey is repeated, colour becomes its luma.

    Luma is that of ITU-R BT.601, in integers, as Pillow has it.

    >>> recolour(np.array([255, 0, 0], np.uint8).reshape(1, 3, 1, 1), 1).item()
    76
    """
    if x.shape[1] == channels:
        return x
    if x.shape[1] == 1:
        return np.repeat(x, channels, axis=1)
    red, green, blue = (x[:, c].astype(np.uint32) for c in range(3))
    return ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16).astype(np.uint8)[:, None]


def resize(
    x: np.ndarray,
    size: tuple[int, int],
    kernel: str = "bilinear",
    window: tuple[slice, slice] | None = None,
) -> np.ndarray:
    """(n, C, H, W) uint8 -> (n, C, *size): over all pixels where it reduces.

    kernel: bilinear or bicubic (a = -0.5).  window: the rows and columns of the result that are
    made, each `slice(first, last + 1)`; None: all.
    Columns first, rounded to 8 bits, then rows, as Pillow does. All products are whole numbers
    below 2**24, so the same pixels give the same pixels in any batch, on any machine.
    Source of the bicubic kernel: Keys 1981, "Cubic convolution interpolation for digital image
    processing", IEEE Transactions on Acoustics, Speech, and Signal Processing 29 (6), eq. 15.

    >>> resize(np.array([[0, 255]], np.uint8)[None, None], (1, 1)).item()
    128
    """
    n, channels, height, width = x.shape
    rows, columns = window or (slice(0, size[0]), slice(0, size[1]))
    tall, wide = rows.stop - rows.start, columns.stop - columns.start
    if (height, width) == tuple(size):
        return x if window is None else x[:, :, rows, columns]
    x = _along(x.reshape(-1, width), size[1], columns, kernel).reshape(n * channels, height, wide)
    x = _along(np.swapaxes(x, 1, 2).reshape(-1, height), size[0], rows, kernel)
    x = np.swapaxes(x.reshape(n * channels, wide, tall), 1, 2)
    return np.ascontiguousarray(x).reshape(n, channels, tall, wide)


def _along(rows: np.ndarray, length: int, window: slice, kernel: str) -> np.ndarray:
    """(m, k) uint8 rows -> those positions of (m, length) that are in the window."""
    if rows.shape[1] == length:
        return rows[:, window]
    resized = np.empty((len(rows), window.stop - window.start), np.uint8)
    unit = UNITS[kernel]
    for first, low, high, weights in bands(
        rows.shape[1], length, window.start, window.stop, kernel
    ):
        columns = slice(first, first + weights.shape[1])
        step = max(1, PRODUCT // weights.size)
        for start in range(0, len(rows), step):
            total = rows[start : start + step, low:high].astype(np.float32) @ weights
            total += unit / 2
            total *= np.float32(1 / unit)
            if kernel == "bicubic":  # its weights may be negative
                np.clip(total, 0, 255, out=total)
            resized[start : start + step, columns] = total
    return resized


@lru_cache(maxsize=64)
def bands(
    old: int, new: int, start: int, stop: int, kernel: str
) -> list[tuple[int, int, int, np.ndarray]]:
    """(first output, first input, last input + 1, (inputs, outputs) weights) of each band.

    start, stop: the outputs that are made; they are counted from `start`.
    """
    return list(_make_bands(old, new, start, stop, kernel))


def _make_bands(
    old: int, new: int, start: int, stop: int, kernel: str
) -> Iterator[tuple[int, int, int, np.ndarray]]:
    scale, unit = old / new, UNITS[kernel]
    stretch = max(scale, 1.0)
    support = stretch * (2 if kernel == "bicubic" else 1)
    for first in range(start, stop, BAND):
        centres = (np.arange(first, min(first + BAND, stop)) + 0.5) * scale
        low = max(0, int(np.floor(centres[0] - support)))
        high = min(old, int(np.ceil(centres[-1] + support)))
        distance = np.abs(np.arange(low, high)[:, None] + 0.5 - centres) / stretch
        weights = _cubic(distance) if kernel == "bicubic" else np.clip(1 - distance, 0, None)
        # whole numbers that add up to `unit` exactly: differences of the rounded running sum
        running = np.cumsum(weights, axis=0)
        running = np.rint(running / running[-1] * unit)
        whole = np.diff(running, axis=0, prepend=0).astype(np.float32)
        yield first - start, low, high, whole


def _cubic(distance: np.ndarray) -> np.ndarray:
    """Keys's kernel, a = -0.5, at distances >= 0."""
    x = np.minimum(distance, 2.0)
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    weights: np.ndarray = np.where(x < 1, near, far)
    return weights
