"""Rules on old classes: what is kept of them, and what comes of it."""

from math import inf

from ..formatting import percent
from .advice_entry import Advice, Interval, clipped
from .advice_facts import Facts
from .choose import ADOPTED_ALONE

PLAIN = ("finetune", "probe")  # keep nothing, hold nothing; their frozen backbone does not help
REPLAY = ("er", "er-ace", "der++", "mir")  # whose old recall was measured by images held a class
REGULARIZED = ("ewc", "si", "mas", "lwf")
BY_20, BY_UNLABELLED = 5, 7  # points that either buys an adopted network (benchmarks/adopt.py)
BY_MORE = 2  # points that 20 old samples of each class buy over 5
LEAST_NEW = 0.8  # of what comes, that is recalled where it is all there is
# Accuracy of REGULARIZED at best, by updates that brought classes.
REGULARIZED_BEST = (0.95, 0.85, 0.80, 0.65)
REGULARIZED_ONCE = 0.6  # and at worst after one, of the larger of what was and what came
# Old images held a class at most, recall of old classes: 5th and 95th percentile.
REPLAY_FORECASTS = (
    (1.5, 0.05, 0.55),
    (3.0, 0.0, 0.72),
    (7.0, 0.10, 0.87),
    (15.0, 0.35, 0.95),
    (40.0, 0.50, 0.98),
    (inf, 0.57, 1.0),
)
ENOUGH = 7  # old images held a class, above which their nearest neighbours say what to expect:
NEAREST, NEAREST_ADDS, BELOW, ABOVE = 0.75, 0.17, 0.21, 0.14  # recall, and the same percentiles
LEAST_BESIDE = 0.85  # recall of new classes beside replayed ones
GROWTH, SLACK = 0.05, 0.07  # errors that new classes add to leave-one-out ones; and on top, noise


def new_classes_alone(facts: Facts) -> Advice | None:
    """Nothing is kept of old classes, and they do not come: what remains is the new ones."""
    empty = facts.family == "rehearsal" and facts.held == 0
    if not (facts.method in PLAIN or empty) or not facts.absent or not facts.born:
        return None
    forecast = clipped(LEAST_NEW * facts.share, facts.share + 0.02)
    return Advice(
        "new-classes-alone",
        f"{facts.absent} of {facts.old} old classes have no sample here, and {facts.method} has "
        f"nothing of them: they will be forgotten. Expect about {percent(facts.share, 0)}: the "
        "classes that come, alone.",
        forecast,
        _keeping(facts),
    )


def _keeping(facts: Facts) -> list[str]:
    """What helps old classes, with what it was measured to give."""
    room = 20 * len(facts.classes)
    return [
        f"keep 20 images a class: --method reprise or er, --set memory={room} (Split-Fashion-MNIST "
        "with 50 a class: 83 and 77 %, plain fine-tuning 20 %)",
        "a backbone that does not train, and sums in place of samples: --method lda, in a new model"
        " (92 % there)",
        "unlabelled inputs of the same kind: --auxiliary with --method dmc+ (7 points over nothing "
        "for adopted networks, on Fashion-MNIST)",
    ]


def regularization_alone(facts: Facts) -> Advice | None:
    """Penalties on weights or answers do not hold apart classes that never meet."""
    if facts.method not in REGULARIZED or not facts.absent or not facts.born:
        return None
    best = REGULARIZED_BEST[min(max(facts.tasks, 1), len(REGULARIZED_BEST)) - 1]
    once = REGULARIZED_ONCE * max(facts.share, 1 - facts.share)
    worst = once if facts.tasks < 2 else facts.share
    return Advice(
        "regularization-alone",
        f"{facts.method} alone does not hold classes apart that never meet: either the old ones "
        "are forgotten or the new ones are not learnt. One update may go well; after four, 30 to "
        "43 % remained on Split-Fashion-MNIST (replay: 77 %), 40 to 62 % on digits.",
        clipped(worst, max(best, facts.share)),
        _keeping(facts),
    )


def small_memory(facts: Facts) -> Advice | None:
    """Fewer than two samples of each class fit into the memory."""
    total = len(facts.classes)
    summed = facts.method == "reprise" and facts.settings.get("sums", 0)
    if facts.room is None or facts.room >= 2 * total or summed:
        return None
    return Advice(
        "small-memory",
        f"a memory of {facts.room} for {total} classes is {facts.room / total:.1f} samples of "
        "each: old classes will mostly be forgotten.",
        _replayed(facts) if facts.method in REPLAY else None,
        [
            f"20 a class: --set memory={20 * total} (old digits with 1 and 20 a class: 26 and "
            "94 %)",
            "--method reprise, whose sums forget nothing (98 % there with 1 a class)",
        ],
    )


def outlook(facts: Facts) -> Advice | None:
    """What replay of this much memory, or sums over fixed features, came to elsewhere."""
    if not facts.born or not facts.old or facts.unlike:
        return None
    if facts.method in REPLAY and facts.room is not None and facts.room >= 2 * len(facts.classes):
        forecast = _replayed(facts)
        why = f"{facts.held:.0f} samples of each old class are kept and replayed"
    elif facts.family == "closed form" and facts.recall is not None and facts.old > 1:
        forecast = _added(facts.recall, facts.old, len(facts.classes))
        why = f"{facts.old} classes are told apart at {percent(facts.recall, 0)} (leave-one-out)"
    else:
        return None
    if forecast is None:
        return None
    return Advice("outlook", f"{why}.", forecast)


def _replayed(facts: Facts) -> Interval | None:
    """All classes, from the samples held of old ones; None where none was held before."""
    if not facts.absent or not facts.held:
        return None
    low, high = next((a, b) for most, a, b in REPLAY_FORECASTS if facts.held <= most)
    if facts.held > ENOUGH and facts.nearest is not None:
        middle = NEAREST * facts.nearest + NEAREST_ADDS
        low, high = max(middle - BELOW, 0.0), min(middle + ABOVE, 1.0)
    lost = 1 - facts.share
    return clipped(lost * low + facts.share * LEAST_BESIDE, lost * high + facts.share)


def _added(recall: float, old: int, total: int) -> Interval:
    """All classes, where old ones were told apart this well: errors grow as classes do."""
    error = 1 - recall
    more = min(error * (total - old) / (old - 1), GROWTH)
    return clipped(recall - more - SLACK, 1 - 0.7 * error)


def adopted_alone(facts: Facts) -> Advice | None:
    """A network came with its classes, and no sample of them."""
    if not facts.adopted or facts.method != ADOPTED_ALONE:
        return None
    return Advice(
        "adopted-alone",
        f"the {facts.old} classes of the network have no samples here: what is new is judged by "
        "the new classes alone. On Fashion-MNIST (8 classes, 2 new) that came to 80 to 82 %, all "
        "data to 88 to 90; nobody knows what it will come to here: keep samples to judge it by.",
        None,
        [
            f"20 old images of each class (remember, --old): {BY_20} points on Fashion-MNIST, less "
            "or none elsewhere",
            f"unlabelled inputs of the same kind (auxiliary=, --auxiliary): {BY_UNLABELLED} there",
        ],
    )


def few_remembered(facts: Facts) -> Advice | None:
    """An adopted network is grown with fewer than 20 old samples a class."""
    if facts.method != "regrow" or not facts.absent or facts.held >= 20:
        return None
    return Advice(
        "few-remembered",
        f"{facts.held:.0f} samples of each old class are replayed.",
        None,
        [f"20 of each (remember, --old): {BY_MORE} points over 5 of each on Fashion-MNIST"],
    )


def no_auxiliary(facts: Facts) -> Advice | None:
    """A method that consolidates on unlabelled inputs has none."""
    if not facts.wants_auxiliary or facts.auxiliary or not facts.old:
        return None
    return Advice(
        "no-auxiliary",
        f"{facts.method} consolidates on unlabelled inputs and has the chunk's own alone: expect "
        "old classes to suffer.",
        None,
        ["unlabelled inputs of all kinds: auxiliary=, --auxiliary"],
    )
