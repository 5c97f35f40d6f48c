"""Reprise: replay as the new and the rare deserve. Our own; it combines what is known.

- A balanced memory, equal shares a class (Prabhu et al. 2020, "GDumb").
- New and replayed samples see one softmax, corrected for how often each class comes in the batch
  (Ren et al. 2020, arXiv:2007.10740): new classes do not drown old ones, and unlike in ER-ACE
  (Caccia et al. 2022, arXiv:2104.05025) new samples still compete with old classes.
- A cosine head, so that no class wins by the length of its row (Hou et al. 2019, "Learning a
  Unified Classifier Incrementally via Rebalancing").
- Replayed images are moved a little each time, since they come again and again.
- The learning rate falls to zero over the second half of a task, or as the model's `schedule` says.
- A second opinion that cannot forget: linear discriminants on random features of the inputs, from
  exact sums (Prabhu et al. 2024, "RanDumb", arXiv:2402.08823; see `randumb`). Probabilities of both
  are multiplied. It sees each sample once and is no replay: `sums=0` is the method without it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..analytic.randumb import RanDumb
from ..data.task import Batch, Task
from ..errors import SettingError
from ..training.augmented_views import shifted
from ..training.losses import cross_entropy_given
from ..training.replay_buffer import Balanced, check_replay
from .base import Method


@dataclass(eq=False)
class Reprise(Method):
    """Prior-corrected cross-entropy on new samples + the same on a draw from a balanced memory.

    memory: samples kept, equal numbers a class.  replay: samples drawn at each step.
    scale: of the cosines before the softmax, positive. The head of a network trained elsewhere is
        linear and stays so.
    shift: pixels that replayed images are moved by at most, where the model has no `augment`.
    sums: random features of the second opinion, 0 for none. It is asked once every class has given
        it samples, which the classes of a network trained elsewhere do by `remember`.

    A class that neither comes nor is in the memory is left alone.

    >>> Reprise(memory=500).settings()
    {'memory': 500, 'replay': 32, 'scale': 10.0, 'shift': 1, 'sums': 1024}
    """

    memory: int = 200
    replay: int = 32
    scale: float = 10.0
    shift: int = 1
    sums: int = 1024

    def __post_init__(self) -> None:
        check_replay(self.memory, self.replay)
        if not self.scale > 0 or self.shift < 0 or self.sums < 0:
            raise SettingError(
                f"scale={self.scale}, shift={self.shift}, sums={self.sums}: scale is positive, "
                "shift and sums are 0 or more."
            )

    def setup(self) -> None:
        self.past = Balanced(self.memory, self.how.augment, self.rng)
        self.linear = self.net.n_classes > 0  # a head that came with its rows
        self.second = RanDumb(self.sums) if self.sums else None

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        coming = torch.bincount(task.y, minlength=task.total) / len(task)
        schedule = "cooldown" if self.how.schedule == "constant" else self.how.schedule
        for batch in self.batches(task, schedule=schedule):
            n, old, prior = len(batch.y), None, len(batch.y) * coming
            if self.past:
                old = self._drawn()
                shares = torch.bincount(self.past.y, minlength=task.total) / len(self.past)
                prior = prior + len(old.y) * shares
            x = batch.x if old is None else torch.cat([batch.x, old.x])
            logits = self._logits(self.net.features(x))
            terms = {"new": cross_entropy_given(logits[:n], batch.y, prior)}
            if old is not None:
                terms["replay"] = cross_entropy_given(logits[n:], old.y, prior)
            yield terms
            self.past.add(batch)
        self._tell(task)

    def remember(self, task: Task) -> None:
        super().remember(task)
        self._tell(task)

    def _tell(self, task: Task) -> None:
        """Every sample of the task goes into the sums, once."""
        if self.second is not None:
            for x, y in task.blocks(2048, self.how.num_workers):
                self.second.add(self._plain(x), y, task.total)

    def _plain(self, x: Tensor) -> Tensor:
        """Pixels as they are, all else as the network reads it: columns of a table standardised."""
        return x if x.dtype == torch.uint8 else self.net.inputs(x.to(self.net.device))

    def _drawn(self) -> Batch:
        old = self.past.sample(self.replay)
        if self.how.augment is None:
            old.x = shifted(old.x, self.shift, self.rng("shift"))
        return old

    def _logits(self, features: Tensor) -> Tensor:
        head = self.net.head
        return head(features) if self.linear else self.scale * head.cosines(features)

    def scores(self, x: Tensor) -> Tensor:
        """Logits; with a second opinion, logarithms of both probabilities, added."""
        logits = self._logits(self.net.features(x))
        if self.second is None or not self.second.covers(logits.shape[1]):
            return logits
        return logits.log_softmax(1) + self.second.log_shares(self._plain(x)).to(logits)

    def serving(self) -> dict[str, Tensor]:
        answer = {} if self.second is None else self.second.answer()
        return {f"second.{k}": v for k, v in answer.items()} | {
            "linear": torch.tensor([self.linear])
        }

    def serve(self, tensors: dict[str, Tensor]) -> None:
        self.linear = bool(tensors["linear"])
        if self.second is not None:
            self.second.serve({k[7:]: v for k, v in tensors.items() if k.startswith("second.")})
