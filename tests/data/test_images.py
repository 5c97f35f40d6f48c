import io
import os
import struct
import threading
import warnings
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from evergrow.data import images, preprocess
from evergrow.data import read as sources
from evergrow.data.images import Unreadable, decode, inspect, pixels, quiet
from evergrow.data.resize import Canvas

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (6, 9, 3), dtype=np.uint8)
GREY = RNG.integers(0, 256, (6, 9), dtype=np.uint8)


def encoded(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "PPM", "WEBP"])
def test_lossless_formats_give_their_pixels(format):
    options = {"lossless": True} if format == "WEBP" else {}
    found = decode(encoded(Image.fromarray(COLOUR), format, **options))
    np.testing.assert_array_equal(found, COLOUR.transpose(2, 0, 1))
    assert found.dtype == np.uint8 and found.flags.c_contiguous


def test_jpeg_and_gif_give_what_pil_decodes():
    data = encoded(Image.fromarray(COLOUR), "JPEG")
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).transpose(2, 0, 1)
    np.testing.assert_array_equal(decode(data), expected)
    assert decode(encoded(Image.fromarray(GREY), "JPEG")).shape == (1, 6, 9)
    assert decode(encoded(Image.fromarray(GREY), "GIF")).tolist() == [GREY.tolist()]


def test_grey_stays_one_channel():
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(GREY), "PNG"))[0], GREY)
    bits = Image.fromarray(GREY > 99)
    assert bits.mode == "1"
    np.testing.assert_array_equal(decode(encoded(bits, "PNG"))[0], (GREY > 99) * 255)


def test_a_palette_is_grey_where_the_colours_used_are():
    grey = Image.fromarray(GREY).convert("P")
    assert grey.mode == "P"
    np.testing.assert_array_equal(decode(encoded(grey, "PNG"))[0], GREY)
    colour = Image.fromarray(COLOUR).quantize(8)
    expected = np.asarray(colour.convert("RGB")).transpose(2, 0, 1)
    np.testing.assert_array_equal(decode(encoded(colour, "PNG")), expected)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L"])
def test_transparency_is_laid_onto_white(mode):
    if mode in ("RGBA", "LA"):
        image = Image.new(mode, (4, 4), (0,) * len(mode))
        data = encoded(image, "PNG")
    else:  # one colour, marked as transparent
        data = encoded(Image.new(mode, (4, 4), 0), "PNG", transparency=0)
    found = decode(data)
    assert (found == 255).all()
    assert found.shape[0] == (3 if mode == "RGBA" else 1)


def test_half_transparent_black_on_white_is_mid_grey():
    found = pixels(Image.new("RGBA", (1, 1), (0, 0, 0, 128)))
    assert set(found.ravel().tolist()) == {127}


def test_palette_transparency_given_in_bytes_raises_no_warning():
    image = Image.fromarray(COLOUR).quantize(4)
    data = encoded(image, "PNG", transparency=bytes([0, 128, 255, 255]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decode(data).shape == (3, 6, 9)


def test_16_bits_are_scaled_to_8():
    deep = (GREY.astype(np.uint16) * 257).astype(np.uint16)
    for format in ("PNG", "TIFF", "PPM"):
        np.testing.assert_array_equal(decode(encoded(Image.fromarray(deep), format))[0], GREY)
    np.testing.assert_array_equal(pixels(Image.fromarray(GREY.astype(np.int32) * 257))[0], GREY)


def test_floats_in_0_to_1_are_read_and_others_not():
    np.testing.assert_array_equal(
        decode(encoded(Image.fromarray((GREY / 255).astype(np.float32)), "TIFF"))[0], GREY
    )
    with pytest.raises(Unreadable, match=r"floats 0\.\.2"):
        pixels(Image.fromarray(np.array([[0, 2]], np.float32)))
    with pytest.raises(Unreadable, match="32-bit integers"):
        pixels(Image.fromarray(np.array([[0, 70000]], np.int32)))


def test_other_colour_spaces_become_rgb():
    data = encoded(Image.fromarray(COLOUR).convert("CMYK"), "TIFF")
    found = decode(data)
    assert found.shape == (3, 6, 9)
    assert np.abs(found.transpose(1, 2, 0).astype(int) - COLOUR).max() <= 2
    assert pixels(Image.fromarray(COLOUR).convert("HSV")).shape == (3, 6, 9)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_followed(orientation):
    exif = Image.Exif()
    exif[images.ORIENTATION] = orientation
    found = decode(encoded(Image.fromarray(COLOUR), "PNG", exif=exif))
    turns = {
        1: lambda x: x,
        2: lambda x: x[:, ::-1],
        3: lambda x: x[::-1, ::-1],
        4: lambda x: x[::-1],
        5: lambda x: x.transpose(1, 0, 2),
        6: lambda x: np.rot90(x, -1),
        7: lambda x: np.rot90(x, 2).transpose(1, 0, 2),
        8: lambda x: np.rot90(x),
    }
    np.testing.assert_array_equal(found.transpose(1, 2, 0), turns[orientation](COLOUR))


def test_damaged_exif_leaves_the_picture_as_it_is():
    data = encoded(Image.fromarray(COLOUR), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xffgarbage")
    with quiet():
        assert decode(data).shape == (3, 6, 9)


def test_the_first_frame_of_an_animation_is_read():
    frames = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(decode(data)[0], GREY)


def test_pil_images_are_not_changed():
    image = Image.new("RGBA", (3, 3), (1, 2, 3, 4))
    before = image.tobytes()
    pixels(image)
    assert image.mode == "RGBA" and image.tobytes() == before


# -- what cannot be read ---------------------------------------------------------------------------


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
    monkeypatch.setattr(images, "LARGE", 10)
    now, most = [], []
    real = images.pixels

    def watched(image):
        now.append(1)
        most.append(len(now))
        found = real(image)
        now.pop()
        return found

    monkeypatch.setattr(images, "pixels", watched)
    threads = [threading.Thread(target=decode, args=(PNG,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 6


# -- silence ---------------------------------------------------------------------------------------


def test_overlapping_threads_leave_the_filters_as_they_were():
    before = list(warnings.filters)
    first_in, second_in, first_out = (threading.Event() for _ in range(3))

    def first():
        with quiet():
            first_in.set()
            second_in.wait(5)
        first_out.set()

    def second():
        first_in.wait(5)
        with quiet():
            second_in.set()
            first_out.wait(5)
            warnings.warn("unheard", UserWarning, stacklevel=1)

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(warnings.filters) == before


@pytest.mark.parametrize("size", [(640, 481), (7, 3)])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_look_at_a_jpeg_finds_its_size_and_all_damage_that_decoding_finds(size, progressive):
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    whole = encoded(Image.fromarray(noise), "JPEG", progressive=progressive)
    found = inspect(whole)
    assert (found.channels, *found.size) == decode(whole).shape
    for end in (len(whole) * 9 // 10, len(whole) // 2):
        for read in (inspect, decode):
            with pytest.raises(Unreadable, match="damaged"):
                read(whole[:end])


# -- large JPEGs, reduced while they are decoded ---------------------------------------------------


def drawing(height, width):
    """A picture with something in each corner, smooth enough for any scaling to agree."""
    rows, columns = np.mgrid[0:height, 0:width]
    bands = [255 * rows / height, 255 * columns / width, 255 * (rows < height / 3)]
    return np.stack(bands, 2).astype(np.uint8)


@pytest.fixture
def sizes(monkeypatch):
    """(height, width) of all pictures that were decoded."""
    found, real = [], images.pixels

    def watched(image):
        x = real(image)
        found.append(x.shape[1:])
        return x

    monkeypatch.setattr(images, "pixels", watched)
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
    exif[images.ORIENTATION] = orientation
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
    monkeypatch.setattr(images, "LIMIT", 480 * 640)
    assert decode(data, then=Canvas(3, 8, 8)).shape == (3, 8, 8)
    monkeypatch.setattr(images, "LIMIT", 480 * 640 - 1)
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
