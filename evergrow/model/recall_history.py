"""The recall of each class over the life of a model: when it was learnt, and at best."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..formatting import percent
from .recall import exceeds, mean

History = dict[str, list[float]]  # label: recall when it was first judged, and the highest since
LEFT_OUT, HELD_OUT = "kept samples, each left out in turn", "samples held back from learning"
CLASSES_SHOWN = 5  # classes that fell most, and newcomers of each


def carried(
    update: Mapping[str, Any], labels: Sequence[str], before: Sequence[float | None] | None
) -> History:
    """What is known once another update begins.

    update: the last one, as a dict.  labels: by column.  before: recalls by column as the model is.

    >>> last = {"recalls": {"cat": [0.9, 0.9]}, "report": {"per_class": {"cat": 0.8, "dog": 1.0}}}
    >>> carried(last, ["cat", "dog"], [0.95, None])
    {'cat': [0.9, 0.95], 'dog': [1.0, 1.0]}
    """
    past = {label: list(pair) for label, pair in (update.get("recalls") or {}).items()}
    judged = ((update.get("report") or {}).get("per_class") or {}).items()
    for label, recall in (*judged, *zip(labels, before or (), strict=False)):
        if recall is not None:
            first, best = past.get(label, (recall, recall))
            past[label] = [first, max(best, recall)]
    return past


def since_learnt(
    past: Mapping[str, Sequence[float]],
    labels: Sequence[str],
    old: int,
    after: Sequence[float | None],
    confusion: Sequence[tuple[str, str, int]],
) -> dict[str, Any]:
    """What a report says of all updates so far, as JSON.

    past: of `carried`.  labels, after: by column; the first `old` were known before the last
    update.  confusion: label, predicted, samples.
    first, best: recall of each class when it was first judged, and at best; old_first, old_best:
    their means over old classes that are judged now; fallen: classes below their best, worst first:
    label, first, best, after, to (what they are taken for), newcomers (those that came later).
    """
    known = {label: pair for label, pair in past.items() if label in labels}
    for label, now in zip(labels, after, strict=True):
        if now is not None:
            first, best = known.get(label, (now, now))
            known[label] = [first, max(best, now)]
    both = [labels[j] for j in range(old) if after[j] is not None and labels[j] in known]
    column = {label: j for j, label in enumerate(labels)}
    drops = {label: known[label][1] - (after[column[label]] or 0.0) for label in both}
    worst = sorted((d for d in drops if exceeds(drops[d], 0.0)), key=lambda d: -drops[d])
    fallen = []
    for label in worst[:CLASSES_SHOWN]:
        to = [(b, n) for a, b, n in confusion if a == label and b != label]
        to.sort(key=lambda pair: -pair[1])
        newer = [(b, n) for b, n in to if column[b] > column[label]][:CLASSES_SHOWN]
        first, best = known[label]
        entry = {"label": label, "first": first, "best": best, "after": after[column[label]]}
        lists = {"to": to[:CLASSES_SHOWN], "newcomers": newer}
        fallen.append(entry | {key: [list(pair) for pair in pairs] for key, pairs in lists.items()})
    return {
        "first": {label: pair[0] for label, pair in known.items()},
        "best": {label: pair[1] for label, pair in known.items()},
        "old_first": mean([known[label][0] for label in both]),
        "old_best": mean([known[label][1] for label in both]),
        "fallen": fallen,
    }


def in_words(entry: Mapping[str, Any], report: Mapping[str, Any]) -> str:
    """How a class has fared since it was learnt, and why where that is known.

    entry: of the report's `fallen`.

    >>> entry = {"label": "cat", "first": 0.9, "best": 0.95, "after": 0.6, "to": [["dog", 3]]}
    >>> told = {"by": LEFT_OUT, "before": {"cat": 0.95}}
    >>> in_words(entry | {"newcomers": []}, told)
    'cat: 90.0 % when learnt, 95.0 % at best and before, 60.0 % now; taken for dog (3)'
    """
    ways = [("when learnt", entry["first"]), ("at best", entry["best"])]
    ways += [("before", report["before"].get(entry["label"])), ("now", entry["after"])]
    shares = dict.fromkeys([percent(share) for _, share in ways if share is not None])
    whens = {
        share: [w for w, s in ways if s is not None and percent(s) == share] for share in shares
    }
    told = ", ".join(f"{share} {_and(whens[share])}" for share in shares)
    exact = report["by"] == LEFT_OUT and bool(entry["newcomers"])
    others = ", ".join(f"{b} ({n})" for b, n in entry["newcomers" if exact else "to"])
    why = "taken for "
    if exact:
        why = "its sums are as they were, newcomers compete for its samples: "
    return f"{entry['label']}: {told}" + (f"; {why}{others}" if others else "")


def _and(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
