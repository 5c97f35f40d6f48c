import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

from evergrow.data import image_arrays, resize
from evergrow.data.resize import Canvas

PHOTOS = [image.transpose(2, 0, 1) for image in load_sample_images().images]  # (3, 427, 640)
GREY = np.random.default_rng(0).integers(0, 256, (2, 1, 9, 11), dtype=np.uint8)


@pytest.mark.parametrize("crop", ["center", "squash", "border"])
@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
@pytest.mark.parametrize("share", [0.875, 1.0, 1.15])
@pytest.mark.parametrize("size", [(224, 224), (96, 128)])
def test_images_are_scaled_and_cut_as_timm_evaluates(crop, kernel, share, size):
    timm = pytest.importorskip("timm")
    mean = (0.485, 0.456, 0.406)
    theirs = timm.data.create_transform(
        (3, *size),
        crop_mode=crop,
        crop_pct=share,
        interpolation=kernel,
        mean=mean,
        normalize=False,
    )
    fill = tuple(round(255 * m) for m in mean) if crop == "border" else ()
    ours = Canvas(3, *size, kernel, crop, share, fill)
    for photo in (*PHOTOS, PHOTOS[0][:, :, :301], PHOTOS[1][:, :61, :80]):
        expected = theirs(Image.fromarray(photo.transpose(1, 2, 0))).numpy()
        away = np.abs(ours(photo).astype(int) - expected)
        # by one level at most, but where Pillow cuts overshoot off in another order
        assert away.mean() < 0.3 and (away > 1).mean() < 1e-3


def test_without_a_crop_each_side_is_squeezed():
    form = {"kind": "image", "channels": 3, "height": 20, "width": 33}
    np.testing.assert_array_equal(
        resize.canvas_of(form)(PHOTOS[0]), image_arrays.resize(PHOTOS[0][None], (20, 33))[0]
    )


def test_an_image_of_the_canvas_size_is_taken_as_it_is():
    form = Canvas(1, 9, 11, "bicubic", "center", 0.5)
    np.testing.assert_array_equal(form.bring(GREY), GREY)
    assert form.bring(GREY[:, :, :, :10]).shape == (2, 1, 9, 11)


def test_grey_and_colour_are_turned_into_each_other():
    grey = Canvas(3, 7, 8, "bicubic", "center", 0.9).bring(GREY)
    assert grey.shape == (2, 3, 7, 8) and (grey == grey[:, :1]).all()
    luma = Canvas(1, 427, 600, crop="center")(PHOTOS[0])
    np.testing.assert_array_equal(luma, image_arrays.recolour(PHOTOS[0][None], 1)[0][:, :, 20:620])


@pytest.mark.parametrize("fill", [(), (9, 8, 7)])
def test_what_is_missing_is_filled_evenly_on_both_sides(fill):
    found = Canvas(3, 8, 8, crop="border", fill=fill)(np.full((1, 2, 4), 200, np.uint8))
    expected = np.zeros((3, 8, 8)) + np.array(fill or [0, 0, 0]).reshape(3, 1, 1)
    expected[:, 2:6] = 200
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("crop", ["squeeze", "center", "squash", "border"])
@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (3, 2)])
def test_images_of_any_proportion_fit(crop, size):
    for form in (Canvas(1, 16, 16, crop=crop, share=0.9), Canvas(1, 12, 16, crop=crop, share=0.9)):
        assert form(np.full((1, *size), 7, np.uint8)).shape == (1, form.height, form.width)


def test_the_form_says_all_of_it():
    form = {"kind": "image", "channels": 3, "height": 2, "width": 3, "interpolation": "bicubic"}
    form |= {"crop": "border", "crop_pct": 0.9, "fill": [1, 2, 3]}
    assert resize.canvas_of(form) == Canvas(3, 2, 3, "bicubic", "border", 0.9, (1, 2, 3))
