import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evergrow.analytic import integer_math


def random_rows(n, m, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randint(-127, 128, (n, m), dtype=torch.int8, generator=rng)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize(
    "shape", [(1, 2, 1), (1, 1, 1), (3, 7, 2), (8, 8, 8), (9, 4096, 33), (64, 2000, 65)]
)
def test_products_are_exact_with_integers_and_with_floats(monkeypatch, exact, shape):
    if not exact:
        monkeypatch.setattr(integer_math, "has_exact_integers", lambda device: False)
    a, b = random_rows(shape[0], shape[1]), random_rows(shape[1], shape[2], seed=1)
    expected = (a.double() @ b.double()).int()
    for left in (a, a.T.contiguous().T, a.T.clone().T):
        for right in (b, b.T.contiguous().T, torch.cat([b, b], 1)[:, shape[2] :]):
            assert torch.equal(integer_math.product(left, right), expected)


def test_products_are_exact_where_every_sum_is_as_large_as_can_be():
    a = torch.full((8, 4096), 127, dtype=torch.int8)
    assert integer_math.product(a, -a.T).eq(-4096 * 127 * 127).all()
    assert integer_math.product(-a, -a.T).eq(4096 * 127 * 127).all()


def test_a_row_of_single_entries_is_multiplied_right():
    rows = torch.zeros(2, 1, dtype=torch.int8)  # torch._int_mm leaves this product unwritten
    rows[1] = 2
    assert integer_math.product(rows.T.contiguous(), rows).tolist() == [[4]]


def test_hashes_depend_on_the_content_of_a_row_alone():
    rows = random_rows(3000, 40)
    once = integer_math.row_hashes(rows)
    assert len(once.unique()) == 3000
    assert torch.equal(integer_math.row_hashes(rows.flip(0)), once.flip(0))
    assert torch.equal(torch.cat([integer_math.row_hashes(part) for part in rows.split(7)]), once)


def test_hashes_are_the_same_on_every_machine():
    rows = torch.arange(-6, 6, dtype=torch.int8).view(2, 6)
    by_big_integers = [-5149589148336939705, -2047483007303235716]  # in plain Python
    assert integer_math.row_hashes(rows).tolist() == by_big_integers


def test_hashes_are_spread_evenly():
    positive = (integer_math.row_hashes(random_rows(4000, 16)) > 0).double().mean()
    assert 0.45 < positive < 0.55


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=30), st.integers(0, 63))
def test_packing_gives_back_every_integer(values, shift):
    x = torch.tensor(values, dtype=torch.int64) >> shift
    assert torch.equal(integer_math.unpack(integer_math.pack(x), len(x)), x)


def test_small_integers_take_few_bytes():
    x = torch.arange(100_000) % 30_000
    assert len(integer_math.pack(x)) < 2.1 * len(x)
    assert len(integer_math.pack(torch.zeros(100_000, dtype=torch.int64))) == 16
