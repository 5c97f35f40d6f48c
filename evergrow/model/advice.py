"""What to expect of learning a chunk, before it is learnt: rules from facts to words and numbers.

Forecasts are of the mean recall of classes, each counting alike, on data like that learnt. Their
bounds were fitted on digits, five classes of Fashion-MNIST and vowels; `benchmarks/forecasts.py`
says how often they hold on other data.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from math import inf
from typing import Any

from ..formatting import percent
from .advice_facts import Facts
from .choose import ADOPTED_ALONE

Interval = tuple[float, float]

FEW_SAMPLES = 5  # samples of a class
LOPSIDED = 20  # times that the largest class is the smallest
PLAIN = ("finetune", "probe")  # keep nothing, hold nothing; their frozen backbone does not help
REPLAY = ("er", "er-ace", "der++", "mir")  # whose old recall was measured by images held a class
SMALL = 1e-3  # a penalty, in units of the mean variance of a feature
SPRINGS = ("ewc", "si", "mas", "lwf")
EVEN = ("lda", "ncm", "fecam", "reprise", "gdumb", "icarl")  # rare classes are not drowned
BY_20, BY_UNLABELLED = 5, 7  # points that either buys an adopted network (benchmarks/adopt.py)
BY_MORE = 2  # points that 20 old samples of each class buy over 5
LEAST_NEW = 0.8  # of what comes, that is recalled where it is all there is
SPRUNG = (0.95, 0.85, 0.80, 0.65)  # accuracy of SPRINGS at best, by updates that brought classes
SPRUNG_ONCE = 0.6  # and at worst after one, of the larger of what was and what came
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


def advise(facts: Facts) -> list[Advice]:
    """What every rule says of these facts; nothing where all is well and nothing can be foretold.

    >>> facts = Facts("finetune", classes="abcd", old=2, learnt=[9, 9, 0, 0], coming=[0, 0, 9, 9])
    >>> [(advice.rule, advice.forecast) for advice in advise(facts)]
    [('new-classes-alone', (0.4, 0.52))]
    """
    remarks = [rule(facts) for rule in RULES]
    return [advice for advice in remarks if advice is not None]


# -- the old classes ------------------------------------------------------------------------------


def new_classes_alone(facts: Facts) -> Advice | None:
    """Nothing is kept of old classes, and they do not come: what remains is the new ones."""
    empty = facts.family == "rehearsal" and facts.held == 0
    if not (facts.method in PLAIN or empty) or not facts.absent or not facts.born:
        return None
    forecast = _clipped(LEAST_NEW * facts.share, facts.share + 0.02)
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
        "for adopted networks)",
    ]


def regularization_alone(facts: Facts) -> Advice | None:
    """Penalties on weights or answers do not hold apart classes that never meet."""
    if facts.method not in SPRINGS or not facts.absent or not facts.born:
        return None
    best = SPRUNG[min(max(facts.tasks, 1), len(SPRUNG)) - 1]
    once = SPRUNG_ONCE * max(facts.share, 1 - facts.share)
    worst = once if facts.tasks < 2 else facts.share
    return Advice(
        "regularization-alone",
        f"{facts.method} alone does not hold classes apart that never meet: either the old ones "
        "are forgotten or the new ones are not learnt. One update may go well; after four, 30 to "
        "43 % remained on Split-Fashion-MNIST (replay: 77 %), 40 to 62 % on digits.",
        _clipped(worst, max(best, facts.share)),
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
    return _clipped(lost * low + facts.share * LEAST_BESIDE, lost * high + facts.share)


def _added(recall: float, old: int, total: int) -> Interval:
    """All classes, where old ones were told apart this well: errors grow as classes do."""
    error = 1 - recall
    more = min(error * (total - old) / (old - 1), GROWTH)
    return _clipped(recall - more - SLACK, 1 - 0.7 * error)


def adopted_alone(facts: Facts) -> Advice | None:
    """A network came with its classes, and no sample of them."""
    if not facts.adopted or facts.method != ADOPTED_ALONE:
        return None
    return Advice(
        "adopted-alone",
        f"the {facts.old} classes of the network have no samples here: what is new is judged by "
        "the new classes alone. Measured: 80 to 82 %, where all data would give 88 to 90.",
        None,
        [
            f"20 old images of each class (remember, --old): about {BY_20} points",
            f"unlabelled inputs of the same kind (auxiliary=, --auxiliary): about {BY_UNLABELLED}",
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
        [f"20 of each (remember, --old): about {BY_MORE} points over 5"],
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


# -- the samples ----------------------------------------------------------------------------------


def few_samples(facts: Facts) -> Advice | None:
    """A class of fewer than five samples, all chunks together."""
    counts = {j: facts.learnt[j] + n for j, n in enumerate(facts.coming) if n}
    few = [j for j, n in counts.items() if n < FEW_SAMPLES]
    if not few:
        return None
    named = ", ".join(f"{facts.classes[j]} ({counts[j]})" for j in few[:5])
    more = f" and {len(few) - 5} more" if len(few) > 5 else ""
    return Advice(
        "few-samples",
        f"too few samples to learn from, or to judge by: {named}{more}.",
        None,
        ["20 samples: a class of 20 beside classes of 2,000 was recognised in 76 % (lda)"],
    )


def imbalance(facts: Facts) -> Advice | None:
    """Some class has twenty times the samples of another that competes with it."""
    even = facts.method in EVEN and facts.settings.get("prior", "equal") == "equal"
    sums = facts.family == "closed form"  # old samples count there like new ones
    counts = [
        (n + facts.learnt[j] * sums, j)
        for j, n in enumerate(facts.coming)
        if n or (sums and facts.learnt[j])
    ]
    if even or not counts:
        return None
    (least, rare), (most, common) = min(counts), max(counts)
    if least < 1 or most < LOPSIDED * least:
        return None
    return Advice(
        "imbalance",
        f"{facts.classes[common]} has {most:,} samples, {facts.classes[rare]} {least:,}: "
        f"{facts.method} will rarely answer the latter.",
        None,
        [
            "--method lda (equal priors): 20 samples beside 2,000 were recognised in 76 %",
            "--method reprise, which corrects for shares, or more samples of the rare class",
        ],
    )


def unlike_inputs(facts: Facts) -> Advice | None:
    """The inputs do not look like those the model began with."""
    if not facts.unlike:
        return None
    return Advice(
        "unlike-inputs",
        f"the inputs do not look like those the model began with: {'; '.join(facts.unlike)}. New "
        "classes may be told by that alone, and old ones not be recognised.",
        None,
        ["bring them to the same range, colours and size, as they were prepared at first"],
    )


# -- the backbone ---------------------------------------------------------------------------------


def untrained_backbone(facts: Facts) -> Advice | None:
    """A network that should be trained stays at its random weights."""
    if not facts.untrained:
        return None
    return Advice(
        "untrained-backbone",
        f"{facts.method} keeps the backbone as it is, and nothing has trained {facts.backbone}: "
        "its features are those of random weights. Digits, lda: 86 % on resnet32, 97 % on mlp, "
        "99.7 % on patches.",
        None,
        [
            "features made to be kept: --backbone patches (small images), fourier (tables), "
            "timm:<network> (pretrained)",
            "--method lda --set adapt=true trains it on the first chunk; er, reprise always",
        ],
    )


def more_features_than_samples(facts: Facts) -> Advice | None:
    """A penalty that is fixed, and next to nothing, has to make up for samples that are missing."""
    samples = sum(facts.learnt) + sum(facts.coming)
    if facts.penalty is None or facts.penalty >= SMALL or samples >= 2 * facts.width:
        return None
    return Advice(
        "more-features-than-samples",
        f"{facts.width:,} features and {samples:,} samples: how features vary together is mostly "
        f"noise, and a penalty of {facts.penalty:g} lets it in. Digits, 60 samples of 64 features, "
        "lda: 14 % with a penalty of 1e-6, 73 % with one chosen by leave-one-out.",
        None,
        [
            "a penalty chosen by the data (lda, ridge: leave it out), or of 0.01 or more",
            "--method ncm, which needs none; fewer features",
        ],
    )


@dataclass(frozen=True)
class Probed:
    """Features as they are against a network trained for a moment, on the same samples held back.

    features, trained: accuracies in [0, 1].  held: samples judged.  seconds: of training.
    network: that was trained, in a word.
    """

    features: float
    trained: float
    held: int
    seconds: float
    network: str


def weak_backbone(probed: Probed) -> Advice | None:
    """A network that was trained for a moment beats the fixed features by more than chance.

    >>> weak_backbone(Probed(0.7, 0.9, held=200, seconds=10, network="convnet")).rule
    'weak-backbone'
    >>> weak_backbone(Probed(0.88, 0.9, held=200, seconds=10, network="convnet")) is None
    True
    """
    gain, middle = probed.trained - probed.features, (probed.trained + probed.features) / 2
    chance = 2 * (2 * middle * (1 - middle) / probed.held) ** 0.5  # two standard errors
    if gain <= max(0.03, chance):
        return None
    return Advice(
        "weak-backbone",
        f"features as they are: {percent(probed.features, 0)} of {probed.held} samples held back; "
        f"{probed.network}, trained for {probed.seconds:.0f} s: {percent(probed.trained, 0)}.",
        None,
        [f"train a backbone: --backbone {probed.network} --method reprise; or a pretrained one"],
        of="the chunk's classes",
    )


RULES: tuple[Callable[[Facts], Advice | None], ...] = (
    new_classes_alone,
    regularization_alone,
    small_memory,
    adopted_alone,
    few_remembered,
    no_auxiliary,
    few_samples,
    imbalance,
    unlike_inputs,
    untrained_backbone,
    more_features_than_samples,
    outlook,
)


def _clipped(low: float, high: float) -> Interval:
    return round(max(low, 0.0), 3), round(min(high, 1.0), 3)
