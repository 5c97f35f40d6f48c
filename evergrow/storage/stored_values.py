"""What was read from disk, checked before it is used: numbers, tensors, tables of tensors."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import EvergrowError
from .durable_files import Fault

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@contextmanager
def part(name: str) -> Iterator[None]:
    """Whatever goes wrong while the block reads this part of a model is a Fault that names it.

    Errors that say what to do (`EvergrowError`) and those of the machine pass.
    """
    try:
        yield
    except (EvergrowError, Fault, MemoryError, OSError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:160] or "no reason given"
        raise Fault(f"{name} makes no model ({type(error).__name__}: {reason})") from error


def tensor(
    state: Mapping[str, Any], name: str, dtype: "torch.dtype", shape: Sequence[int | None]
) -> "Tensor":
    """A tensor of a state, of this type and shape.  shape: None for a side of any length.

    >>> import torch
    >>> tensor({"sums": torch.zeros(3, 5)}, "sums", torch.float32, (None, 5)).shape
    torch.Size([3, 5])
    """
    import torch

    value = item(state, name)
    if not isinstance(value, torch.Tensor):
        raise Fault(f"{name} is no tensor")
    sides = [wanted in (None, side) for wanted, side in zip(shape, value.shape, strict=False)]
    if value.dtype != dtype or value.ndim != len(shape) or not all(sides):
        expected = tuple("any" if side is None else side for side in shape)
        raise Fault(
            f"{name} is {value.dtype} of shape {tuple(value.shape)}, expected {dtype} of {expected}"
        )
    return value


def whole(state: Mapping[str, Any], name: str, least: int = 0, most: int = 2**62) -> int:
    """A whole number of a state, in these bounds.

    >>> whole({"seen": 3}, "seen")
    3
    """
    value = item(state, name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Fault(f"{name} is {value!r:.40}, expected a whole number in {least}..{most}")
    return value


def tensors(state: Mapping[str, Any], name: str) -> "dict[str, Tensor]":
    """A table of tensors by name.

    >>> tensors({"anchor": {}}, "anchor")
    {}
    """
    import torch

    value = item(state, name)
    named = isinstance(value, dict) and all(isinstance(key, str) for key in value)
    if not named or not all(isinstance(t, torch.Tensor) for t in value.values()):
        raise Fault(f"{name} is no table of tensors")
    return dict(value)


def item(state: Mapping[str, Any], name: str) -> Any:
    """An entry of a state.  Fault: there is none."""
    if not isinstance(state, Mapping) or name not in state:
        raise Fault(f"{name} is missing")
    return state[name]
