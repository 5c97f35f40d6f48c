"""A gate before a trained network: what lies among the new classes is new, the rest goes its way.

For a network trained elsewhere whose old data are gone. It combines: Gaussians with one covariance
in feature space, and Mahalanobis distances to tell what a network was not trained on (Lee et al.
2018, "A Simple Unified Framework for Detecting Out-of-Distribution Samples and Adversarial
Attacks", arXiv:1807.03888); the log-sum-exp of the old logits (Liu et al. 2020, "Energy-based
Out-of-distribution Detection", arXiv:2010.03759); linear discriminants among the new classes. Where
we differ: the Gaussians are those of the new classes, as nothing is known of the old ones;
distances are taken among the old logits too; and the three terms are standardised on kept rows,
each left out, and summed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..analytic.feature_statistics import FeatureStatistics
from ..analytic.novelty import Metric, left_out, standards, terms
from ..analytic.solution import scores_in_blocks
from ..data.task import Task
from ..errors import SettingError
from ..training.losses import cross_entropy
from .base import Method


@dataclass(eq=False)
class NoveltyGate(Method):
    """New where distance + logits * distance among old logits + energy * old log-sum-exp is small.

    Distances are logarithms of squared Mahalanobis distances to the nearest new class.

    accept: share of the new classes' own samples that passes, in (0, 1). The fewer, the more of
        the old classes is kept; 0.75 suits new classes that are rarer than the old ones.
    penalty: of the covariances, in units of their mean diagonal; positive.
    logits, energy: weights of the second and the third term, 0 or more.
    keep: integer feature rows kept a class, on which the threshold is found; 1 or more.

    The first classes of a model begun here are trained by cross-entropy; an adopted network's are
    there already. From then on no weight moves, and decisions among those classes stay as they
    were; their own samples, if some come, are passed over. New classes take one pass; where they
    come again, their sums go on. Stored: sums and the kept rows of features, no sample.

    >>> NoveltyGate(accept=0.9).settings()
    {'accept': 0.9, 'penalty': 0.3, 'logits': 1.0, 'energy': 1.0, 'keep': 200}
    """

    accept: float = 0.75
    penalty: float = 0.3
    logits: float = 1.0
    energy: float = 1.0
    keep: int = 200

    def __post_init__(self) -> None:
        weighed = self.logits >= 0 and self.energy >= 0
        if not (0 < self.accept < 1 and self.penalty > 0 and weighed and self.keep >= 1):
            raise SettingError(
                f"accept={self.accept}, penalty={self.penalty}, logits={self.logits}, "
                f"energy={self.energy}, keep={self.keep}: accept in (0, 1), penalty positive, "
                "weights 0 or more, at least one row kept."
            )

    def setup(self) -> None:
        self.trained = torch.arange(self.net.n_classes)  # columns of the network before the gate
        self.sums = FeatureStatistics(self.net.width, self.keep)
        self._solved: dict[str, Tensor] = {}

    def grow(self, old: int, total: int) -> None:
        """The first classes get rows of the head; later ones live in the sums."""
        if not old:
            super().grow(old, total)

    def learn(self, task: Task) -> Iterator[dict[str, Tensor]]:
        self._solved = {}
        self.sums.grow(task.total)
        if not task.old:
            self.trained = task.classes
            for batch in self.batches(task):
                yield {"new": cross_entropy(self.net(batch.x), batch.y)}
            return
        for q, y in self.integers(task):
            later = ~torch.isin(y, self.trained)
            self.sums.add(q.cpu()[later], y[later])

    def solved(self) -> dict[str, Tensor]:
        """What `scores` needs beside the network: two metrics, units of the terms, the edge."""
        if not self._solved:
            n, columns = self.sums.counts, self.sums.counts.nonzero()[:, 0]
            total = n.new_tensor([len(n)])
            parts = {"trained": self.trained, "columns": columns, "total": total}
            self._solved = parts | (self._fitted(columns) if len(columns) else {})
        return self._solved

    def _fitted(self, columns: Tensor) -> dict[str, Tensor]:
        n, kept_rows = self.sums.counts[columns], self.sums.kept
        means = self.sums.sums[columns].double() / n[:, None]
        freedom = max(1, int(n.sum()) - len(n))
        within = (self.sums.gram.double() - means.T @ (means * n[:, None])) / freedom
        rows = self.net.head.weight.detach().cpu().double()[self.trained]
        near = Metric.of(means, within, self.penalty)
        alike = Metric.of(means @ rows.T, rows @ within @ rows.T, self.penalty)
        own = torch.searchsorted(columns, kept_rows.y)
        both = near.squares(kept_rows.rows), alike.squares(kept_rows.rows.float() @ rows.float().T)
        first, second = (left_out(squares, own, n[own], freedom) for squares in both)
        known = terms(first, second, self._logits(kept_rows.rows))[n[own] > 1]
        units = standards(known, [self.net.width, len(rows)])
        edge = self._sum(known, units).quantile(self.accept) if len(known) else torch.zeros(())
        return {
            "near": near.factor,
            "near_centres": near.centres,
            "alike": alike.factor,
            "alike_centres": alike.centres,
            "units": units,
            "edge": edge[None],
        }

    def _logits(self, q: Tensor) -> Tensor:
        """(n, trained) old logits of integer features."""
        rows, bias = (t.detach().cpu()[self.trained] for t in self.net.head.parameters())
        return q.float() / (self.net.scale or 1.0) @ rows.T + bias

    def _sum(self, terms: Tensor, units: Tensor) -> Tensor:
        weights = torch.tensor([1.0, self.logits, self.energy])
        return ((terms - units[0]) / units[1]) @ weights

    def scores(self, x: Tensor) -> Tensor:
        s, old = self.solved(), self.net(x).cpu()
        total = max(int(s["total"]), old.shape[1])
        out = torch.nn.functional.pad(old, (0, total - old.shape[1]), value=-torch.inf)
        if not len(s["columns"]):
            return out
        near = Metric(s["near"], s["near_centres"])
        alike = Metric(s["alike"], s["alike_centres"])
        rows = self.net.head.weight.detach().cpu()[self.trained]

        def passing(q: Tensor) -> Tensor:
            """(n, k): how far inside the edge, less for what lies nearer to another new class."""
            squares = near.squares(q)
            values = terms(squares, alike.squares(q.float() @ rows.T), self._logits(q))
            inside = s["edge"] - self._sum(values, s["units"])
            return inside[:, None] - (squares - squares.amin(1, keepdim=True)) / 2

        margins = scores_in_blocks(self.net.steady(x, self.net.scale).cpu(), passing)
        out[:, s["columns"]] = old[:, s["trained"]].amax(1, keepdim=True) + margins
        return out

    def serving(self) -> dict[str, Tensor]:
        return self.solved()

    def serve(self, tensors: dict[str, Tensor]) -> None:
        self._solved, self.trained = tensors, tensors["trained"]

    def fill(self, state: dict[str, Any]) -> None:
        super().fill(state)
        self._solved = {}
