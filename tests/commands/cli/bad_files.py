"""Image files that cannot be read."""

import struct
import zlib

import numpy as np
from PIL import Image

rng = np.random.default_rng(0)


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG file of a few bytes whose header claims this size."""

    def part(name: bytes, data: bytes) -> bytes:
        sum_ = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", sum_)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 100)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", pixels) + part(b"IEND", b"")


def jpeg_cut_short() -> bytes:
    import io

    file = io.BytesIO()
    Image.fromarray(rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(file, "JPEG")
    return file.getvalue()[:1500]


BAD_FILES = {
    "empty.png": b"",
    "text.png": b"this is a text, not an image",
    "corrupt.png": b"\x89PNG\r\n\x1a\n" + bytes(range(200)),
    "giant.png": png_that_claims(30_000, 20_000),
    "cut.jpg": jpeg_cut_short(),
}
