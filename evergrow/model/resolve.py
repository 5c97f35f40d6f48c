"""What "auto" means: a pure function from what is at hand to backbone, method and reason."""

from dataclasses import dataclass

from ..methods import canonical


@dataclass(frozen=True)
class Choice:
    """Names of a backbone and a method, and why, in words."""

    backbone: str
    method: str
    reason: str


@dataclass(frozen=True)
class Adopted:
    """What is at hand beside the new classes of a network trained elsewhere.

    remembered: samples of its own classes.  auxiliary: inputs without labels.
    """

    remembered: bool = False
    auxiliary: bool = False


ALONE = (
    "novelty-gate"  # the method where there is nothing but the network and samples of new classes
)

BACKBONES = {
    "image": ("patches", "images: training-free patch filters"),
    "photo": ("efficientnet_lite0", "colour or large images: a network pretrained on ImageNet"),
    "unseen photo": (
        "patches",
        "training-free patch filters; pip install 'evergrow[images]' brings a pretrained network, "
        "which is the better one for colour or large images",
    ),
    "table": ("fourier", "a table: random Fourier features of its standardised columns"),
    "text": ("text:all-MiniLM-L6-v2", "texts: a pretrained sentence encoder"),
    "mixed table": ("fourier", "a table: random Fourier features of its columns made numbers"),
}


def resolve(
    backbone: str,
    method: str,
    kind: str,
    trains: bool | None = None,
    adopted: Adopted | None = None,
) -> Choice:
    """Fill in what is "auto".

    backbone, method: names, "auto", or "own".
    kind: of the data ("image", "table", "tensor", "text"); "photo" for images that a pretrained
        network is for, "unseen photo" where there is none; "mixed table" where not all is numbers.
    trains: whether the backbone, once built, will learn (None: not known yet).
    adopted: what is at hand of a network that came with classes; None if it is evergrow's own.

    >>> resolve("auto", "auto", "image", trains=False).method
    'lda'
    >>> resolve("auto", "", "photo").backbone
    'efficientnet_lite0'
    """
    reasons, method = [], canonical(method)
    if backbone == "auto":
        backbone, why = BACKBONES.get(kind, ("none", f"{kind} data: used as it is"))
        reasons.append(f"backbone {backbone} ({why})")
    if method == "auto" and trains is not None:
        if adopted is not None:
            method, why = _elsewhere(adopted)
        elif trains:
            method, why = "der++", "the backbone learns: past samples and answers are replayed"
        else:
            method, why = "lda", "the backbone does not learn: the last layer is solved exactly"
        reasons.append(f"method {method} ({why})")
    return Choice(backbone, method, "; ".join(reasons) or "as asked for")


def _elsewhere(adopted: Adopted) -> tuple[str, str]:
    """Method and reason for a network trained elsewhere."""
    if adopted.remembered:
        return "regrow", "samples of the network's own classes are replayed, its answers held"
    if adopted.auxiliary:
        return "dmc+", (
            "unlabelled inputs are at hand: those that seem old teach the old network's answers"
        )
    return ALONE, (
        "no samples of the network's own classes are at hand: a gate lets in what lies among the "
        "new ones"
    )
