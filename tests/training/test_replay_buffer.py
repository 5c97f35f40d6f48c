"""Memories: what stays, what it costs, and what comes back from a store."""

import pytest
import torch

from evergrow.data.task import Batch
from evergrow.errors import SettingError
from evergrow.training.random_generators import Generators
from evergrow.training.replay_buffer import (
    Archive,
    Balanced,
    Reservoir,
    distinct,
    evenly,
    pad_columns,
)


def batch(start: int, n: int, first: bool = True) -> Batch:
    x = torch.arange(start, start + n, dtype=torch.float32)[:, None]
    return Batch(x, torch.arange(start, start + n), x, first)


def test_every_example_is_as_likely_to_stay():
    kept = torch.zeros(100)
    for seed in range(400):
        past = Reservoir(10, None, Generators(seed))
        for start in range(0, 100, 7):
            past.add(batch(start, min(7, 100 - start)))
        kept[past.y] += 1
    assert kept.sum() == 4000
    thirds = kept.view(4, 25).mean(1)  # 40 expected in each; its standard deviation is 1.2
    assert (thirds - 40).abs().max() < 5


def test_an_example_and_its_label_stay_together():
    past = Reservoir(5, None, Generators(0))
    for start in range(0, 300, 30):
        past.add(batch(start, 30), logits=torch.arange(start, start + 30.0)[:, None])
    assert past.x[:, 0].tolist() == past.y.tolist() == past.logits[:, 0].tolist()


def test_later_epochs_are_not_offered():
    past = Reservoir(5, None, Generators(0))
    past.add(batch(0, 3))
    past.add(batch(0, 3, first=False))
    assert (len(past), past.seen) == (3, 3)


def test_recorded_logits_are_nan_for_classes_born_since():
    past = Reservoir(10, None, Generators(0))
    past.add(batch(0, 1), logits=torch.tensor([[1.0]]))
    past.add(batch(1, 1), logits=torch.tensor([[2.0, 3.0, 4.0]]))
    assert past.logits[1].tolist() == [2.0, 3.0, 4.0]
    assert past.logits[0].isnan().tolist() == [False, True, True]


def test_a_slot_that_is_overwritten_loses_its_old_logits():
    past = Reservoir(1, None, Generators(0))
    past.add(batch(0, 1), logits=torch.tensor([[1.0, 2.0]]))
    past.add(batch(1, 1000), logits=torch.full((1000, 1), 5.0))
    assert past.x.item() > 0
    assert past.logits[0].isnan().tolist() == [False, True]


def test_a_sample_has_no_example_twice():
    past = Reservoir(1000, None, Generators(0))
    past.add(batch(0, 1000))
    for n in (3, 32, 900, 5000):
        assert len(past.sample(n).y.unique()) == min(n, 1000)


@pytest.mark.parametrize("size, n", [(1000, 5), (10, 10), (1, 1), (50, 3)])
def test_distinct_rows_are_uniform(size, n):
    rng, seen = torch.Generator().manual_seed(0), torch.zeros(size)
    for _ in range(300):
        seen[distinct(size, n, rng)] += 1
    assert seen.sum() == 300 * n
    assert (seen[: size // 2].sum() - seen[size - size // 2 :].sum()).abs() < 6 * (300 * n) ** 0.5


def test_augmentation_touches_what_is_drawn_and_not_what_is_kept():
    past = Reservoir(5, lambda x: x + 100, Generators(0))
    past.add(batch(0, 5))
    drawn = past.sample(5)
    assert (drawn.x == drawn.raw + 100).all() and past.x.max() < 5


def test_a_filled_memory_equals_the_one_that_gave_its_state():
    rngs = Generators(0), Generators(0)
    a, b = (Reservoir(5, None, rng) for rng in rngs)
    a.add(batch(0, 9), logits=torch.ones(9, 2))
    b.fill(a.state())
    for memory, rng in ((a, rngs[0]), (b, rngs[1])):
        rng.begin(1)  # the next task, here and in a second process
        memory.add(batch(9, 9), logits=torch.ones(9, 3))
    assert torch.equal(a.x, b.x) and a.seen == b.seen
    assert torch.equal(a.logits.nan_to_num(-1), b.logits.nan_to_num(-1))


def test_a_smaller_memory_keeps_an_even_part():
    a, b = Reservoir(100, None, Generators(0)), Reservoir(11, None, Generators(0))
    a.add(batch(0, 100))
    b.fill(a.state())
    assert b.y.tolist() == [*range(0, 99, 10)][:10] + [99] or len(b) == 11
    assert (b.y.diff() > 5).all() and b.seen == 100


def test_an_archive_keeps_everything_in_order():
    everything = Archive(Generators(0))
    for start in (0, 5, 17):
        everything.extend(batch(start, 3).x, batch(start, 3).y)
    assert everything.y.tolist() == [0, 1, 2, 5, 6, 7, 17, 18, 19]


def test_a_negative_memory_is_refused():
    with pytest.raises(SettingError, match="memory=-1"):
        Reservoir(-1, None, Generators(0))


def test_a_memory_of_zero_keeps_nothing():
    past = Reservoir(0, None, Generators(0))
    past.add(batch(0, 3))
    assert not past


def test_padding_keeps_what_is_there():
    assert pad_columns(torch.ones(2, 1), 3, 0.0).tolist() == [[1, 0, 0]] * 2


def of_class(column: int, start: int, n: int) -> Batch:
    x = torch.arange(start, start + n, dtype=torch.float32)[:, None]
    return Batch(x, torch.full((n,), column), x)


def test_a_balanced_memory_shares_its_room_as_far_as_the_classes_go():
    past = Balanced(10, None, Generators(0))
    past.add(of_class(0, 0, 50))
    assert past.y.bincount().tolist() == [10]
    past.add(of_class(1, 50, 2))
    assert past.y.bincount().tolist() == [8, 2]
    for start in range(100, 190, 7):
        past.add(of_class(2, start, 7))
    assert past.y.bincount().tolist() == [4, 2, 4]
    assert past.seen == 143
    assert sorted(past.y[past.x[:, 0] >= 100].tolist()) == [2] * 4


def test_every_example_of_a_class_is_as_likely_to_stay_balanced():
    kept = torch.zeros(60)
    for seed in range(300):
        past = Balanced(10, None, Generators(seed))
        for start in range(0, 60, 6):
            past.add(of_class(0, start, 6))
        past.add(of_class(1, 100, 9))
        kept[past.x[past.y == 0, 0].long()] += 1
    assert kept.sum() == 1500
    thirds = kept.view(4, 15).mean(1)  # 25 expected in each; its standard deviation is 1.2
    assert (thirds - 25).abs().max() < 5


def test_a_balanced_memory_goes_on_where_it_stood():
    now = [Generators(0)]
    past, twin = (Balanced(9, None, lambda purpose: now[0](purpose)) for _ in range(2))
    past.add(of_class(0, 0, 30))
    twin.fill(past.state())
    for m in (past, twin):
        now[0] = Generators(1)
        m.add(of_class(1, 30, 20))
    assert torch.equal(past.x, twin.x) and torch.equal(past.y, twin.y)
    assert torch.equal(past.state()["keys"], twin.state()["keys"])


def test_a_balanced_memory_with_less_room_stays_balanced():
    past, small = Balanced(12, None, Generators(0)), Balanced(4, None, Generators(0))
    for c in range(2):
        past.add(of_class(c, 10 * c, 9))
    small.fill(past.state())
    assert small.y.bincount().tolist() == [2, 2]
    small.add(of_class(2, 50, 5))
    assert small.y.bincount().tolist() == [2, 1, 1]


@pytest.mark.parametrize("memory", [Reservoir, Balanced])
def test_what_is_remembered_stays_and_comes_on_top(memory):
    past = memory(4, None, Generators(0))
    past.add(of_class(1, 0, 3))
    past.remember(
        torch.tensor([[70.0], [71.0]]), torch.tensor([0, 0]), torch.tensor([[1.0], [2.0]])
    )
    assert past.x[:2, 0].tolist() == [70.0, 71.0] and past.logits[:2, 0].tolist() == [1.0, 2.0]
    assert past.x[2:, 0].sort().values.tolist() == [0.0, 1.0, 2.0]
    assert past.logits[2:].isnan().all()
    for start in range(3, 93, 9):
        past.add(of_class(1, start, 9))
    assert past.y.bincount().tolist() == [2, 4]
    twin = memory(2, None, Generators(0))
    twin.fill(past.state())
    assert twin.x[:2, 0].tolist() == [70.0, 71.0] and twin.y.bincount().tolist() == [2, 2]


@pytest.mark.parametrize(
    "sizes, room, shares",
    [
        ([9, 1, 0, 9], 8, [4, 1, 0, 3]),
        ([5, 5], 20, [5, 5]),
        ([5, 5, 5], 2, [1, 1, 0]),
        ([100, 3, 7], 20, [10, 3, 7]),
        ([], 5, []),
    ],
)
def test_equal_shares_as_far_as_sizes_go(sizes, room, shares):
    assert evenly(torch.tensor(sizes, dtype=torch.long), room).tolist() == shares


@pytest.mark.parametrize("given", [0, 3])
def test_a_memory_that_was_made_larger_holds_nothing_but_samples(given):
    def offered(start, n):
        y = torch.arange(start, start + n)
        return Batch(y[:, None].float(), y, y[:, None].float())

    small = Reservoir(4, None, Generators(0))
    if given:
        small.remember(torch.zeros(given, 1), torch.zeros(given, dtype=torch.long))
    small.add(offered(100, 60))
    large = Reservoir(50, None, Generators(0))
    large.fill(small.state())
    large.add(offered(200, 30))
    kept = large.y[given:]
    assert len(kept) == 34 and kept.unique().numel() == 34
    assert set(kept.tolist()) <= {*range(100, 160), *range(200, 230)}
    assert torch.equal(large.x[given:, 0].long(), kept)
    large.add(offered(300, 200))
    assert len(large.y) == 50 + given and int(large.y.min()) >= 0
