"""What closed-form methods share: gathering integer sums, scoring with weights solved from them."""

from dataclasses import dataclass
from math import isnan
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..analytic.feature_statistics import FeatureStatistics
from ..analytic.leave_one_out import LeaveOneOut
from ..analytic.random_projection import Projection
from ..analytic.solution import Solution, scores_in_blocks
from ..data.task import Task
from ..errors import SettingError
from ..nn.thread_locks import lock_of
from ..storage import stored_values
from .first_session import FirstSession


@dataclass(eq=False)
class ClosedForm(FirstSession):
    """A method that reads its weights off integer sums over fixed features; it writes `solve`.

    One pass in any order gives the same sums bit for bit, and nothing is forgotten. Solving costs
    time: it is done at the first question after a change, and its answer is not part of the state.

    keep: integer feature rows kept a class, to judge by.
    adapt: train the backbone on the first task, as the settings of training say, with a head that
        is dropped after; then it stays, and all else is as without. What the first task holds then
        shapes the features: sums are still exact, but which task comes first is no longer the same,
        and rows of the first task are judged too well. Where it cannot be (a backbone that has
        nothing to learn or is frozen, a first task of one class, sums that exist), a note says so.
        It helps an untrained network, and did not help a pretrained one (docs/finetuning.md).
    """

    judges_itself: ClassVar[bool] = True
    keep: int = 20
    adapt: bool = False

    def __post_init__(self) -> None:
        if self.keep < 0:
            raise SettingError(f"keep={self.keep}: rows kept a class, 0 or more.")

    def solve(self) -> Solution:
        """Weights read off the sums."""
        raise NotImplementedError

    def random_layer(self) -> Projection | None:
        """A random layer between the features and the sums, if there is to be one."""
        return None

    def setup(self) -> None:
        self.layer = self.random_layer()
        width = self.net.width if self.layer is None else self.layer.size
        self.sums = FeatureStatistics(width, self.keep)
        self._solution: Solution | None = None
        super().setup()

    @property
    def counts(self) -> Tensor:
        return self.sums.counts

    def remember(self, task: Task) -> None:
        """Add samples to the sums: of a task, or old ones of a network trained elsewhere."""
        self._solution = None
        self.sums.grow(task.total)
        for q, y in self.integers(task, {}):
            if self.layer is not None:
                self.layer.fix(q)
            self.sums.add(self.rows(q), y)

    def rows(self, q: Tensor) -> Tensor:
        """Integer rows that the sums add up, from integer features."""
        return q if self.layer is None else self.layer(q)

    def solution(self) -> Solution:
        """The weights for the sums as they are now."""
        solved = self._solution
        if solved is None:
            with lock_of(self):  # several threads may ask, and one solves
                solved = self._solution = self._solution or self.solve()
        return solved

    def scores(self, x: Tensor) -> Tensor:
        """(n, classes) linear scores of the integer features, a row's the same in any batch."""
        solved = self.solution()
        q = self.net.steady(x, self.net.scale).to(solved.weight.device)
        return scores_in_blocks(q, lambda block: solved.scores(self.rows(block)))

    def probabilities(self, scores: Tensor) -> Tensor:
        """Softmax at the temperature that fits the kept rows, each judged with itself left out."""
        return (scores / self.solution().temperature).softmax(1)

    def left_out(self) -> tuple[Tensor, Tensor] | None:
        solved = self.solution()
        if solved.judged.rows and solved.judged.scores is None:  # read from disk: figures alone
            solved = self._solution = self.solve()
        if solved.judged.scores is None or solved.judged.y is None:
            return None
        return (solved.judged.scores / solved.temperature).softmax(1), solved.judged.y

    def recalls(self, work: bool) -> Tensor | None:
        if self._solution is None and (not work or not bool((self.sums.counts > 0).any())):
            return None
        return self.solution().judged.accuracy

    def sums_of_features(self) -> FeatureStatistics | None:
        return self.sums if self.layer is None else None

    def figures(self) -> dict[str, Any]:
        """Penalty, temperature, leave-one-out recalls of kept rows: by column, and their mean."""
        solved = self.solution()
        recalls = [None if isnan(r) else round(r, 4) for r in solved.judged.accuracy.tolist()]
        macro = None if isnan(solved.judged.macro) else solved.judged.macro
        judged = {"rows": solved.judged.rows, "macro": macro, "by_column": recalls}
        return {
            "penalty": solved.penalty,
            "temperature": solved.temperature,
            "leave_one_out": judged,
        }

    def serving(self) -> dict[str, Tensor]:
        s = self.solution()
        numbers = [s.penalty, s.temperature, s.judged.macro, s.judged.nll, s.judged.rows]
        unit = 0.0 if self.layer is None else self.layer.unit
        return {
            "weight": s.weight,
            "bias": s.bias,
            "numbers": torch.tensor(numbers, dtype=torch.float64),
            "recalls": s.judged.accuracy,
            "unit": torch.tensor([unit], dtype=torch.float64),
        }

    def serve(self, tensors: dict[str, Tensor]) -> None:
        if self.layer is not None:
            self.layer.unit = float(tensors["unit"])
        penalty, temperature, macro, nll, rows = tensors["numbers"].tolist()
        weight, bias = tensors["weight"], tensors["bias"]
        recalls = stored_values.tensor(tensors, "recalls", torch.float32, bias.shape)
        judged = LeaveOneOut(recalls, macro, nll, int(rows))
        self._solution = Solution(weight, bias, penalty, temperature, judged)
