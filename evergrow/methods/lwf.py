"""Learning without forgetting: on new data, answer about old classes as the old network did.

Li and Hoiem 2016, "Learning without Forgetting", arXiv:1606.09282, section 3 (without their warm-up
step). As published, the new task's loss sees the new task's classes alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from ..data.task import Task
from ..errors import SettingError
from ..nn.freezing import frozen
from ..nn.network import Network
from ..training.losses import cross_entropy_among, distill
from .base import Method


@dataclass(eq=False)
class LwF(Method):
    """Cross-entropy among the task's classes + strength * distillation from the old network.

    strength: weight of the distillation term (lambda_o in the paper).
    temperature: softens both answers; 2 in the paper.

    >>> LwF(strength=2.0).settings()
    {'strength': 2.0, 'temperature': 2.0}
    """

    strength: float = 1.0
    temperature: float = 2.0

    def __post_init__(self) -> None:
        if self.strength < 0 or self.temperature <= 0:
            raise SettingError(
                f"strength={self.strength}, temperature={self.temperature}: "
                "strength is 0 or more, temperature positive."
            )

    def setup(self) -> None:
        self.teacher: Network | None = None  # the network as it was at the last boundary

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        if task.boundary:
            self.teacher = frozen(self.net, task.old) if task.old else None
        for batch in self.batches(task):
            logits = self.net(batch.x)
            terms = {"new": cross_entropy_among(logits, batch.y, task.classes)}
            if self.teacher is not None:
                soft = self.teacher(batch.x)
                k = soft.shape[1]
                terms["keep"] = self.strength * distill(logits[:, :k], soft, self.temperature)
            yield terms
        if self.how.boundary == "task":
            self.teacher = None
