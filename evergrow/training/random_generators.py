"""Random generators, one for each purpose: one more draw in one place moves nothing elsewhere."""

import hashlib
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


class Generators:
    """A generator for each purpose, derived from (seed, task number, purpose) alone.

    No state needs saving: a second process derives the same generators. The global generator is
    never read.

    >>> rng = Generators(seed=0)
    >>> again = Generators(seed=0)
    >>> a, b = (torch.rand(2, generator=g("order")) for g in (rng, again))
    >>> torch.equal(a, b)
    True
    """

    def __init__(self, seed: int, number: int = 0):
        self.seed, self.number = seed, number
        self._made: dict[str, torch.Generator] = {}

    def begin(self, number: int) -> None:
        """Start task `number`: every purpose gets a fresh generator."""
        self.number = number
        self._made = {}

    def __call__(self, purpose: str) -> torch.Generator:
        """The generator of `purpose` in this task, on the CPU; it goes on where it stood."""
        if purpose not in self._made:
            digest = hashlib.sha256(f"{self.seed}/{self.number}/{purpose}".encode()).digest()
            seed = int.from_bytes(digest[:8], "little") >> 1
            self._made[purpose] = torch.Generator().manual_seed(seed)
        return self._made[purpose]

    def __getstate__(self) -> dict[str, int]:
        return {"seed": self.seed, "number": self.number}

    def __setstate__(self, state: dict[str, int]) -> None:
        self.__init__(**state)  # type: ignore[misc]


@contextmanager
def isolated(seed: int) -> Iterator[None]:
    """torch's global generators, seeded while the block runs (for dropout), then as they were."""
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=list(devices)):
        torch.default_generator.manual_seed(seed)
        for device in devices:
            torch.cuda.default_generators[device].manual_seed(seed)
        yield


@dataclass(frozen=True)
class Seeded:
    """A user's augmentation; the global generators it may draw from are seeded, then restored.

    >>> noisy = Seeded(lambda x: x + torch.rand(1), Generators(0))
    >>> torch.equal(noisy(torch.zeros(1)), Seeded(noisy.hook, Generators(0))(torch.zeros(1)))
    True
    """

    hook: Callable[[Tensor], Tensor]
    rng: Generators

    def __call__(self, x: Tensor) -> Tensor:
        seed = int(torch.randint(2**31, (1,), generator=self.rng("augment")))
        before = random.getstate(), np.random.get_state()
        try:
            with isolated(seed):
                random.seed(seed)
                np.random.seed(seed)
                return self.hook(x)
        finally:
            random.setstate(before[0])
            np.random.set_state(before[1])
