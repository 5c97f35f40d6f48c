"""Rules on the backbone: untrained, too wide for the samples, beaten by a trained one."""

from dataclasses import dataclass

from ..formatting import percent
from .advice_entry import Advice
from .advice_facts import Facts

SMALL = 1e-3  # a penalty, in units of the mean variance of a feature


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
class ProbeResult:
    """Features as they are against a network trained for a moment, on the same samples held back.

    features, trained: accuracies in [0, 1].  held: samples judged.  seconds: of training.
    network: that was trained, in a word.
    """

    features: float
    trained: float
    held: int
    seconds: float
    network: str


def weak_backbone(probed: ProbeResult) -> Advice | None:
    """A network that was trained for a moment beats the fixed features by more than chance.

    >>> weak_backbone(ProbeResult(0.7, 0.9, held=200, seconds=10, network="convnet")).rule
    'weak-backbone'
    >>> weak_backbone(ProbeResult(0.88, 0.9, held=200, seconds=10, network="convnet")) is None
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
