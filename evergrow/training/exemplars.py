"""Exemplars: the samples of each class whose mean feature vector is closest to the class's."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ..data.task import Task
from ..errors import SettingError
from ..nn.network import Network
from .replay_buffer import Memory, evenly


def herding(features: Tensor, n: int) -> Tensor:
    """Rows whose running mean stays closest to the mean of all; (n,) of them, best first.

    features: (m, width) of one class, taken to unit length first.  n <= m.
    Source: Rebuffi et al. 2017, "iCaRL", arXiv:1611.07725, algorithm 4 (after Welling 2009).

    >>> herding(torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]]), 1).tolist()
    [1]
    """
    unit = normalize(features.double(), dim=1)
    mean, total, chosen = unit.mean(0), unit.new_zeros(unit.shape[1]), []
    penalty = unit.square().sum(1) / 2  # half the squared length: 1/2, or 0 for no features at all
    for k in range(1, min(n, len(unit)) + 1):
        # |mean - (total + f) / k|^2 is least where f'(k mean - total) - |f|^2 / 2 is largest
        best = int((unit @ (k * mean - total) - penalty).argmax())
        chosen.append(best)
        penalty[best] = torch.inf
        total = total + unit[best]
    return torch.tensor(chosen, dtype=torch.long)


class Exemplars(Memory):
    """Equal numbers of exemplars a class, in order of their rank: x (m, ...), y (m,).

    Source: Rebuffi et al. 2017, "iCaRL", arXiv:1611.07725, algorithms 4 and 5: a class keeps its
    first room / classes exemplars, so that a new class costs each old one its last.

    Examples given to `remember` join their class as its first exemplars; a class that is chosen
    anew is chosen from them too.
    """

    def remember(self, x: Tensor, y: Tensor, logits: Tensor | None = None) -> None:
        both = (torch.cat([x.cpu(), self.x]), torch.cat([y, self.y])) if self.size else (x.cpu(), y)
        order = both[1].argsort(stable=True)
        self._become(both[0][order], both[1][order])

    def choose(self, task: Task, features: Callable[[Tensor], Tensor]) -> None:
        """Choose exemplars of the task's classes, by herding, and shorten the lists of all others.

        features: (n, ...) canonical tensors -> (n, width).  A class at a time is in memory.
        Raises SettingError where there is less than one exemplar a class.
        """
        each = self.share(task.total)
        xs, ys = [], []
        for c in range(task.total):
            part = task.part((task.y == c).nonzero()[:, 0])
            candidates = self._x[(self.y == c).nonzero()[:, 0]] if self.size else self._x[:0]
            if len(part):
                candidates = self._herded(part, candidates, features, each)
            xs.append(candidates[:each])
            ys.append(torch.full((len(candidates[:each]),), c))
        self._become(torch.cat([x for x in xs if len(x)]), torch.cat(ys))

    def share(self, classes: int) -> int:
        """Exemplars of each of so many classes.  Raises SettingError if that is none."""
        if self.room < classes:
            raise SettingError(
                f"memory={self.room} is less than one exemplar for each of {classes} classes; "
                "give it more."
            )
        return self.room // classes

    def _herded(
        self, part: Task, candidates: Tensor, features: Callable[[Tensor], Tensor], each: int
    ) -> Tensor:
        """The best of a class's new samples and those kept before, best first."""
        blocks = [features(x).cpu() for x, _ in part.blocks(2048)]
        if len(candidates):
            blocks.append(features(candidates).cpu())
        rows = herding(torch.cat(blocks), each)
        old = rows >= len(part)
        x = part.records.take(rows.clamp(max=len(part) - 1))
        if old.any():
            x[old] = candidates[rows[old] - len(part)]
        return x

    def _become(self, x: Tensor, y: Tensor) -> None:
        """Hold these, sorted by class, best first; as many of each as there is room for."""
        sizes = torch.bincount(y)
        rank = torch.arange(len(y)) - (sizes.cumsum(0) - sizes)[y]
        stays = rank < evenly(sizes, self.room)[y]
        self.size = 0
        self._put(torch.arange(int(stays.sum())), x[stays], y[stays], None)


def unit_means(memory: Memory, net: Network) -> Tensor:
    """(classes, width) means of each class's unit features, of unit length too; NaN if it has none.

    Source: Rebuffi et al. 2017, "iCaRL", arXiv:1611.07725, algorithm 1 and the note in section 2
    that means are normalised again.
    """
    sums = torch.zeros(net.n_classes, net.width)
    if len(memory):
        sums.index_add_(0, memory.y, normalize(net.steady(memory.x).float(), dim=1).cpu())
    counts = torch.bincount(memory.y, minlength=net.n_classes)[:, None]
    return normalize(sums, dim=1).masked_fill(counts == 0, torch.nan)


def nearest(features: Tensor, means: Tensor) -> Tensor:
    """(n, classes) minus the squared distance of unit features to unit means; -inf where NaN.

    features: (n, width), brought to unit length here.  means: (classes, width).
    Source: Rebuffi et al. 2017, "iCaRL", arXiv:1611.07725, algorithm 1.

    >>> nearest(torch.tensor([[0.0, 5.0]]), torch.tensor([[0.0, 1.0], [1.0, 0.0]])).tolist()
    [[0.0, -2.0]]
    """
    unit = normalize(features.float(), dim=1)
    scores = 2 * unit @ means.to(unit.device).T - 2
    return scores.masked_fill(scores.isnan(), -torch.inf)


def unanswered(means: Tensor | None) -> list[str]:
    """A warning if some classes have no mean.

    >>> unanswered(torch.tensor([[0.0, 1.0], [torch.nan, torch.nan]]))
    ['1 of 2 classes have no sample in the memory and will never be the answer.']
    """
    missing = 0 if means is None else int(means.isnan().any(1).sum())
    if means is None or not missing:
        return []
    return [
        f"{missing} of {len(means)} classes have no sample in the memory and will never be "
        "the answer."
    ]


def check_remembered(memory: Memory, task: Task) -> None:
    """Raise SettingError if a network trained elsewhere has classes without a sample in memory."""
    missing = task.old - len(memory.y.unique())
    if task.number == 0 and missing > 0:
        raise SettingError(
            f"this method knows classes by samples that it keeps, and has none of {missing} of the "
            "classes that this network learnt elsewhere; give a few samples of each (remember, "
            "--old), or use a method that answers by the head (lwf, er)."
        )
