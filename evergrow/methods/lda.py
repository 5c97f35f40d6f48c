"""Linear discriminant analysis on fixed features, noise-corrected means: one pass, exact.

Streaming LDA: Hayes and Kanan 2020, "Lifelong Machine Learning with Deep Streaming Linear
Discriminant Analysis", arXiv:1909.01520. Where we differ: the sums are integers, so any order and
chunking give the same model bit for bit; the norm of a mean of few samples is corrected for its
noise; the penalty is chosen by leave-one-out (see `solve`).
"""

from dataclasses import dataclass

from .. import solve
from ..errors import SettingError
from .closed import ClosedForm


@dataclass(eq=False)
class LDA(ClosedForm):
    """The class whose corrected mean is nearest in the pooled within-class covariance's metric.

    prior: "equal", or "counts" to favour frequent classes.
    penalty: of the covariance, in units of its mean diagonal; None chooses it by leave-one-out.
    correct: take the noise of small classes off their means' norms.
    keep, adapt: as in `ClosedForm`.

    >>> LDA(prior="counts").settings()
    {'keep': 20, 'adapt': False, 'prior': 'counts', 'penalty': None, 'correct': True}
    """

    prior: str = "equal"
    penalty: float | None = None
    correct: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.prior not in ("equal", "counts"):
            raise SettingError(f"prior={self.prior!r}: 'equal' or 'counts'.")
        if self.penalty is not None and not self.penalty > 0:
            raise SettingError(f"penalty={self.penalty}: positive, or None.")

    def solve(self) -> solve.Solution:
        return solve.lda(self.sums, self.penalty, self.prior, self.correct)
