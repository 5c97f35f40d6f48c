"""How the learning rate falls over the steps of a task: constant, linear, cosine, cooldown."""

from collections.abc import Callable, Iterator
from itertools import count
from math import cos, pi

import torch

from .settings import Training


def schedule(optimizer: torch.optim.Optimizer | None, how: Training, steps: int) -> Iterator[None]:
    """Set the learning rates of one step after the other.

    Source of "cosine": Loshchilov and Hutter 2017, "SGDR", arXiv:1608.03983, without restarts; of
    "cooldown": Zhai et al. 2022, "Scaling Vision Transformers", arXiv:2106.04560; of the warm-up:
    Goyal et al. 2017, "Accurate, Large Minibatch SGD", arXiv:1706.02677.
    """
    falls: dict[str, Callable[[float], float]] = {
        "constant": lambda done: 1.0,
        "linear": lambda done: 1 - done,
        "cosine": lambda done: (1 + cos(pi * done)) / 2,
        "cooldown": lambda done: min(1.0, 2 * (1 - done)),
    }
    fall, warm = falls[how.schedule], int(how.warmup * steps)
    groups = [] if optimizer is None else optimizer.param_groups
    rates = [group["lr"] for group in groups]
    for step in count():
        share = (
            fall(min((step - warm) / (steps - warm), 1.0)) if step >= warm else (step + 1) / warm
        )
        for group, rate in zip(groups, rates, strict=True):
            group["lr"] = rate * share
        yield
