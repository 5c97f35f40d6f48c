"""Work on a batch in blocks that fit a processor's cache, a thread for each block."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import prod

import torch
from torch import Tensor

from .devices import rows_on


def in_blocks(
    work: Callable[[Tensor], Tensor], x: Tensor, rows: int = 8, always: bool = False
) -> Tensor:
    """Rows of work(block) for blocks of `rows` rows (more on a GPU: `rows_on`), in order.

    On a CPU each thread takes blocks of its own. That is faster than to split every operation
    between threads, which then wait for one another: by far where other processes are busy too.
    `work` must give a row the same result in any block.
    always: even one block alone gets a thread, where sums that threads share round otherwise.

    >>> in_blocks(lambda block: block * 2, torch.arange(20))[-1].item()
    38
    """
    cpu = x.device.type == "cpu"
    blocks = x.split(rows_on(x.device, rows, prod(x.shape[1:])))
    threads = min(torch.get_num_threads(), len(blocks))
    if not cpu or (threads == 1 and not (always and torch.get_num_threads() > 1)):
        return torch.cat([work(block) for block in blocks])
    try:
        with ThreadPoolExecutor(threads, initializer=_alone) as pool:
            return torch.cat(list(pool.map(work, blocks)))
    finally:
        torch.set_num_threads(torch.get_num_threads())  # what threads begun later start from


def _alone() -> None:
    """Operations of this thread are its own; other threads keep their number."""
    torch.get_num_threads()  # starts from the common number now, so that no operation does later
    torch.set_num_threads(1)
