"""One image, of a file or PIL -> (C, H, W) pixels, C = 1 or 3, or the reason it has none."""

import io
import os
import re
import stat
import struct
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.Image import Transpose

from .resize import Canvas

SUFFIXES = frozenset(
    ".png .jpg .jpeg .jpe .jfif .webp .bmp .dib .gif .tif .tiff .ppm .pgm .pbm .pnm".split()
)


FORMATS = "PNG JPEG WEBP BMP DIB GIF TIFF PPM".split()  # none of them runs a program


ORIENTATION = 0x0112  # in EXIF


TURNS = {  # by orientation
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}


LIMIT = 100_000_000  # pixels of an image; with more it is refused before it is decoded


LARGE = 16_000_000  # pixels; images with more are decoded one at a time


GAP = 2  # a JPEG that is reduced while it is decoded has so many times the pixels a side it needs


Encoded = Path | bytes  # an image file, or its content


Stamp = tuple[int, int]  # of a file: bytes, and time of change in nanoseconds


Then = Callable[[np.ndarray], np.ndarray]


T = TypeVar("T")


R = TypeVar("R")


class Unreadable(Exception):
    """An image cannot be used; the message is the reason, and goes on from its name."""


@dataclass(frozen=True)
class ImageFacts:
    """What a look at an image showed.  size: (height, width).  stamp: of its file.

    highest: level of an image of 16 bits; 0 of others.
    """

    channels: int
    size: tuple[int, int]
    highest: int
    stamp: Stamp | None


def inspect(data: Encoded) -> ImageFacts:
    """Decode an image and say what it is.  Raises Unreadable."""
    return _seen_through(data, None, _facts, lambda facts, stamp: ImageFacts(*facts, stamp))


def decode(data: Encoded, stamp: Stamp | None = None, then: Then | None = None) -> np.ndarray:
    """(C, H, W) pixels of an image, turned as EXIF says; the first frame of several.

    uint8; uint16 of grey images of 16 bits, whose range is for the model to say.

    stamp: what its file was like earlier.  then: applied to the pixels. If it is a canvas, a JPEG
    is decoded at 1/2, 1/4 or 1/8 of its size where that is still `GAP` times what it is scaled to.
    Raises Unreadable, also where the file is not what it was.
    """

    def read(image: Image.Image) -> np.ndarray:
        if isinstance(then, Canvas):
            _draft(image, then)
        return pixels(image)

    return _seen_through(data, stamp, read, lambda x, _: x if then is None else then(x))


def _draft(image: Image.Image, canvas: Canvas) -> None:
    """Let the decoder reduce a JPEG: it keeps `GAP` times the size that is scaled to, each side."""
    turned = _orientation(image) >= 5
    width, height = image.size
    tall, wide = canvas.scaled((width, height) if turned else (height, width))
    tall, wide = (wide, tall) if turned else (tall, wide)
    image.draft(None, (GAP * wide, GAP * tall))


def pixels(image: Image.Image) -> np.ndarray:
    """(C, H, W) uint8 pixels of a PIL image, transparency laid onto white; uint16 of 16 bits.

    Raises Unreadable for values that have no known range, and what PIL raises for broken files.

    >>> pixels(Image.new("RGBA", (2, 1), (255, 0, 0, 0))).tolist()  # red, but transparent
    [[[255, 255]], [[255, 255]], [[255, 255]]]
    """
    image.load()  # what is wrong with the image itself is raised here
    turn = TURNS.get(_orientation(image))
    image = image if turn is None else image.transpose(turn)
    if _is_deep(image):
        return _deep(np.asarray(image))[None]
    grey, transparent = _is_grey(image), image.has_transparency_data
    mode = "RGBA" if transparent else "L" if grey else "RGB"
    image = image if image.mode == mode else image.convert(mode)
    alpha = image.getchannel("A") if transparent else None
    planes = np.empty((1 if grey else 3, image.height, image.width), np.uint8)
    for c in range(len(planes)):  # one by one: large images would be in memory several times
        band = image if mode == "L" else image.getchannel(c)
        if alpha is not None:
            band = Image.composite(band, Image.new("L", image.size, 255), alpha)
        planes[c] = np.asarray(band)
    return planes


def _facts(image: Image.Image) -> tuple[int, tuple[int, int], int]:
    """Channels, (height, width) and highest level of what `pixels` would give, without making it.

    A JPEG file is read to its end, and drawn at an eighth of its size, which is faster.
    """
    size = image.size
    image.draft(image.mode, (1, 1))
    image.load()
    highest = 0
    if _is_deep(image):
        levels = _deep(np.asarray(image))  # its range may be no good
        highest = int(levels.max()) if levels.dtype == np.uint16 else 0
    width, height = size if _orientation(image) < 5 else size[::-1]
    return 1 if _is_deep(image) or _is_grey(image) else 3, (height, width), highest


def _seen_through(
    data: Encoded,
    stamp: Stamp | None,
    function: Callable[[Image.Image], T],
    then: Callable[[T, Stamp | None], R],
) -> R:
    """then(function(image), stamp of its file), where errors of `function` become Unreadable."""
    content, now = (data, None) if isinstance(data, bytes) else _content(data)
    if stamp is not None and now != stamp:
        raise Unreadable("has changed since it was checked")
    with ExitStack() as held:
        try:
            image = held.enter_context(Image.open(io.BytesIO(content), formats=FORMATS))
            width, height = image.size
            if width * height > LIMIT:
                raise _too_large(width * height, f" ({width:,} x {height:,})")
            if width * height > LARGE:
                held.enter_context(_large)
            value = function(image)
        except (Unreadable, MemoryError):
            raise
        except Image.DecompressionBombError as error:  # its size is in the message alone
            numbers = re.findall(r"\d+", str(error)) or ["0"]
            raise _too_large(int(numbers[0])) from error
        except UnidentifiedImageError as error:
            raise Unreadable(_no_image(content)) from error
        except Exception as error:  # decoders raise anything on broken data
            raise Unreadable(f"is damaged ({error or type(error).__name__})") from error
        return then(value, now)


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


def _orientation(image: Image.Image) -> int:
    """1..8, as EXIF says; 1 where it says nothing, or is damaged."""
    try:
        orientation = image.getexif().get(ORIENTATION, 1)
    except (SyntaxError, ValueError, KeyError, TypeError, IndexError, OSError, struct.error):
        return 1
    return orientation if orientation in TURNS else 1


def _is_deep(image: Image.Image) -> bool:
    """Whether it is grey with more than 8 bits."""
    return image.mode.startswith("I") or image.mode == "F"


def _is_grey(image: Image.Image) -> bool:
    if image.mode != "P":
        return image.mode in ("1", "L", "LA", "La", "PA")
    palette = np.array(image.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
    used = np.flatnonzero(image.histogram()[: len(palette)])
    return bool((palette[used] == palette[used, :1]).all())


def _deep(values: np.ndarray) -> np.ndarray:
    """Levels of 16 bits as uint16; floats in 0..1 as 0..255, uint8."""
    low, high = values.min(), values.max()
    if values.dtype.kind == "f":
        if not (low >= 0 and high <= 1):
            raise Unreadable(f"holds floats {low:.4g}..{high:.4g}; only 0..1 is read")
        return np.rint(values.astype(np.float64) * 255).astype(np.uint8)
    if low < 0 or high > 65535:
        raise Unreadable(f"holds 32-bit integers {low}..{high}; only 0..65535 is read")
    return values.astype(np.uint16)


_large = threading.Lock()
