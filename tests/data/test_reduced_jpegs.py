"""Large JPEGs, reduced while they are decoded."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from evergrow.data import image_decoding, preprocess
from evergrow.data import read as sources
from evergrow.data.image_decoding import Unreadable, decode, inspect
from evergrow.data.resize import Canvas


def encoded(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def drawing(height, width):
    """A picture with something in each corner, smooth enough for any scaling to agree."""
    rows, columns = np.mgrid[0:height, 0:width]
    bands = [255 * rows / height, 255 * columns / width, 255 * (rows < height / 3)]
    return np.stack(bands, 2).astype(np.uint8)


@pytest.fixture
def sizes(monkeypatch):
    """(height, width) of all pictures that were decoded."""
    found, real = [], image_decoding.pixels

    def watched(image):
        x = real(image)
        found.append(x.shape[1:])
        return x

    monkeypatch.setattr(image_decoding, "pixels", watched)
    return found


@pytest.mark.parametrize(
    ("size", "canvas", "decoded"),
    [
        ((480, 640), Canvas(3, 60, 60), (120, 160)),  # a quarter: 120 is twice 60
        ((479, 640), Canvas(3, 60, 60), (240, 320)),  # a quarter would be less than twice 60
        ((480, 640), Canvas(3, 30, 30), (60, 80)),
        ((480, 640), Canvas(3, 10, 10), (60, 80)),  # an eighth is the least there is
        ((480, 640), Canvas(3, 121, 121), (480, 640)),
        ((480, 640), Canvas(3, 60, 200), (480, 640)),
        ((480, 640), Canvas(3, 60, 60, crop="center", share=0.5), (240, 320)),
        ((480, 640), Canvas(3, 120, 60, crop="center"), (240, 320)),
        ((161, 165), Canvas(3, 10, 10), (21, 21)),  # rounded up
    ],
)
@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_a_jpeg_is_reduced_where_twice_what_is_needed_is_left(
    sizes, size, canvas, decoded, orientation
):
    exif = Image.Exif()
    exif[image_decoding.ORIENTATION] = orientation
    stored = np.rot90(drawing(*size), {1: 0, 3: 2, 6: 1}[orientation])  # EXIF turns it back
    data = encoded(Image.fromarray(stored), "JPEG", quality=95, exif=exif)
    found = decode(data, then=canvas)
    assert sizes == [decoded]
    whole = canvas(decode(data))
    assert found.shape == whole.shape
    assert np.abs(found.astype(int) - whole).mean() < 6  # within half a pixel at the far edges


def test_only_a_canvas_reduces_and_only_jpegs_are_reduced(sizes):
    image = Image.fromarray(drawing(480, 640))
    decode(encoded(image, "JPEG"))
    decode(encoded(image, "JPEG"), then=lambda x: x)
    decode(encoded(image, "PNG"), then=Canvas(3, 8, 8))
    assert sizes == [(480, 640)] * 3


def test_a_jpeg_with_too_many_pixels_is_refused_however_much_it_would_be_reduced(monkeypatch):
    data = encoded(Image.fromarray(drawing(480, 640)), "JPEG")
    monkeypatch.setattr(image_decoding, "LIMIT", 480 * 640)
    assert decode(data, then=Canvas(3, 8, 8)).shape == (3, 8, 8)
    monkeypatch.setattr(image_decoding, "LIMIT", 480 * 640 - 1)
    for read in (inspect, lambda data: decode(data, then=Canvas(3, 8, 8))):
        with pytest.raises(Unreadable, match=r"640 x 480.*make it smaller"):
            read(data)


def test_a_reduced_jpeg_that_is_damaged_is_refused():
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), "JPEG")
    with pytest.raises(Unreadable, match="damaged"):
        decode(data[: len(data) // 2], then=Canvas(3, 8, 8))


def test_a_large_jpeg_of_a_folder_is_reduced_and_its_pixels_are_the_same_each_time(tmp_path, sizes):
    paths = [tmp_path / f"{i}.jpg" for i in range(6)]
    for path in paths:
        Image.fromarray(drawing(256, 320)).save(path)
    chunk = sources.read(paths, need_labels=False)
    form = preprocess.spec(chunk.seen, 32)
    sizes.clear()
    found = preprocess.Prepared(chunk, form).take(torch.arange(6))
    assert sizes == [(64, 80)] * 6
    assert (found == found[:1]).all()
