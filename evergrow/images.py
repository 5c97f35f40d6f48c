"""One image, of a file or PIL -> uint8 (C, H, W) pixels, C = 1 or 3, or the reason it has none."""

import io
import os
import re
import stat
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

SUFFIXES = frozenset(
    ".png .jpg .jpeg .jpe .jfif .webp .bmp .dib .gif .tif .tiff .ppm .pgm .pbm .pnm".split()
)
FORMATS = "PNG JPEG WEBP BMP DIB GIF TIFF PPM".split()  # none of them runs a program
ORIENTATION = 0x0112  # in EXIF
LIMIT = 100_000_000  # pixels of an image; with more it is refused before it is decoded
LARGE = 16_000_000  # pixels; images with more are decoded one at a time
Encoded = Path | bytes  # an image file, or its content
Stamp = tuple[int, int]  # of a file: bytes, and time of change in nanoseconds


class Unreadable(Exception):
    """An image cannot be used; the message is the reason, and goes on from its name."""


@dataclass(frozen=True)
class Found:
    """What a look at an image showed.  size: (height, width).  stamp: of its file."""

    channels: int
    size: tuple[int, int]
    stamp: Stamp | None


def look(data: Encoded) -> Found:
    """Decode an image and say what it is.  Raises Unreadable."""
    found, stamp = _decoded(data, None)
    return Found(found.shape[0], (found.shape[1], found.shape[2]), stamp)


def decode(data: Encoded, stamp: Stamp | None = None) -> np.ndarray:
    """(C, H, W) uint8 pixels of an image, turned as EXIF says; the first frame of several.

    stamp: what its file was like earlier.  Raises Unreadable, also where it is not so any more.
    """
    return _decoded(data, stamp)[0]


def pixels(image: Image.Image) -> np.ndarray:
    """(C, H, W) uint8 pixels of a PIL image: transparency laid onto white, 16 bits scaled to 8.

    Raises Unreadable for values that have no known range, and what PIL raises for broken files.

    >>> pixels(Image.new("RGBA", (2, 1), (255, 0, 0, 0))).tolist()  # red, but transparent
    [[[255, 255]], [[255, 255]], [[255, 255]]]
    """
    image = _upright(image)
    if image.mode.startswith("I") or image.mode == "F":
        return _scaled(np.asarray(image))[None]
    grey = _is_grey(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    if grey:
        return np.array(image.convert("L"))[None]
    return np.ascontiguousarray(np.asarray(image.convert("RGB")).transpose(2, 0, 1))


def _decoded(data: Encoded, stamp: Stamp | None) -> tuple[np.ndarray, Stamp | None]:
    content, now = (data, None) if isinstance(data, bytes) else _content(data)
    if stamp is not None and now != stamp:
        raise Unreadable("has changed since it was checked")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            width, height = image.size
            if width * height > LIMIT:
                raise _too_large(width * height, f" ({width:,} x {height:,})")
            with _large if width * height > LARGE else _small():
                return pixels(image), now
    except (Unreadable, MemoryError):
        raise
    except Image.DecompressionBombError as error:  # raised where even the header is not trusted
        raise _too_large(int(re.search(r"\d+", f"{error} 0")[0])) from error  # type: ignore[index]
    except UnidentifiedImageError as error:
        raise Unreadable(_no_image(content)) from error
    except Exception as error:  # decoders raise anything on broken data
        raise Unreadable(f"is damaged ({error or type(error).__name__})") from error


def _content(path: Path) -> tuple[bytes, Stamp]:
    """The bytes of a file, and its stamp."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # reading a pipe would wait
            raise Unreadable("is not a file")
        with open(path, "rb") as file:
            facts = os.fstat(file.fileno())
            content = file.read()
    except FileNotFoundError as error:
        raise Unreadable("no such file") from error
    except OSError as error:
        raise Unreadable(f"cannot be read ({error.strerror or error})") from error
    if not content:
        raise Unreadable("is empty (0 bytes)")
    return content, (facts.st_size, facts.st_mtime_ns)


def _too_large(number: int, how: str = "") -> Unreadable:
    millions = f"{number / 1e6:,.0f} million pixels{how}"
    return Unreadable(f"has {millions}, at most {LIMIT // 10**6} million are read; make it smaller")


def _no_image(content: bytes) -> str:
    head = content[:24]
    if head.isascii() and b"\0" not in head:
        return f"is text, not an image (it begins {head.decode()!r})"
    return "is not an image of a kind that is read, or its beginning is damaged"


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF orientation says; as it is where that is damaged."""
    image.load()  # what is wrong with the picture itself is raised here
    try:
        turned = image.getexif().get(ORIENTATION, 1) in range(2, 9)
        return ImageOps.exif_transpose(image) if turned else image
    except (SyntaxError, ValueError, KeyError, TypeError, IndexError, OSError, struct.error):
        return image


def _is_grey(image: Image.Image) -> bool:
    if image.mode != "P":
        return image.mode in ("1", "L", "LA", "La", "PA")
    palette = np.array(image.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
    used = np.flatnonzero(image.histogram()[: len(palette)])
    return bool((palette[used] == palette[used, :1]).all())


def _scaled(values: np.ndarray) -> np.ndarray:
    """16-bit levels, or floats in 0..1, as 0..255."""
    low, high = values.min(), values.max()
    if values.dtype.kind == "f":
        if not (low >= 0 and high <= 1):
            raise Unreadable(f"holds floats {low:.4g}..{high:.4g}; only 0..1 is read")
        return np.rint(values.astype(np.float64) * 255).astype(np.uint8)
    if low < 0 or high > 65535:
        raise Unreadable(f"holds 32-bit integers {low}..{high}; only 0..65535 is read")
    return ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


# -- silence ---------------------------------------------------------------------------------------

_large = threading.Lock()
_silence = threading.Lock()
_silent: list[Any] = []  # one entry for each block that is silent now; one holds the old filters


@contextmanager
def _small() -> Iterator[None]:
    yield


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings from decoders inside; the filters are as before once the last thread has left.

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
