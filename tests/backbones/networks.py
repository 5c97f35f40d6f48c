"""Networks of timm, and what they are tried on."""

import numpy as np
import torch

from evergrow import backbones
from evergrow.data.read import Seen
from evergrow.nn.network import Body

PHOTO = Seen("image", channels=3, sizes=((427, 640),), from_files=True)
RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (6, 96, 128, 3), dtype=np.uint8)
ANSWERS = ["a", "a", "a", "b", "b", "b"]


def body(name: str, size=None, **settings) -> Body:
    """A network of timm for images of this size, with random weights unless settings say others."""
    backbone = backbones.get(f"timm:{name}", **({"pretrained": False} | settings))
    form = backbone.prepare(PHOTO, size)
    return backbone.build(form, torch.Generator().manual_seed(0)).eval()
