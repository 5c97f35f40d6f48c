"""One thing to know before training: a rule's words, its forecast, what would help."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

Interval = tuple[float, float]


@dataclass(frozen=True)
class Advice:
    """One thing to know before training.

    rule: a short name that stays.  text: in words and numbers.
    forecast: interval of accuracy in [0, 1] that is expected, of the classes that `of` names, or
        None.  remedies: what would help.
    """

    rule: str
    text: str
    forecast: Interval | None = None
    remedies: Sequence[str] = ()
    of: str = "all classes"

    def plain(self) -> dict[str, Any]:
        """The same as JSON."""
        forecast = None if self.forecast is None else list(self.forecast)
        return asdict(self) | {"forecast": forecast, "remedies": list(self.remedies)}


def clipped(low: float, high: float) -> Interval:
    return round(max(low, 0.0), 3), round(min(high, 1.0), 3)
