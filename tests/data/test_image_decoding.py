"""One image at a time: pixels, colour, depth, orientation, what is refused."""

import io
import warnings

import numpy as np
import pytest
from PIL import Image

from evergrow.data import image_decoding
from evergrow.data.image_decoding import Unreadable, decode, pixels
from evergrow.data.quiet_warnings import quiet
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


@pytest.mark.parametrize("times", [1, 257])
def test_16_bits_stay_as_they_are_until_their_range_is_known(times):
    deep = (GREY.astype(np.uint16) * times).astype(np.uint16)
    for format in ("PNG", "TIFF", "PPM"):
        data = encoded(Image.fromarray(deep), format)
        assert (
            decode(data).dtype == np.uint16 and image_decoding.inspect(data).highest == deep.max()
        )
        np.testing.assert_array_equal(decode(data)[0], deep)
        top = 255 if times == 1 else 65535
        np.testing.assert_array_equal(decode(data, then=Canvas(1, 6, 9, top=top))[0], GREY)
    np.testing.assert_array_equal(pixels(Image.fromarray(GREY.astype(np.int32)))[0], GREY)


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
    exif[image_decoding.ORIENTATION] = orientation
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
