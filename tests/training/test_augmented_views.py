"""Views: the same shape and type, another picture, nothing but the generator given."""

import torch

from evergrow.training.augmented_views import brightened, cropped, noisy, shifted, view


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_view_of_pixels_is_pixels_and_drawn_from_the_generator_alone():
    x = torch.randint(256, (3, 2, 7, 5), generator=rng(), dtype=torch.uint8)
    torch.manual_seed(1)
    a = view(x, rng())
    torch.manual_seed(2)
    b, c = view(x, rng()), view(x, rng(1))
    assert a.shape == x.shape and a.dtype == torch.uint8
    assert torch.equal(a, b) and not torch.equal(a, c)


def test_a_crop_stays_inside_the_image():
    x = torch.arange(8.0).expand(50, 1, 8, 8)  # brightness grows from left to right
    seen = cropped(x, rng(), least=0.5)[:, 0, 0]
    steps = seen[:, 2:-1] - seen[:, 1:-2]
    assert seen.min() >= 0 and seen.max() <= 7
    assert (steps > 0.49).all() and (steps < 1.01).all()  # sides of a half to one
    assert not torch.allclose(seen[0], seen[1])


def test_the_whole_side_is_the_image_itself_and_a_flip_mirrors_half():
    x = torch.arange(8.0).expand(50, 1, 4, 8)
    torch.testing.assert_close(cropped(x, rng(), least=1.0), x)
    seen = cropped(x, rng(), flip=True, least=1.0)
    mirrored = (seen - x.flip(3)).abs().amax((1, 2, 3)) < 1e-4
    assert 10 < int(mirrored.sum()) < 40
    torch.testing.assert_close(seen[~mirrored], x[~mirrored])


def test_each_image_gets_one_brightness():
    x = torch.ones(40, 1, 2, 2)
    seen = brightened(x, rng(), most=0.2)
    assert torch.equal(seen, seen[:, :1, :1, :1].expand_as(seen))
    assert 0.8 <= seen.min() < 0.9 and 1.1 < seen.max() <= 1.2


def test_noise_is_a_share_of_each_columns_spread():
    x = torch.stack([torch.tensor([0.0, 20.0] * 500), torch.full((1000,), 7.0)], 1)
    added = noisy(x, rng(), share=0.1) - x
    assert 0.9 < added[:, 0].std() < 1.1  # a tenth of 10
    assert (added[:, 1] == 0).all()


def test_one_row_and_numbers_that_stand_for_things_come_back_as_they_are():
    row, tokens = torch.tensor([[1.0, 2.0]]), torch.tensor([[4, 7]])
    assert torch.equal(view(row, rng()), row) and view(tokens, rng()) is tokens


def test_an_image_is_shifted_by_a_pixel_and_its_edge_repeated():
    x = torch.arange(64.0).view(1, 1, 8, 8)
    draws = torch.Generator().manual_seed(0)
    seen = {tuple(shifted(x, 1, draws)[0, 0, 1:3, 1].tolist()) for _ in range(60)}
    assert seen == {(9 + d + a, 17 + d + a) for d in (-8, 0, 8) for a in (-1, 0, 1)}
