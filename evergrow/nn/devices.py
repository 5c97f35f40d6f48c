"""What is done differently by kind of device: how much at a time, and how inputs get there."""

from collections.abc import Callable
from functools import cache

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
def named(name: str) -> torch.device:
    """The device of this name; "auto": a GPU where there is one.  Raises SettingError.

    >>> named("cpu")
    device(type='cpu')
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.zeros((), device=name).device
    except (RuntimeError, AssertionError) as error:
        raise SettingError(f"device={name!r} cannot be used here: {error}") from None
