"""What an update did, read off answers to samples that were not learnt; and whether a gate lets it.

Pure functions of arrays. A recall is the share of a class's samples that are answered rightly; old,
new and all are means of recalls, so that every class counts alike.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .calibration import calibration as expected_error
from .recall import exceeds, mean
from .recall_history import since_learnt

CLASSES_SHOWN = 5  # classes that lost most, and classes that each was taken for
BINS = 10
Recalls = Sequence[float | None]


@dataclass(frozen=True)
class HeldOutAnswers:
    """Answers to samples that were not learnt.

    shares: (m, k) probabilities.  y: (m,) columns.  by: how they come to be unlearnt, in words.
    """

    shares: np.ndarray
    y: np.ndarray
    by: str

    @property
    def answers(self) -> np.ndarray:
        """(m,) columns."""
        return self.shares.argmax(1)  # type: ignore[no-any-return]


def recalls_by_column(answers: np.ndarray, y: np.ndarray, total: int) -> list[float | None]:
    """Recall in [0, 1] of each of `total` columns, None where there is no sample.

    >>> recalls_by_column(np.array([0, 1, 1]), np.array([0, 0, 1]), total=3)
    [0.5, 1.0, None]
    """
    right = np.bincount(y[answers == y], minlength=total)
    there = np.bincount(y, minlength=total)
    return [float(r / n) if n else None for r, n in zip(right, there, strict=True)]


def report(
    judged: HeldOutAnswers,
    labels: Sequence[str],
    old: int,
    before: Recalls | None,
    past: Mapping[str, Sequence[float]] | None = None,
) -> dict[str, Any]:
    """What an update did, as JSON.

    labels: by column; the first `old` were known before.  before: recalls of these before the
    update, None where that is not known.  past: of the updates before; see `recall_history`.
    Keys: by, samples, new_classes; old_before, old, new, all: mean recalls in [0, 1], None without
    samples; margins: half of the 95 % intervals of old, new and all; per_class, before and judged
    (samples) by label; lost: old classes that lost most, and what they were taken for; confusion:
    [label, predicted, samples]; calibration: see `calibration`; and what `since_learnt` has.
    """
    answers, k = judged.answers, len(labels)
    after, there = recalls_by_column(answers, judged.y, k), np.bincount(judged.y, minlength=k)
    earlier = [None] * k if before is None else [*before, *[None] * (k - len(before))]
    both = [j for j in range(old) if after[j] is not None and earlier[j] is not None]
    pairs = Counter(zip(judged.y.tolist(), answers.tolist(), strict=True))
    confusion = [[labels[a], labels[b], n] for (a, b), n in sorted(pairs.items())]
    compared = both or [j for j in range(old) if after[j] is not None]
    parts = {"old": compared, "new": range(old, k), "all": range(k)}
    return {
        "by": judged.by,
        "new_classes": list(labels[old:]),
        "samples": len(judged.y),
        "old_before": mean([earlier[j] for j in both]),
        **{name: mean([after[j] for j in part]) for name, part in parts.items()},
        "margins": {name: _margin(after, there, part) for name, part in parts.items()},
        "per_class": dict(zip(labels, after, strict=True)),
        "before": {labels[j]: earlier[j] for j in both},
        "judged": dict(zip(labels, there.tolist(), strict=True)),
        "lost": [_loss(labels, j, earlier, after, pairs) for j in _worst(both, earlier, after)],
        "confusion": confusion,
        "calibration": calibration_report(judged.shares.max(1), answers == judged.y),
        **since_learnt(past or {}, labels, old, after, [(a, b, n) for a, b, n in confusion]),
    }


def calibration_report(confidence: np.ndarray, right: np.ndarray) -> dict[str, Any]:
    """As `calibration.calibration`, in ten bins, as JSON; 0 where there are no samples.

    confidence: (m,) probability of the answer given.  right: (m,) bool.

    >>> calibration_report(np.array([0.9, 0.9]), np.array([True, False]))["error"]
    0.4
    """
    error, bins = expected_error(confidence, right, BINS)
    return {"error": round(error, 6) if bins else 0.0, "bins": [list(cells) for cells in bins]}


def _margin(after: Recalls, there: np.ndarray, part: Sequence[int]) -> float | None:
    """Half of a 95 % interval of a mean of recalls.

    Source: Agresti and Coull 1998, Approximate is better than "exact" for interval estimation of
    binomial proportions: two of each outcome added; to as many samples as the mean is worth.
    """
    judged = [j for j in part if there[j]]
    middle = mean([after[j] for j in judged])
    if middle is None:
        return None
    worth = len(judged) ** 2 / float(np.sum(1 / there[judged]))
    share = (middle * worth + 2) / (worth + 4)
    return float(1.96 * (share * (1 - share) / (worth + 4)) ** 0.5)


def _worst(both: Sequence[int], before: Recalls, after: Recalls) -> list[int]:
    """Columns that lost recall, the most first."""
    lost = {j: (before[j] or 0.0) - (after[j] or 0.0) for j in both}
    worse = [j for j in both if exceeds(lost[j], 0.0)]
    return sorted(worse, key=lambda j: -lost[j])[:CLASSES_SHOWN]


def _loss(
    labels: Sequence[str], j: int, before: Recalls, after: Recalls, pairs: Counter[tuple[int, int]]
) -> dict[str, Any]:
    confused = Counter({labels[b]: n for (a, b), n in pairs.items() if a == j and b != j})
    to = [[label, n] for label, n in confused.most_common(CLASSES_SHOWN)]
    return {"label": labels[j], "before": before[j], "after": after[j], "to": to}
