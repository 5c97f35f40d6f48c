"""Weight aligning: replay and distil, then bring the new classes' rows to the old ones' length.

Zhao et al. 2020, "Maintaining Discrimination and Fairness in Class Incremental Learning",
arXiv:1911.07053 (knowledge distillation, then weight aligning).

Where we differ: the paper also keeps the head's weights positive by clipping after each step; that
is the setting `positive`, off here because it needs features that are not negative. Biases, which
the paper leaves out, are not scaled. With `replay`, each step draws exemplars beside the batch; as
published (0) they are shuffled into the new data, where a short training sees them rarely. m is the
share of old classes in the paper, where none returns; here of those old ones that the task does not
bring again.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from ..data.task import Task
from ..errors import SettingError
from ..nn.freezing import frozen
from ..nn.head import align
from ..nn.network import Network
from ..training.exemplars import Exemplars
from ..training.losses import distilled
from ..training.replay_buffer import check_replay, with_replay
from .base import Method


@dataclass(eq=False)
class WA(Method):
    """(1 - m) cross-entropy + m distillation on data and exemplars; then new rows are scaled.

    memory: exemplars kept, equal numbers a class.
    replay: exemplars drawn at each step; 0: all shuffled into the new data once an epoch.
    temperature: softens both answers in the distillation; 2 in the paper, positive.
    positive: keep the head's weights at 0 or above, as in the paper; for features behind a ReLU.

    Stored: the exemplars. Aligning multiplies the new classes' rows of the head by gamma, the mean
    norm of the old rows over that of the new ones.

    >>> WA(memory=500).settings()
    {'memory': 500, 'replay': 0, 'temperature': 2.0, 'positive': False}
    """

    memory: int = 200
    replay: int = 0
    temperature: float = 2.0
    positive: bool = False

    def __post_init__(self) -> None:
        check_replay(self.memory, self.replay, least=0)
        if not self.temperature > 0:
            raise SettingError(f"temperature={self.temperature}: must be positive.")

    def setup(self) -> None:
        self.exemplars = Exemplars(self.memory, self.how.augment, self.rng)
        self.teacher: Network | None = None  # the network as it was at the last boundary

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        self.exemplars.share(task.total)  # raises before it trains, not after
        if task.boundary:
            self.teacher = frozen(self.net, task.old) if task.old else None
        k = 0 if self.teacher is None else self.teacher.n_classes
        mix = len(task.absent(k)) / task.total
        for batch in self.batches(task, mix=None if self.replay else self.exemplars):
            x, y = with_replay(batch, self.exemplars, self.replay)
            soft = None if self.teacher is None else self.teacher(x)
            yield distilled(self.net(x), y, soft, mix, self.temperature)
            if self.positive:
                self.net.head.weight.data.clamp_(min=0)
        if self.how.boundary == "task":
            self.teacher = None
        if task.old < task.total:
            align([self.net.head.weight], task.old)
        self.exemplars.choose(task, self.net.steady)
