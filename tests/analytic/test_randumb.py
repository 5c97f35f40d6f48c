"""The second opinion: exact, of any order, and the same after it was stored or served."""

import torch

from evergrow.analytic.randumb import RanDumb

RNG = torch.Generator().manual_seed(0)
CENTRES = torch.tensor([[6.0, 0.0, 0.0], [0.0, 6.0, 0.0], [0.0, 0.0, 6.0]])
Y = torch.arange(90) % 3
X = CENTRES[Y] + torch.randn(90, 3, generator=RNG)


def told(rows=slice(None), size=32):
    opinion = RanDumb(size)
    opinion.add(X[rows], Y[rows], total=3)
    return opinion


def test_it_tells_classes_apart_that_it_saw_once():
    assert (told(slice(0, 60)).log_shares(X[60:]).argmax(1) == Y[60:]).float().mean() > 0.9


def test_the_order_after_the_first_rows_makes_no_difference():
    one, other = RanDumb(32), RanDumb(32)
    for opinion, chunks in (
        (one, [range(45), range(45, 90)]),
        (other, [range(45), range(89, 44, -1)]),
    ):
        for rows in map(list, chunks):
            opinion.add(X[rows], Y[rows], total=3)
    assert torch.equal(one.log_shares(X), other.log_shares(X))


def test_a_rows_answer_does_not_depend_on_its_batch():
    opinion = told()
    alone = torch.cat([opinion.log_shares(x[None]) for x in X[:5]])
    assert torch.equal(alone, opinion.log_shares(X)[:5])


def test_it_comes_back_from_its_state_and_from_its_answer():
    opinion = told()
    twin, server = RanDumb(32), RanDumb(32)
    twin.fill(opinion.state())
    server.serve(opinion.answer())
    for other in (twin, server):
        assert torch.equal(other.log_shares(X), opinion.log_shares(X)) and other.covers(3)


def test_it_covers_only_classes_that_gave_samples():
    opinion = RanDumb(8)
    assert not opinion.covers(1)
    opinion.add(X[:1], torch.tensor([1]), total=2)
    assert not opinion.covers(2)
    opinion.add(X[:1], torch.tensor([0]), total=2)
    assert opinion.covers(2) and not opinion.covers(3)


def test_pixels_are_halved_whatever_the_first_image_holds():
    opinion = RanDumb(8)
    opinion.add(torch.full((2, 1, 2, 2), 7, dtype=torch.uint8), torch.tensor([0, 1]), total=2)
    assert opinion.scale == 0.5


def test_large_images_are_averaged_down():
    opinion = RanDumb(8)
    opinion.add(torch.zeros(2, 3, 100, 40, dtype=torch.uint8), torch.tensor([0, 1]), total=2)
    assert opinion.layer.width == 3 * 32 * 32
