"""The gate (--gate): an update that costs old classes too much is refused, and the model stays."""

from typing import Any

from ..errors import GateError
from ..formatting import percent
from . import judge
from .model import Model
from .recall import exceeds

# Samples of a new class that the gate must have seen before it refuses for its sake.
GATE_SAMPLES = 5


def enforce(model: Model, points: float) -> None:
    """Raise GateError if the last update costs too much (`refusal`), or if nobody can
    tell.

    points: of mean recall that old classes may lose.
    """
    report, old = model.update["report"] or judge.last_update(model), model.update["old_classes"]
    if report is None or (old and report["old_before"] is None):
        raise blind()
    why = refusal(report, points)
    if why:
        raise GateError(f"the gate refused this update: {why}. The model is as it was.", report)


def blind() -> GateError:
    """The error of a gate that has nothing to judge old classes by."""
    return GateError(
        "the gate cannot tell what the old classes would lose: no samples of theirs were held back "
        "when they were learnt (--validation 20, validation=20). Leave the gate out this once, or "
        "use a closed-form method such as lda, which needs none. The model is as it was."
    )


def refusal(report: dict[str, Any], points: float) -> str | None:
    """Why a gate refuses an update with this report; None where it lets it pass.

    points: percentage points of mean recall that the old classes may lose, these included. A new
    class may not have less than half of the mean recall of all, where `GATE_SAMPLES` samples of
    it or more were judged; half will do.
    """
    reasons = []
    if report["old_before"] is not None:
        lost = report["old_before"] - report["old"]
        if exceeds(lost, points / 100):
            reasons.append(
                f"old classes fall from {percent(report['old_before'])} to "
                f"{percent(report['old'])}, by {100 * lost:.1f} points where {points:g} are allowed"
            )
    weak = [
        f"{label} ({percent(report['per_class'][label])})"
        for label in report["new_classes"]
        if report["judged"][label] >= GATE_SAMPLES
        and exceeds(report["all"] / 2, report["per_class"][label])
    ]
    if weak:
        reasons.append(
            f"new classes below half of the mean recall of {percent(report['all'])}: "
            f"{', '.join(weak)}"
        )
    return "; ".join(reasons) or None
