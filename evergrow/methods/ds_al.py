"""Dual-stream analytic learning: ridge on random features, and a second fit to what it leaves.

Zhuang et al. 2024, "DS-AL: A Dual-Stream Analytic Learning for Exemplar-Free Class-Incremental
Learning", arXiv:2403.17503. The main stream is ACIL; the compensation stream sees the same random
combinations through another activation (tanh) and is fitted to the residual of each task, taken
with the main weights just learnt, its columns of earlier classes set to zero (previous label
cleansing); the answer is main + ratio * compensation. Where we differ: the main stream's sums are
integers and its order does not matter (the residual's does, as published: a task's is taken once);
an old class that returns keeps its column; penalties are relative.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..analytic import ridge_regression, solution
from ..analytic.feature_statistics import FeatureStatistics
from ..analytic.integer_math import product
from ..analytic.penalty import at_least
from ..analytic.random_projection import Projection
from ..data.task import Task
from ..errors import SettingError
from .closed_form import ClosedForm


@dataclass(eq=False)
class DSAL(ClosedForm):
    """relu(F P) W + ratio * tanh(F P) V: W by ridge regression, V by ridge to W's residuals.

    ratio: of the compensation (C in the paper), 0 or more; 0 is ACIL.
    size: random features of each stream (expansion size; 8,192 in the authors' code).
    penalty, compensation: of the two streams (gammas), in units of the mean square of a feature
        times samples; positive.
    seed: of the random layer, which is made anew from it.
    keep: integer rows of the main stream kept a class: the temperature and the figures left out
        are the main stream's alone.  adapt: as in `ClosedForm`.

    Keeps the sums of both streams, and the second's products with the residuals. Each task is
    solved once as it is learnt, which a stream of single samples makes slow.

    >>> DSAL(ratio=0.5).settings()
    {'keep': 20, 'adapt': False, 'ratio': 0.5, 'size': 1024, 'penalty': 0.01, 'compensation': 0.01,
     'seed': 0}
    """

    ratio: float = 1.0
    size: int = 1024
    penalty: float = 0.01
    compensation: float = 0.01
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.ratio < 0 or self.size < 1 or not (self.penalty > 0 and self.compensation > 0):
            raise SettingError(
                f"ratio={self.ratio}, size={self.size}, penalty={self.penalty}, compensation="
                f"{self.compensation}: ratio 0 or more, size at least 1, penalties positive."
            )

    def random_layer(self) -> Projection:
        return Projection(self.net.width, self.size, self.seed)

    def setup(self) -> None:
        super().setup()
        self.second = FeatureStatistics(self.size, 0)
        self.target = torch.zeros(self.size, 0, dtype=torch.float64)  # sum of tanh' residual

    def remember(self, task: Task) -> None:
        self._solution = None
        assert self.layer is not None
        self.sums.grow(task.total)
        self.second.grow(task.total)
        crossed = torch.zeros(self.size, self.size, dtype=torch.int64)  # tanh' relu, of this task
        labelled = torch.zeros(self.size, task.total, dtype=torch.int64)  # tanh' one-hot
        for q, y in self.integers(task, {"crossed": crossed, "labelled": labelled}):
            self.layer.fix(q)
            main, second = self.layer(q).cpu(), self.layer(q, torch.tanh).cpu()
            self.sums.add(main, y)
            self.second.add(second, y)
            crossed += product(second.T.contiguous(), main)
            labelled.index_add_(1, y, second.T.long())
        residual = labelled.double() - crossed.double() @ self._main().weight.double()
        target = torch.zeros(self.size, task.total, dtype=torch.float64)
        target[:, : self.target.shape[1]] = self.target
        target[:, task.classes] += residual[:, task.classes]  # previous label cleansing
        self.target = target

    def _main(self) -> solution.Solution:
        return ridge_regression.ridge(self.sums, self.penalty, intercept=False)

    def solve(self) -> solution.Solution:
        main = self._main()
        gram = self.second.gram.double()
        unit = float(gram.diagonal().mean()) or 1.0

        def attempt(value: float) -> tuple[Tensor, Tensor] | None:
            ridged = gram + value * unit * torch.eye(self.size, dtype=gram.dtype)
            factor, wrong = torch.linalg.cholesky_ex(ridged)
            return None if bool(wrong) else (factor, torch.cholesky_solve(self.target, factor))

        _, second = at_least(attempt, self.compensation)
        return replace(main, weight=torch.cat([main.weight, self.ratio * second.float()]))

    def rows(self, q: Tensor) -> Tensor:
        assert self.layer is not None
        return torch.cat([self.layer(q), self.layer(q, torch.tanh)], 1)
