"""The sizes of images that a network of timm reads: any, some, or its own alone."""

from typing import Any

import torch

from ..data.resize import Size
from ..errors import SettingError

STEPS = (14, 16, 32, 64)  # a size that is refused is rounded to multiples of these to find another


def arguments(timm: Any, network: str, size: Size, own: Size) -> dict[str, Any]:
    """What `timm.create_model` is given beside the name, for images of this size.

    Where the network cannot read such images as it is, it is told `img_size`: transformers then
    have positions for them, to which timm resamples those of weights.
    own: the size it was trained at; it is taken as it is.
    Tried on torch's meta device, so that it takes no memory and hardly any time.
    Raises SettingError, with a reason and a size that works.

    >>> import timm
    >>> arguments(timm, "test_vit_relpos", (96, 128), own=(160, 160))
    {'img_size': (96, 128)}
    """
    if size == own:
        return {}
    reasons = []
    for way in _ways(size):
        reason = _failure(timm, network, size, way)
        if reason is None:
            return way
        reasons.append(reason)
    works = _another(timm, network, size, own)
    telling = [reason for reason in reasons if "img_size" not in reason] or reasons
    raise SettingError(
        f"timm:{network} cannot read images of {size[0]} x {size[1]} pixels ({telling[-1]}); "
        f"image_size={works[0] if works[0] == works[1] else works} works."
    )


def _ways(size: Size) -> list[dict[str, Any]]:
    return [{}, {"img_size": size}]


def _failure(timm: Any, network: str, size: Size, way: dict[str, Any]) -> str | None:
    """Why the network cannot read images of this size; None: it can."""
    try:
        with torch.device("meta"), torch.no_grad():
            module = timm.create_model(network, pretrained=False, num_classes=0, **way).eval()
            module(torch.empty(1, 3, *size))
    except Exception as error:  # networks raise anything
        lines = str(error).strip().splitlines()
        return f"{lines[0]:.160}" if lines else f"it raises {type(error).__name__}"
    patch = getattr(getattr(module, "patch_embed", None), "patch_size", None)
    if patch and "img_size" in way and (size[0] % patch[0] or size[1] % patch[1]):
        return f"not multiples of its patches, {patch[0]} x {patch[1]}"  # a margin would be cut off
    return None


def _another(timm: Any, network: str, size: Size, own: Size) -> Size:
    """A size that works and is near this one, else the network's own."""
    rounded = {own}
    for step in STEPS:
        for up in (0, step - 1):
            near = [max(step, (side + up) // step * step) for side in size]
            rounded |= {(near[0], near[1]), (max(near), max(near))}
    rounded.discard(size)
    for other in sorted(rounded, key=lambda s: (_distance(s, size), s)):
        works = any(_failure(timm, network, other, way) is None for way in _ways(other))
        if other == own or works:
            return other
    return own


def _distance(a: Size, b: Size) -> int:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])
