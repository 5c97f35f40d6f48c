"""Blocks: every row in order, threads left as they were."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from evergrow.nn.blocks import in_blocks


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 100])
def test_every_row_comes_back_in_order(n, threads):
    x = torch.arange(2 * n).view(n, 2)
    assert torch.equal(in_blocks(lambda block: block + 1, x), x + 1)


def test_elsewhere_than_on_a_cpu_blocks_are_taller():
    tall = []
    x = torch.empty(600, 3, device="meta")
    assert in_blocks(lambda block: tall.append(len(block)) or block, x).shape == (600, 3)
    assert tall == [256, 256, 88]


def test_threads_are_used_and_each_works_alone(threads):
    numbers = in_blocks(lambda x: torch.full_like(x, torch.get_num_threads()), torch.zeros(50))
    assert numbers.unique().tolist() == [1]


def test_the_number_of_threads_is_as_before_here_and_in_threads_begun_later(threads):
    in_blocks(lambda block: block @ block.mT, torch.rand(50, 40, 40))
    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(torch.get_num_threads).result()
    assert later == torch.get_num_threads() == threads


def test_an_error_reaches_the_caller_and_leaves_threads_as_they_were(threads):
    def fail(block):
        raise MemoryError("no room")

    with pytest.raises(MemoryError, match="no room"):
        in_blocks(fail, torch.zeros(50))
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == threads


def test_one_block_alone_gets_a_thread_where_sums_would_round_otherwise(threads):
    def number(block):
        return torch.full_like(block, torch.get_num_threads())

    x = torch.zeros(5)
    assert in_blocks(number, x, always=True).unique().tolist() == [1]
    assert in_blocks(number, x).unique().tolist() == [threads]
