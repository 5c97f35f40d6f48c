"""Images that cannot be read: what is said of each."""

import io
import os
import struct
import threading
import zlib

import numpy as np
import pytest
from PIL import Image

from evergrow.data import image_decoding
from evergrow.data.image_decoding import Unreadable, decode, inspect
from evergrow.data.quiet_warnings import quiet

RNG = np.random.default_rng(0)


GREY = RNG.integers(0, 256, (6, 9), dtype=np.uint8)


def encoded(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def header_only_png(width, height):
    """A PNG that says its size and holds no more."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 1000) + b"IDAT"


PNG = encoded(Image.fromarray(RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)), "PNG")


JPEG = encoded(Image.fromarray(RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)), "JPEG")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"hello world, this is text", r"is text, not an image \(it begins 'hello world"),
        (b"\x00\x01\x02\x03" * 20, "is not an image of a kind that is read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "is text, not an image"),
        (PNG[:300], "is damaged"),
        (PNG[:30], "damaged"),
        (JPEG[: len(JPEG) // 2], "is damaged .*truncated"),
        (PNG[:100] + bytes(50) + PNG[150:], "is damaged"),
        (header_only_png(30000, 20000), r"600 million pixels.*at most 100 million are read"),
        (header_only_png(12000, 9000), r"108 million pixels \(12,000 x 9,000\)"),
        (header_only_png(2**31 - 1, 2**31 - 1), "million pixels"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_a_few_words(tmp_path, content, reason):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with quiet(), pytest.raises(Unreadable, match=reason):
        decode(path)


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "dangling.png").symlink_to(tmp_path / "nowhere.png")
    for name, reason in [
        ("pipe.png", "is not a file"),
        ("folder.png", "is not a file"),
        ("dangling.png", "no such file"),
        ("missing.png", "no such file"),
    ]:
        with pytest.raises(Unreadable, match=reason):
            decode(tmp_path / name)


def test_a_600_megapixel_image_with_all_its_data_is_not_decoded(tmp_path):
    rows = zlib.compress(bytes(30000 // 8 + 1) * 2000, 9)  # a tenth of them is enough
    data = header_only_png(30000, 20000)[:-8] + struct.pack(">I", len(rows)) + b"IDAT" + rows
    data += struct.pack(">I", zlib.crc32(b"IDAT" + rows))
    with quiet(), pytest.raises(Unreadable, match="600 million"):
        decode(data)


def test_a_file_that_changed_since_it_was_looked_at_is_refused(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    found = inspect(path)
    assert (found.channels, found.size) == (3, (64, 64))
    assert decode(path, found.stamp).shape == (3, 64, 64)
    path.write_bytes(encoded(Image.fromarray(GREY), "PNG"))
    with pytest.raises(Unreadable, match="has changed since it was checked"):
        decode(path, found.stamp)
    path.unlink()
    with pytest.raises(Unreadable, match="no such file"):
        decode(path, found.stamp)


def test_large_images_are_decoded_one_at_a_time(monkeypatch):
    monkeypatch.setattr(image_decoding, "LARGE", 10)
    now, most = [], []
    real = image_decoding.pixels

    def watched(image):
        now.append(1)
        most.append(len(now))
        found = real(image)
        now.pop()
        return found

    monkeypatch.setattr(image_decoding, "pixels", watched)
    threads = [threading.Thread(target=decode, args=(PNG,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 6
