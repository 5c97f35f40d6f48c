"""Patches: a row's integers are its own, whatever comes with it; sizes; the bank."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from sklearn.datasets import load_digits

from evergrow.backbones.patches import BANK, LEAST, Patches, enlarged, normalised, pooling, stretch
from evergrow.errors import SettingError
from evergrow.network import Body

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_patch_bank.py"


def built(channels: int = 1, size: tuple[int, int] = (28, 28), **settings: object) -> Body:
    prepared = {"kind": "image", "channels": channels, "height": size[0], "width": size[1]}
    return Patches(**settings).build(prepared, torch.Generator())  # type: ignore[arg-type]


def images(n: int, channels: int = 1, size: tuple[int, int] = (28, 28)) -> torch.Tensor:
    rng = torch.Generator().manual_seed(n)
    rough = torch.rand(n, channels, 5, 5, generator=rng)
    return (torch.nn.functional.interpolate(rough, size, mode="bicubic").clamp(0, 1) * 255).byte()


@pytest.mark.parametrize("channels,size", [(1, (28, 28)), (1, (8, 8)), (3, (32, 32)), (3, (24, 40))])
def test_a_row_has_the_same_integers_whatever_batch_it_comes_in(channels, size):
    body, x = built(channels, size, filters=30), images(37, channels, size)
    whole = body.integers(x)
    rng = torch.Generator().manual_seed(0)
    for chunk in (1, 3, 16, 37):
        order = torch.randperm(len(x), generator=rng)
        parts = torch.cat([body.integers(part) for part in x[order].split(chunk)])
        assert torch.equal(parts, whole[order])


def test_integers_do_not_depend_on_threads_or_the_precision_of_products():
    body, x = built(filters=30), images(20)
    whole, threads = body.integers(x), torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        assert torch.equal(body.integers(x), whole)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(body.half().integers(x), whole)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(built(filters=30).integers(x), whole)


def test_integers_are_the_rounded_features():
    body, x = built(filters=30), images(20)
    features = body(x.float() / 255)
    assert features.shape == (20, body.width) and features.dtype == torch.float32
    assert torch.equal((features * body.scale).round().clamp(-127, 127).to(torch.int8), body.integers(x))
    assert features.min() >= 0 and body.integers(x).max() > 20


@pytest.mark.parametrize("size", [(1, 1), (1, 60), (8, 8), (23, 24), (24, 24), (28, 28), (64, 33)])
def test_width_depends_on_the_size_class_alone(size):
    small = min(size) < LEAST
    assert built(1, size).width == (3200 if small else 6400)
    body = built(1, (28, 28), filters=20)
    assert body.integers(images(2, 1, size)).shape == (2, body.width)


def test_no_images_give_no_rows():
    body = built(filters=20)
    assert body.integers(images(1)[:0]).shape == (0, body.width)
    assert body(torch.rand(0, 1, 28, 28)).shape == (0, body.width)


def test_brightness_and_contrast_hardly_matter_and_a_flat_image_has_no_features():
    body, x = built(), images(4)
    paler = (x.float() / 2 + 60).byte()
    assert torch.nn.functional.cosine_similarity(body(x / 255), body(paler / 255)).min() > 0.97
    assert body(torch.full((1, 1, 28, 28), 0.7)).abs().max() == 0


def test_sums_stay_exact_in_float32():
    for name, area in (("grey", 36), ("colour", 108)):
        norm = built(1 if name == "grey" else 3).bank.float().norm(dim=1).max()
        response = norm * area**0.5 * 22  # Cauchy-Schwarz
        assert response * 15**2 < 2**24  # a cell of a 64 x 64 image


def test_enlarging_is_linear_interpolation():
    x = images(3, 1, (8, 11))
    expected = torch.nn.functional.interpolate(x.double(), scale_factor=3, mode="bilinear")
    assert (enlarged(x.float()) - expected).abs().max() <= 0.5 + 1e-6
    assert enlarged(x.float()).shape == (3, 1, 24, 33)
    assert stretch(5, 4).sum(1).unique().tolist() == [8]


def test_patches_are_normalised():
    windows = torch.tensor([0.0, 255.0]).repeat(18).view(1, 36, 1)
    variance = 36 / 35 / 4
    assert normalised(windows).abs().unique().item() == round(21 * 0.5 / (variance + 0.01) ** 0.5)


def test_pooling_covers_every_position_like_adaptive_pooling():
    x = torch.rand(1, 1, 23, 31)
    cells = pooling(23, 31, 4)
    mean = (x.flatten() @ cells) / cells.sum(0)
    assert torch.allclose(mean, torch.nn.functional.adaptive_avg_pool2d(x, 4).flatten(), atol=1e-6)


def test_digits_are_told_apart_by_class_means():
    digits = load_digits()
    x = (torch.from_numpy(digits.images).float() * 255 / 16).round().byte()[:, None]
    y, body = torch.from_numpy(digits.target), built(1, (8, 8))
    features = torch.cat([body.integers(x[:500]), body.integers(x[-300:])]).float()
    means = torch.stack([features[:500][y[:500] == k].mean(0) for k in range(10)])
    predicted = torch.cdist(features[500:], means).argmin(1)
    assert (predicted == y[-300:]).float().mean() > 0.75


def test_the_bank_is_what_its_script_makes(tmp_path):
    subprocess.run([sys.executable, str(SCRIPT), str(tmp_path / "bank")], check=True)
    from safetensors.torch import load_file

    made, shipped = load_file(tmp_path / "bank"), load_file(BANK)
    assert made.keys() == shipped.keys()
    assert all((made[k].int() - shipped[k].int()).abs().max() <= 1 for k in made)  # eigh differs by machine


@pytest.mark.parametrize("settings", [{"filters": 0}, {"filters": 999}, {"grid": 0}, {"grid": 20}, {"threshold": -1}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(SettingError, match=next(iter(settings))):
        Patches(**settings)
