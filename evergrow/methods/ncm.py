"""Nearest class mean of fixed features: the simplest classifier that never forgets.

Mensink et al. 2013, "Distance-Based Image Classification"; with a pretrained network it is the
SimpleCIL baseline of Zhou et al. 2023, "Revisiting Class-Incremental Learning with Pre-Trained
Models", arXiv:2303.07338 (there with the cosine, here with the Euclidean distance).
"""

from dataclasses import dataclass

from ..analytic import discriminant, solution
from .closed_form import ClosedForm


@dataclass(eq=False)
class NCM(ClosedForm):
    """The class whose mean feature vector is nearest.

    keep, adapt: as in `ClosedForm`.

    >>> NCM().settings()
    {'keep': 20, 'adapt': False}
    """

    def solve(self) -> solution.Solution:
        return discriminant.ncm(self.sums)
