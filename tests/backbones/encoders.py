"""Texts, and networks that read them."""

from collections.abc import Callable

import torch
from torch import Tensor

from evergrow import backbones
from evergrow.data import read
from evergrow.nn.network import Network

WORDS = "[PAD] [UNK] cat dog red now sun moon rain snow".split()
TEXTS = ["cat dog", "dog", "cat cat red", "sun moon", "moon now moon", "rain sun"]
LABELS = ["pets", "pets", "pets", "sky", "sky", "sky"]


def network(name: str, **settings) -> tuple[Network, Callable[[list[str]], Tensor]]:
    """A network that reads texts, and a function from texts to their ids."""
    made = backbones.get(f"text:{name}", **settings)
    chunk = read.read(TEXTS, need_labels=False)
    form = made.prepare(chunk.seen)
    body = made.build(form, torch.Generator())

    def ids(texts):
        return body.records(read.read(texts, need_labels=False), form).take(
            torch.arange(len(texts))
        )

    return Network(body, made.inputs(form)).eval(), ids
