"""Patches: an image's integers are its own, whatever comes with it; sizes; exactness; the bank."""

import runpy
from itertools import product
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from sklearn.datasets import load_digits
from torch.nn import functional as F

from evergrow.backbones import patches
from evergrow.backbones.patches import (
    BANK,
    LEAST,
    MOST,
    SIDES,
    UNIT,
    Patches,
    pooling,
    sampling,
    sized,
    whitened,
)
from evergrow.errors import SettingError
from evergrow.nn.network import Body

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_patch_bank.py"
CPU = torch.device("cpu")


def built(channels: int = 1, size: tuple[int, int] = (28, 28), **settings: object) -> Body:
    prepared = {"kind": "image", "channels": channels, "height": size[0], "width": size[1]}
    return Patches(**settings).build(prepared, torch.Generator())  # type: ignore[arg-type]


def images(n: int, channels: int = 1, size: tuple[int, int] = (28, 28)) -> torch.Tensor:
    rng = torch.Generator().manual_seed(n)
    rough = F.interpolate(torch.rand(n, channels, 5, 5, generator=rng), size, mode="bicubic")
    noise = torch.rand(n, channels, *size, generator=rng) * 0.05
    return ((rough + noise).clamp(0, 1) * 255).byte()


@pytest.mark.parametrize("channels,size", list(product([1, 3], [(28, 28), (8, 8), (24, 40)])))
def test_an_image_has_the_same_integers_whatever_batch_it_comes_in(channels, size):
    body, x = built(channels, size, filters=30), images(37, channels, size)
    whole = body.integers(x)
    rng = torch.Generator().manual_seed(0)
    for chunk in (1, 3, 16, 37):
        order = torch.randperm(len(x), generator=rng)
        parts = torch.cat([body.integers(part) for part in x[order].split(chunk)])
        assert torch.equal(parts, whole[order])


def test_integers_do_not_depend_on_threads_strides_or_casts_of_the_network():
    body, x = built(3, filters=30), images(20, 3)
    whole, threads = body.integers(x), torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        assert torch.equal(body.integers(x), whole)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(body.integers(x.to(memory_format=torch.channels_last)), whole)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(body.integers(x), whole)
    assert torch.equal(body.half().integers(x), whole)


@pytest.mark.parametrize("channels", [1, 3])
def test_float32_gives_what_float64_gives(channels, monkeypatch):
    def double(height: int, width: int, grid: int, device: torch.device) -> list[torch.Tensor]:
        return [tensor.double() for tensor in pooling(height, width, grid, device)]

    body, x = built(channels), images(6, channels)
    single = body.integers(x)
    monkeypatch.setattr(patches, "pooling", double)
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)
    assert torch.equal(body.integers(x), single)


def test_sums_stay_below_the_largest_that_float32_holds_exactly():
    bank = {name: tensor.double() for name, tensor in load_file(BANK).items()}
    sizes = [(LEAST, LEAST), (28, 28), (64, 64), (LEAST, MOST), (MOST, MOST)]
    for side, grid, (height, width) in product(SIDES, (2, 4, 8, 16), sizes):
        length = UNIT + side / 2  # of a whitened square, rounding included
        response = length * bank[f"filters{side}"].norm(dim=1).max()
        size = pooling(height - side + 1, width - side + 1, grid, CPU)[1]
        assert 0 < size.min() and size.max() * response < 2**24
        largest = 4 * 255 * bank[f"whiten{side}"].abs().sum(1).max() / 2  # yellow - blue
        assert largest < 2**24 and (largest * side) ** 2 < 2**53


def test_integers_are_the_rounded_features():
    body, x = built(filters=30), images(20)
    features = body(x.float() / 255)
    assert features.shape == (20, body.width) and features.dtype == torch.float32
    assert 0 <= features.min() and features.max() <= 1
    rounded = (features * body.scale).round().clamp(-127, 127).to(torch.int8)
    assert torch.equal(rounded, body.integers(x))
    assert 20 < rounded.float().mean() < 60 and (rounded == 127).float().mean() < 0.02


@pytest.mark.parametrize("size", [(1, 1), (1, 60), (8, 8), (23, 24), (24, 24), (64, 33), (200, 90)])
def test_width_depends_on_channels_and_the_size_class_alone(size):
    filters = 99 if min(size) < LEAST else 201
    assert built(1, size).width == (2 * filters + 1) * 16
    assert built(3, size).width == (2 * filters + 3) * 16
    body = built(1, (28, 28), filters=20)
    assert body.integers(images(2, 1, size)).shape == (2, body.width)


def test_no_images_give_no_rows():
    body = built(filters=20)
    assert body.integers(images(1)[:0]).shape == (0, body.width)
    assert body(torch.rand(0, 1, 28, 28)).shape == (0, body.width)


def test_contrast_hardly_matters_to_filters_and_flat_images_differ_by_their_tone_alone():
    body, x = built(), images(4)
    paler = (x.float() / 2 + 60).byte()
    filters = body(x / 255)[:, 16:], body(paler / 255)[:, 16:]
    assert F.cosine_similarity(*filters).min() > 0.97
    flat = body(torch.tensor([0.2, 0.8]).view(2, 1, 1, 1).expand(2, 1, 28, 28))
    assert flat[:, 16:].abs().max() == 0
    assert torch.allclose(flat[:, :16], torch.tensor([[0.1], [0.4]]), atol=1e-6)


def test_colours_of_one_brightness_differ_in_more_than_tone():
    x = torch.full((2, 3, 32, 32), 0.4)
    x[0, 0, 8:24, 8:24], x[0, 1, 8:24, 8:24] = 0.7, 0.1  # a red square
    x[1, 0, 8:24, 8:24], x[1, 1, 8:24, 8:24] = 0.1, 0.7  # a green square
    red, green = built(3, (32, 32))(x)[:, 48:]
    assert F.cosine_similarity(red, green, dim=0) < 0.5


def test_small_images_are_interpolated_and_large_ones_averaged():
    small, large = images(3, 1, (8, 11)), images(2, 3, (260, 140))
    expected = F.interpolate(small.double(), scale_factor=3, mode="bilinear")
    assert (sized(small.float()) - expected).abs().max() <= 0.5 + 1e-6
    means = F.avg_pool2d(large.double()[:, :, :258], (3, 2))
    assert (sized(large.float()) - means).abs().max() <= 0.5 + 1e-6
    assert all(sampling(n).sum(1).unique().numel() == 1 for n in (1, 2, 5, 23, 129, 300))


def test_whitened_squares_have_one_length_unless_contrast_is_low():
    whiten, floor = load_file(BANK)["whiten6"].float(), torch.zeros(1, 1, 1)
    x = images(1).float()
    lengths = whitened(x, whiten, floor).norm(dim=2)
    assert ((lengths - UNIT).abs() <= 3).all()
    assert whitened(x, whiten, floor + 1e15).abs().max() == 0


def test_digits_are_told_apart_by_class_means():
    digits = load_digits()
    x = (torch.from_numpy(digits.images).float() * 255 / 16).round().byte()[:, None]
    y, body = torch.from_numpy(digits.target), built(1, (8, 8))
    features = torch.cat([body.integers(x[:500]), body.integers(x[-300:])]).float()
    means = torch.stack([features[:500][y[:500] == k].mean(0) for k in range(10)])
    predicted = torch.cdist(features[500:], means).argmin(1)
    assert (predicted == y[-300:]).float().mean() > 0.8


def test_the_bank_is_what_its_script_makes(tmp_path):
    runpy.run_path(str(SCRIPT))["main"](tmp_path / "bank")
    made, shipped = load_file(tmp_path / "bank"), load_file(BANK)
    assert made.keys() == shipped.keys() and BANK.stat().st_size < 100_000
    for name, tensor in made.items():  # another machine's rounding may tip an entry or two
        assert (tensor.int() - shipped[name].int()).abs().max() <= 1


@pytest.mark.parametrize(
    "name,value", [("filters", 0), ("filters", 999), ("grid", 1), ("threshold", -1.0)]
)
def test_settings_out_of_range_are_refused(name, value):
    with pytest.raises(SettingError, match=f"{name}={value}: expected"):
        Patches(**{name: value})
