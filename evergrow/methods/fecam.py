"""FeCAM: the class nearest in its own covariance's metric.

Goswami et al. 2023, "FeCAM: Exploiting the Heterogeneity of Class Distributions in Exemplar-Free
Continual Learning", arXiv:2309.14062: Mahalanobis distance with a covariance a class, after Tukey's
power transform, covariance shrinkage and correlation normalisation. As in the authors' code,
features and means are taken to unit length before the distance, and a mean is transformed after it
is taken. Where we differ: features, transformed or not, are 8-bit integers, so the moments are
exact; the transform keeps the sign of negative features; the backbone is taken as it is unless
`adapt` trains it on the first task, as the authors do; probabilities are ours.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ..analytic.class_statistics import ClassStatistics
from ..analytic.mahalanobis import inverse_factor, shrunk, tukey
from ..analytic.solution import scores_in_blocks
from ..data.task import Task
from ..errors import SettingError
from .first_session import FirstSession

WIDEST = 4096  # features; a class takes width^2 * 8 bytes


@dataclass(eq=False)
class FeCAM(FirstSession):
    """Score -(x - mean)' S^-1 (x - mean), S a class's shrunk covariance as a correlation matrix.

    power: of Tukey's transform sign(x) |x|^power (lambda), in (0, 1]; 1 leaves features alone.
    diagonal, off_diagonal: shrinkage (gamma 1, gamma 2), 0 or more: as many mean variances on the
        diagonal, mean covariances off it. 1 in the paper with many samples a class, more with few.
    correlation: whether S is normalised to unit variances.
    adapt: train the backbone on the first task, as in `ClosedForm`.

    Keeps a Gram matrix a class: 2 MB at 512 features, 32 MB at 2,048; wider than 4,096 is refused.
    Probabilities are those of Gaussians, and far too sure of themselves.

    >>> FeCAM().settings()
    {'power': 0.5, 'diagonal': 1.0, 'off_diagonal': 1.0, 'correlation': True,
     'adapt': False}
    """

    power: float = 0.5
    diagonal: float = 1.0
    off_diagonal: float = 1.0
    correlation: bool = True
    adapt: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.power <= 1 or self.diagonal < 0 or self.off_diagonal < 0:
            raise SettingError(
                f"power={self.power}, diagonal={self.diagonal}, off_diagonal={self.off_diagonal}: "
                "power in (0, 1], shrinkage 0 or more."
            )

    def setup(self) -> None:
        if self.net.width > WIDEST:
            raise SettingError(
                f"the backbone gives {self.net.width} features, and fecam keeps a matrix of their "
                f"square a class; it takes {WIDEST} at most: use a narrower backbone, or lda."
            )
        self.by_class = ClassStatistics(self.net.width)  # of transformed features
        self.plain = torch.zeros(0, self.net.width, dtype=torch.int64)  # sums before the transform
        self._metric: dict[str, Tensor] = {}
        super().setup()

    @property
    def counts(self) -> Tensor:
        return self.by_class.counts

    def remember(self, task: Task) -> None:
        self._metric = {}
        self.by_class.grow(task.total)
        plain = torch.zeros(task.total, self.net.width, dtype=torch.int64)
        plain[: len(self.plain)] = self.plain
        for q, y in self.integers(task, {"plain": plain}):
            plain.index_add_(0, y, q.cpu().long())
            self.by_class.add(tukey(q, self.power).round().to(torch.int8), y)
        self.plain = plain

    def metric(self) -> dict[str, Tensor]:
        """For each class the inverse factor L^-1 of S = L L', and L^-1 times its unit mean."""
        if not self._metric:
            factors = torch.zeros(len(self.plain), self.net.width, self.net.width)
            centres, own = torch.full((len(self.plain), self.net.width), torch.inf), []
            settings = self.diagonal, self.off_diagonal, self.correlation
            for c in self.by_class.counts.nonzero()[:, 0].tolist():
                covariance = self.by_class.covariance(c)
                factor = inverse_factor(shrunk(covariance, *settings))
                mean = tukey(self.plain[c].double() / self.by_class.counts[c], self.power)
                factors[c], centres[c] = factor.float(), (factor @ normalize(mean, dim=0)).float()
                spread = ((factor @ covariance) * factor).sum() / mean.square().sum().clamp(min=1)
                own.append(spread)  # the expected distance of a class's own samples
            typical = torch.stack(own).mean()[None].float()
            self._metric = {"factors": factors, "centres": centres, "typical": typical}
        return self._metric

    def scores(self, x: Tensor) -> Tensor:
        metric = {name: value.to(self.net.device) for name, value in self.metric().items()}

        def distances(q: Tensor) -> Tensor:
            unit = normalize(tukey(q, self.power), dim=1)
            both = zip(metric["factors"], metric["centres"], strict=True)
            return -torch.stack([(unit @ f.T - c).square().sum(1) for f, c in both], 1)

        return scores_in_blocks(self.net.steady(x, self.net.scale), distances)

    def probabilities(self, scores: Tensor) -> Tensor:
        """Of Gaussians of equal volume whose own samples are as far away as the classes' are."""
        typical = float(self.metric()["typical"]) or 1.0
        return (scores * self.net.width / (2 * typical)).softmax(1)

    def serving(self) -> dict[str, Tensor]:
        return self.metric()

    def serve(self, tensors: dict[str, Tensor]) -> None:
        self._metric = tensors
