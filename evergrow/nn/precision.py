"""In what precision features that stay as they are get computed: a rule, and kept for good."""

import torch
from torch import Tensor

from ..data import image_arrays
from ..errors import SettingError
from .network import Network

LEAST_COSINE = 0.999  # cosine between features in bfloat16 and in float32, of each photograph
CROPS = ((0, 0), (0, 210), (0, 416), (203, 105))  # (top, left) corners
SIDE = 224  # pixels of a crop
PRECISION_NAMES = {None: "float32", torch.bfloat16: "bfloat16"}


def choose_precision(net: Network, asked: str, size: tuple[int, int]) -> torch.dtype | None:
    """bfloat16 or None (float32), for a pretrained network that a closed-form method reads.

    asked: "auto" takes bfloat16 where the processor computes with it and features of photographs
    agree with those in float32, each to a cosine of `LEAST`; "bfloat16" takes it in any case.
    Neither data nor a clock has a say, and the model keeps what was chosen.
    size: (height, width) of the images that the network reads.
    """
    if asked == "bfloat16":
        return torch.bfloat16
    if asked != "auto" or net.device.type != "cpu" or not native():
        return None
    return torch.bfloat16 if agreement(net, size) > LEAST_COSINE else None


def reconsider(net: Network, size: tuple[int, int]) -> None:
    """After weights moved: features stay in bfloat16 only where they still agree with float32."""
    if net.precision is not None and agreement(net, size) <= LEAST_COSINE:
        net.precision = None


def native() -> bool:
    """Whether this processor computes with bfloat16; as far as torch can tell."""
    ask = getattr(torch.cpu, "get_capabilities", None)  # older versions of torch lack it
    return ask is not None and any(ask().get(name) for name in ("avx512_bf16", "amx_bf16"))


def agreement(net: Network, size: tuple[int, int]) -> float:
    """The smallest cosine, in [-1, 1], of features in bfloat16 and float32 over 8 photographs."""
    x, before = photographs(size), net.precision
    try:
        net.precision = None
        exact = net.steady(x)
        net.precision = torch.bfloat16
        return float(torch.cosine_similarity(net.steady(x), exact).min())
    finally:
        net.precision = before


def photographs(size: tuple[int, int]) -> Tensor:
    """(8, 3, *size) uint8: parts of scikit-learn's two sample photographs."""
    import numpy as np
    from sklearn.datasets import load_sample_images

    parts = [
        image[top : top + SIDE, left : left + SIDE].transpose(2, 0, 1)
        for image in load_sample_images().images
        for top, left in CROPS
    ]
    return torch.from_numpy(image_arrays.resize(np.stack(parts), size))


def refuse(net: Network) -> None:
    """Raise SettingError where a network computes in bfloat16, and this machine cannot."""
    if net.precision is None or (net.device.type != "cpu" or native()):
        return
    raise SettingError(
        "this model's features are in bfloat16, which this processor does not compute with: its "
        "answers would be others. Use it on a machine like the one it began on, or begin a new "
        "model with precision='float32'."
    )
