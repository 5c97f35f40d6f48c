"""What closed-form methods share: gathering integer sums, scoring with weights solved from them."""

from collections.abc import Callable, Iterator
from math import isnan
from typing import Any, Protocol

import torch
from torch import Tensor

from ..data import Task
from ..errors import SettingError
from ..leaveout import Judged
from ..network import Network
from ..solve import Solution
from ..statistics import FeatureStatistics


class Solved(Protocol):
    """A method that reads its weights off sums.

    `solve` costs time; `_solution` keeps its answer, outside the state.
    """

    net: Network
    sums: FeatureStatistics
    _solution: Solution | None

    def solve(self) -> Solution: ...

    def features(
        self, task: Task, scale: float | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]: ...


def gather(method: Solved, task: Task) -> None:
    """Add every sample of the task to the sums: one pass, in any order, nothing forgotten."""
    missing = task.old - len(method.sums.counts)
    if missing > 0 and len(method.net.head.weight):
        raise SettingError(
            f"{type(method).__name__} knows classes by their sums, "
            f"and has none of the {missing} classes that "
            "this network learnt elsewhere; use finetune, lwf, er or der++ for it, "
            "or learn all classes anew."
        )
    method._solution = None
    method.sums.grow(task.total)
    method.net.fix_scale(task.records)
    for q, y in method.features(task, method.net.scale):
        method.sums.add(q, y)


def solution(method: Solved) -> Solution:
    """The weights for the sums as they are now; solved at the first question after a change."""
    if method._solution is None:
        method._solution = method.solve()
    return method._solution


def scores(method: Solved, x: Tensor) -> Tensor:
    """(n, classes) linear scores of the integer features, a row's the same in any batch."""
    solved = solution(method)
    q = method.net.steady(x, method.net.scale).to(solved.weight.device)
    rows = 32
    parts = []
    for block in q.split(rows):
        full = torch.nn.functional.pad(block, (0, 0, 0, rows - len(block)))
        parts.append((full.float() @ solved.weight + solved.bias)[: len(block)])
    return torch.cat(parts)


def probabilities(method: Solved, scores: Tensor) -> Tensor:
    """Softmax at the temperature that fits the kept rows best, each judged with itself left out."""
    return (scores / solution(method).temperature).softmax(1)


def figures(method: Solved) -> dict[str, Any]:
    """The penalty, the temperature, and leave-one-out recalls of kept rows: by column, and mean."""
    solved = solution(method)
    recalls = [None if isnan(r) else round(r, 4) for r in solved.judged.accuracy.tolist()]
    macro = None if isnan(solved.judged.macro) else solved.judged.macro
    judged = {"rows": solved.judged.rows, "macro": macro, "by_column": recalls}
    return {"penalty": solved.penalty, "temperature": solved.temperature, "leave_one_out": judged}


def serving(method: Solved) -> dict[str, Tensor]:
    """The solution as tensors, for the store."""
    s = solution(method)
    numbers = [s.penalty, s.temperature, s.judged.macro, s.judged.nll, s.judged.rows]
    return {
        "weight": s.weight,
        "bias": s.bias,
        "numbers": torch.tensor(numbers, dtype=torch.float64),
        "recalls": s.judged.accuracy,
    }


def served(tensors: dict[str, Tensor]) -> Solution | None:
    """The solution that `serving` gave, if it did."""
    if "weight" not in tensors:
        return None
    penalty, temperature, macro, nll, rows = tensors["numbers"].tolist()
    judged = Judged(tensors["recalls"], macro, nll, int(rows))
    return Solution(tensors["weight"], tensors["bias"], penalty, temperature, judged)


def staged(method: Solved) -> Callable[[], None]:
    """Begin a task that may fail; the function returned takes back what it added."""
    before = method._solution
    method.sums.begin()

    def restore() -> None:
        method.sums.rollback()
        method._solution = before

    return restore
