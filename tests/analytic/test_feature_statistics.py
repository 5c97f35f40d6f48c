import copy
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evergrow.analytic import feature_statistics
from evergrow.analytic.feature_statistics import FeatureStatistics
from evergrow.errors import DataError

CLASSES, WIDTH = 4, 11


@pytest.fixture(autouse=True)
def small_buffers(monkeypatch):
    """Buffers and strips of a few rows, so that few rows meet every edge."""
    monkeypatch.setattr(feature_statistics, "_PENDING_ROWS", 7)
    monkeypatch.setattr(feature_statistics, "STRIP", 4)


def rows(n, seed=0, width=WIDTH, classes=CLASSES):
    rng = torch.Generator().manual_seed(seed)
    q = torch.randint(-127, 128, (n, width), dtype=torch.int8, generator=rng)
    return q, torch.randint(0, classes, (n,), generator=rng)


def learnt(q, y, sizes=(), keep=3, classes=CLASSES):
    stats = FeatureStatistics(q.shape[1], keep)
    stats.grow(classes)
    sizes = [*sizes, len(y) - sum(sizes)]
    for part, columns in zip(q.split(sizes), y.split(sizes), strict=True):
        stats.add(part, columns)
    return stats


def same(a, b):
    """Whether two states are equal bit for bit."""
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    return a == b


@st.composite
def streams(draw):
    """Rows, an order for them, and two ways of cutting them into chunks."""
    n = draw(st.integers(1, 40))
    q, y = rows(n, draw(st.integers(0, 9)))
    cuts = st.lists(st.integers(0, n // 2), max_size=2)
    return q, y, torch.tensor(draw(st.permutations(range(n)))), draw(cuts), draw(cuts)


@settings(max_examples=40, deadline=None)
@given(streams())
def test_any_order_and_chunking_gives_the_same_state(stream):
    q, y, order, cuts, others = stream
    assert same(learnt(q, y, cuts).state(), learnt(q[order], y[order], others).state())


@settings(max_examples=40, deadline=None)
@given(streams(), st.data())
def test_merging_parts_gives_the_same_state_as_learning_the_whole(stream, data):
    q, y, order, *_ = stream
    cut = data.draw(st.integers(0, len(y)))
    first, second = order[:cut], order[cut:]
    a, b = learnt(q[first], y[first]), learnt(q[second], y[second])
    before = b.state()
    a.merge(b)
    assert same(a.state(), learnt(q, y).state())
    assert same(b.state(), before)


@settings(max_examples=40, deadline=None)
@given(streams(), st.data())
def test_what_is_subtracted_was_never_there(stream, data):
    q, y, order, *_ = stream
    out = order[: data.draw(st.integers(0, len(y)))]
    stays = order[len(out) :]
    stats = learnt(q, y, keep=40)  # nothing was crowded out of the kept rows
    stats.subtract(q[out], y[out])
    assert same(stats.state(), learnt(q[stays], y[stays], keep=40).state())


@settings(max_examples=40, deadline=None)
@given(streams(), st.booleans(), st.data())
def test_a_state_restores_everything_and_learning_goes_on(stream, read, data):
    q, y, _, cuts, _ = stream
    cut = data.draw(st.integers(0, len(y)))
    stats, restored = learnt(q[:cut], y[:cut]), FeatureStatistics(WIDTH)
    restored.fill(stats.state())
    assert same(restored.state(), stats.state()) and torch.equal(restored.gram, stats.gram)
    restored.add(q[cut:], y[cut:])
    assert same(restored.state(), learnt(q, y, cuts).state())


@settings(max_examples=60, deadline=None)
@given(
    streams(),
    st.integers(0, 30),
    st.lists(st.sampled_from(["add", "read", "subtract", "merge", "grow"]), max_size=5),
)
def test_what_a_fork_does_leaves_no_trace(stream, old, steps):
    q, y, *_ = stream
    old = min(old, len(y))
    stats = learnt(q[:old], y[:old])
    untouched, fork = copy.deepcopy(stats), stats.fork()
    for step in steps:
        if step == "add":
            fork.add(q[old:], y[old:])
        elif step == "read":
            assert len(fork.gram) == WIDTH
        elif step == "subtract":
            fork.subtract(q[:1] if old else q[:0], y[:1] if old else y[:0]) if fork.counts[
                y[0]
            ] else None
        elif step == "merge":
            fork.merge(learnt(q, y))
        else:
            fork.grow(len(fork.counts) + 2)
    assert stats.counts.tolist() == untouched.counts.tolist()
    stats.add(q, y)  # it goes on as if nothing had been
    untouched.add(q, y)
    assert same(stats.state(), untouched.state())


@settings(max_examples=40, deadline=None)
@given(streams())
def test_forks_of_forks_learn_each_task_exactly_once(stream):
    q, y, _, cuts, _ = stream
    stats = FeatureStatistics(WIDTH, keep=3)
    sizes = [*cuts, len(y) - sum(cuts)]
    for part, columns in zip(q.split(sizes), y.split(sizes), strict=True):
        lost = stats.fork()
        lost.grow(CLASSES)
        lost.add(part, columns)  # an update that fails, then the same that does not
        stats = stats.fork()
        stats.grow(CLASSES)
        stats.add(part, columns)
        stats.settle()
    assert same(stats.state(), learnt(q, y).state())


def test_sums_are_what_they_say():
    q, y = rows(50)
    stats, x = learnt(q, y, [9, 20]), q.long()
    assert torch.equal(stats.gram, x.T @ x)
    assert torch.equal(stats.sums, torch.stack([x[y == c].sum(0) for c in range(CLASSES)]))
    assert torch.equal(stats.counts, torch.bincount(y, minlength=CLASSES))


def test_a_buffer_of_many_rows_sums_exactly(monkeypatch):
    monkeypatch.setattr(feature_statistics, "_PENDING_ROWS", 4096)
    monkeypatch.setattr(feature_statistics, "STRIP", 1024)
    q = torch.full((5000, 1030), 127, dtype=torch.int8)
    stats = learnt(q, torch.zeros(5000, dtype=torch.int64))
    assert (stats.gram == 5000 * 127 * 127).all()


def test_a_task_that_fits_the_buffer_copies_and_multiplies_nothing(monkeypatch):
    q, y = rows(7)
    stats = learnt(q[:3], y[:3])
    monkeypatch.setattr(feature_statistics, "product", None)
    for i in range(3, 7):
        stats = stats.fork()
        stats.grow(CLASSES)
        stats.add(q[i : i + 1], y[i : i + 1])
    assert int(stats.counts.sum()) == 7


def test_an_interrupt_within_a_task_leaves_the_sums_that_it_began_with(monkeypatch):
    q, y = rows(40)
    stats = learnt(q[:10], y[:10])
    expected = learnt(q[:10], y[:10]).state()
    calls, true = [], feature_statistics.product

    def interrupted(a, b):
        calls.append(1)
        if len(calls) == 9:
            os.kill(os.getpid(), signal.SIGINT)
        return true(a, b)

    monkeypatch.setattr(feature_statistics, "product", interrupted)
    with pytest.raises(KeyboardInterrupt):
        stats.fork().add(q[10:], y[10:])
    assert same(stats.state(), expected)


def test_kept_rows_are_those_of_the_smallest_hashes_of_each_class():
    q, y = rows(60)
    kept = learnt(q, y, keep=5).kept
    code = feature_statistics.row_hashes(q) ^ y
    for c in range(CLASSES):
        assert kept.code[kept.y == c].tolist() == code[y == c].sort().values[:5].tolist()
    assert all((row == q[y == c]).all(1).any() for row, c in zip(kept.rows, kept.y, strict=True))


def test_a_row_learnt_twice_is_kept_once():
    q, y = rows(10)
    twice = learnt(torch.cat([q, q]), torch.cat([y, y]), keep=20)
    assert torch.equal(twice.kept.rows, learnt(q, y, keep=20).kept.rows)


def test_a_kept_row_that_is_subtracted_is_no_longer_kept():
    q, y = rows(30)
    stats = learnt(q, y)
    row, column = stats.kept.rows[:1], stats.kept.y[:1]
    stats.subtract(row, column)
    assert not (stats.kept.rows == row).all(1).any()
    assert int((stats.kept.y == column).sum()) == 2


def test_keeping_none_keeps_none():
    assert len(learnt(*rows(30), keep=0).kept.y) == 0


def test_classes_may_arrive_after_rows_wait():
    q, y = rows(5, classes=1)
    stats = learnt(q, y, classes=1)
    stats.grow(3)
    assert stats.sums.shape == (3, WIDTH) and not stats.sums[1:].any()
    assert stats.state()["counts"].tolist() == [5, 0, 0]


def test_what_does_not_fit_is_refused_and_nothing_is_learnt():
    q, y = rows(5)
    stats = learnt(q, y)
    before = stats.state()
    for call, message in [
        (lambda: stats.add(q.float(), y), "Expected int8 rows of 11 features"),
        (lambda: stats.add(q[:, :4], y), "Expected int8 rows of 11 features"),
        (lambda: stats.add(q, y[:3]), "one for each of 3 columns"),
        (lambda: stats.add(q, y + CLASSES), "grow\\(\\) comes first"),
        (lambda: stats.grow(1), "none is taken away"),
        (lambda: stats.merge(FeatureStatistics(3)), "one backbone"),
        (lambda: stats.fill(FeatureStatistics(3).state()), "got 3"),
        (lambda: stats.subtract(*rows(30, seed=1)), "only rows that were learnt"),
    ]:
        with pytest.raises(DataError, match=message):
            call()
    assert same(stats.state(), before)


def test_the_statistics_of_some_features_are_those_of_their_columns():
    rng = torch.Generator().manual_seed(3)
    rows = torch.randint(-9, 9, (50, 7), generator=rng).to(torch.int8)
    y = torch.randint(0, 3, (50,), generator=rng)
    whole, part = FeatureStatistics(7), FeatureStatistics(4)
    for stats, columns in ((whole, rows), (part, rows[:, 2:6])):
        stats.grow(3)
        stats.add(columns.contiguous(), y)
    found = whole.of(2, 4)
    assert torch.equal(found.gram, part.gram) and torch.equal(found.sums, part.sums)
    assert found.counts.tolist() == part.counts.tolist()
    assert len(found.kept.y) == len(whole.kept.y)


def test_a_fork_that_takes_a_state_over_leaves_what_it_came_from():
    q, y = torch.tensor([[1, 2], [3, 4], [5, 6]], dtype=torch.int8), torch.tensor([0, 0, 1])
    stats, further = FeatureStatistics(2), FeatureStatistics(2)
    for one, n in ((stats, 1), (further, 2)):
        one.grow(2)
        one.add(q[:n], y[:n])  # the row of `stats` still waits in its buffer
    fork = stats.fork()
    fork.fill(further.state())
    fork.add(q[2:], y[2:])
    assert fork.counts.tolist() == [2, 1] and fork.gram.tolist() == [[35, 44], [44, 56]]
    assert stats.counts.tolist() == [1, 0] and stats.gram.tolist() == [[1, 2], [2, 4]]


def test_threads_that_read_at_once_find_the_same_sums():
    q, y = rows(40)
    expected = learnt(q, y).gram
    for _ in range(20):
        stats = learnt(q[:10], y[:10]).fork()
        stats.add(q[10:], y[10:])  # sums of its own, in part written into
        stats.settle()
        with ThreadPoolExecutor(8) as pool:
            grams = list(pool.map(lambda s: s.gram, [stats] * 16))
        assert all(torch.equal(gram, expected) for gram in grams)
