import numpy as np
import pytest
from PIL import Image

from evergrow.data import image_arrays
from evergrow.errors import DataError

GREY = np.arange(2 * 4 * 5, dtype=np.uint8).reshape(2, 4, 5)
COLOUR = np.arange(2 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 4, 5, 3)


def test_every_layout_gives_the_same_pixels():
    for x in (GREY, GREY[..., None], GREY[:, None]):
        np.testing.assert_array_equal(image_arrays.as_images(x), GREY[:, None])
    for x in (COLOUR, COLOUR.transpose(0, 3, 1, 2)):
        np.testing.assert_array_equal(image_arrays.as_images(x), COLOUR.transpose(0, 3, 1, 2))


def test_every_range_gives_the_same_levels():
    for x in (GREY / 255, (GREY / 255).astype(np.float32), (GREY / 255).astype(np.float16)):
        np.testing.assert_array_equal(image_arrays.as_images(x)[:, 0], GREY)
    assert image_arrays.as_images(GREY > 3).max() == 255


def test_a_hair_above_one_is_rounding():
    assert image_arrays.as_images(np.full((1, 4, 4), 1.00001)).max() == 255
    assert image_arrays.as_images(np.full((1, 4, 4), -0.00001)).max() == 0


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((5, 28, 3), r"one image with 3 channels, or 5 images 3 pixels wide\? .*X\[None\]"),
        ((5, 28, 1), "one image with 1 channels"),
        ((5, 3, 3, 3), "channels may come first or last.*torch.from_numpy"),
        ((5, 3, 8, 1), "channels may come first or last"),
        ((5, 8, 8, 4), "4 channels"),
        ((5, 8, 8, 7), "Reshape your data"),
        ((5, 3, 8, 8, 8), "need a backbone of your own"),
    ],
)
def test_a_layout_that_can_be_read_two_ways_or_none_is_refused(shape, message):
    with pytest.raises(DataError, match=message):
        image_arrays.as_images(np.zeros(shape, np.uint8))


def test_where_channels_are_known_to_come_first_nothing_is_ambiguous():
    x = np.arange(5 * 27, dtype=np.uint8).reshape(5, 3, 3, 3)
    np.testing.assert_array_equal(image_arrays.as_images(x, channels_first=True), x)
    assert image_arrays.as_images(np.zeros((5, 1, 1, 1), np.uint8)).shape == (5, 1, 1, 1)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.array([0.0, 16.0]), r"float64 with values 0..16.*X / 16\?"),
        (np.array([0.0, 255.0]), r"0..255; pass X.astype\('uint8'\)"),
        (np.array([0.0, 4095.0]), r"X / 4095\?"),
        (np.array([-2.1, 2.6]), "leave out the normalisation"),
        (np.array([0.0, np.nan]), r"contains NaN \(first: image 0\)"),
        (np.array([0.0, np.inf]), "0..inf"),
        (np.array([0, 255]), r"dtype int64 with values 0..255; pass X.astype\('uint8'\)"),
        (np.array([0, 65535], np.uint16), "dtype uint16"),
    ],
)
def test_any_other_range_is_refused_with_what_to_pass(x, message):
    with pytest.raises(DataError, match=message):
        image_arrays.as_images(np.resize(x, (1, 4, 4)))


def test_only_0_and_1_in_bytes_is_refused_but_black_is_an_image():
    image_arrays.refuse_two_levels(0)
    image_arrays.refuse_two_levels(2)
    with pytest.raises(DataError, match=r"holds only 0 and 1; pass X.astype\(bool\)"):
        image_arrays.refuse_two_levels(1)


def photo(height, width, channels=3, seed=0):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 8 + 2, width // 8 + 2, channels), dtype=np.uint8)
    picture = Image.fromarray(coarse if channels == 3 else coarse[..., 0])
    return np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(32, 32), (7, 50), (100, 33), (1, 1), (224, 96), (89, 72)])
def test_resizing_is_pillows_to_one_level(size, kernel):
    image = photo(90, 71) // 2 + 50  # away from 0 and 255: Pillow may cut off there in other order
    mine = image_arrays.resize(image.transpose(2, 0, 1)[None], size, kernel)[0].transpose(1, 2, 0)
    theirs = Image.fromarray(image).resize(size[::-1], Image.Resampling[kernel.upper()])
    away = np.abs(mine.astype(int) - np.asarray(theirs)).max()
    assert away <= (2 if kernel == "bicubic" else 1)  # rounded between, by Pillow in other order


def test_bicubic_overshoots_at_an_edge_and_stays_within_0_to_255():
    step = np.repeat(np.array([0, 255], np.uint8), 8)[None, None, None]
    found = image_arrays.resize(step // 2 + 60, (1, 32), "bicubic").ravel()
    assert found.min() < 60 and found.max() > 187
    wide = image_arrays.resize(step, (1, 32), "bicubic").ravel()
    assert (wide[:10] == 0).all() and (wide[-10:] == 255).all()  # and not 250 or 4


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(256, 31), (45, 300), (20, 61)])
def test_a_window_is_that_part_of_the_whole(size, kernel):
    x = np.random.default_rng(0).integers(0, 256, (2, 3, 45, 61), dtype=np.uint8)
    rows, columns = slice(3, 19), slice(5, 30)
    part = image_arrays.resize(x, size, kernel, (rows, columns))
    np.testing.assert_array_equal(part, image_arrays.resize(x, size, kernel)[:, :, rows, columns])


def test_resizing_keeps_flat_images_flat_and_leaves_the_right_size_alone():
    for level in (0, 1, 127, 254, 255):
        assert set(
            np.unique(image_arrays.resize(np.full((1, 1, 37, 501), level, np.uint8), (32, 9)))
        ) == {level}
    x = np.zeros((2, 1, 4, 4), np.uint8)
    assert image_arrays.resize(x, (4, 4)) is x
    assert image_arrays.resize(x[:0], (2, 3)).shape == (0, 1, 2, 3)


def test_resizing_gives_the_same_pixels_in_any_batch_and_any_block(monkeypatch):
    x = np.stack([photo(45, 61, seed=seed).transpose(2, 0, 1) for seed in range(7)])
    whole = image_arrays.resize(x, (16, 20))
    singles = np.concatenate([image_arrays.resize(x[i : i + 1], (16, 20)) for i in range(7)])
    monkeypatch.setattr(image_arrays, "PRODUCT", 5000)
    np.testing.assert_array_equal(whole, singles)
    np.testing.assert_array_equal(whole, image_arrays.resize(x, (16, 20)))


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
def test_resizing_is_exact_integer_arithmetic(kernel):
    x = np.random.default_rng(0).integers(0, 256, (1, 1, 1, 777), dtype=np.uint8)
    expected, unit = [], image_arrays.UNITS[kernel]
    for _, low, high, weights in image_arrays.bands(777, 50, 0, 50, kernel):
        whole = weights.astype(np.int64)
        assert (whole == weights).all() and (whole.sum(0) == unit).all()
        part = x[0, 0, 0, low:high].astype(np.int64) @ whole
        expected += np.clip((part + unit // 2) // unit, 0, 255).tolist()
    assert image_arrays.resize(x, (1, 50), kernel).ravel().tolist() == expected


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
def test_no_sum_of_products_is_too_large_to_be_exact_in_float32(kernel):
    for old in (1, 2, 3, 4, 5, 6, 7, 9, 50, 333, 4000):
        for new in (1, 2, 3, 5, 8, 31, 224, 300):
            for *_, weights in image_arrays.bands(old, new, 0, new, kernel):
                largest = 255 * np.abs(weights).sum(0).max() + image_arrays.UNITS[kernel] / 2
                assert largest < 2**24


def test_grey_is_repeated_and_colour_becomes_pillows_luma():
    grey = photo(8, 8, 1)[None, None]
    assert (image_arrays.recolour(grey, 3) == grey).all() and image_arrays.recolour(grey, 3).shape[
        1
    ] == 3
    colour = photo(20, 20)
    luma = np.asarray(Image.fromarray(colour).convert("L"))
    np.testing.assert_array_equal(
        image_arrays.recolour(colour.transpose(2, 0, 1)[None], 1)[0, 0], luma
    )
    assert image_arrays.recolour(grey, 1) is grey
