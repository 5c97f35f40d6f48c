"""Linear discriminant analysis on fixed features, noise-corrected means: one pass, exact.

Streaming LDA: Hayes and Kanan 2020, "Lifelong Machine Learning with Deep Streaming Linear
Discriminant Analysis", arXiv:1909.01520. Where we differ: the sums are integers, so any order and
chunking give the same model bit for bit; the norm of a mean of few samples is corrected for its
noise; penalty and rule are chosen by leave-one-out (see `solution`).
"""

from dataclasses import dataclass

from ..analytic import discriminant, solution
from ..errors import SettingError
from .closed_form import ClosedForm


@dataclass(eq=False)
class LDA(ClosedForm):
    """The class whose corrected mean is nearest in the pooled within-class covariance's metric.

    prior: "equal", or "counts" to favour frequent classes.
    penalty: of the covariance, in units of its mean diagonal; None chooses it by leave-one-out.
    correct: take the noise of small classes off their means' norms.
    rule: "gaussian": the nearest mean, as above; "regression": the same discriminants mixed by
        least squares, classes counting alike, which errs less where rows have heavy tails;
        "auto": the one that does better on kept rows, each left out.
    keep, adapt: as in `ClosedForm`.

    >>> LDA(prior="counts", rule="gaussian").settings()
    {'keep': 20, 'adapt': False, 'prior': 'counts', 'penalty': None, 'correct': True,
     'rule': 'gaussian'}
    """

    prior: str = "equal"
    penalty: float | None = None
    correct: bool = True
    rule: str = "auto"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, known in (("prior", discriminant.PRIORS), ("rule", discriminant.RULES)):
            if getattr(self, name) not in known:
                raise SettingError(f"{name}={getattr(self, name)!r}: one of {', '.join(known)}.")
        if self.penalty is not None and not self.penalty > 0:
            raise SettingError(f"penalty={self.penalty}: positive, or None.")

    def solve(self) -> solution.Solution:
        return discriminant.lda(self.sums, self.penalty, self.prior, self.correct, self.rule)
