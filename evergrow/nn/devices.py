"""What differs by device: which one, rows of a block, threads, and how inputs get there."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from math import prod

import torch
from torch import Tensor

from ..errors import SettingError

TALLEST = 256  # rows of a block on a GPU
LARGEST = 1 << 26  # numbers of the inputs of such a block: 256 colour images of 224 pixels fit

CPU = torch.device("cpu")


def rows_on(device: torch.device, rows: int, numbers: int) -> int:
    """Rows of a block: `rows` on a CPU; doubled on a GPU while that has room and work to do.

    numbers: of one row of inputs. It follows from these alone, so that all blocks of a model have
    one shape.

    >>> rows_on(torch.device("cpu"), 8, 784), rows_on(torch.device("cuda"), 8, 784)
    (8, 256)
    >>> rows_on(torch.device("cuda"), 8, 3 * 512 * 512)
    64
    """
    if device.type == "cpu" or not rows:
        return rows
    while 2 * rows <= TALLEST and 2 * rows * numbers <= LARGEST:
        rows *= 2
    return rows


def staging(device: torch.device) -> Callable[[Tensor], Tensor] | None:
    """What puts inputs where they wait for the device, if it wants that: for CUDA pinned memory.

    Only from there `x.to(device, non_blocking=True)` goes on beside other work.
    """
    return Tensor.pin_memory if device.type == "cuda" else None


@cache
def device_named(name: str) -> torch.device:
    """The device of this name; "auto": a GPU where there is one.  Raises SettingError.

    >>> device_named("cpu")
    device(type='cpu')
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.zeros((), device=name).device
    except (RuntimeError, AssertionError) as error:
        why = str(error).strip().splitlines()[0].split(". ")[0].rstrip(".")
        raise SettingError(
            f"device={name!r} cannot be used here ({why:.120}); name one that there is: auto, cpu"
            f"{', cuda' * torch.cuda.is_available()}{', mps' * torch.backends.mps.is_available()}."
        ) from None


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
