"""What "auto" means: a pure function from what is at hand to backbone, method and reason."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """Names of a backbone and a method, and why, in words."""

    backbone: str
    method: str
    reason: str


BACKBONES = {
    "image": ("patches", "images: training-free patch filters"),
    "table": ("fourier", "a table: random Fourier features of its standardised columns"),
}


def resolve(
    backbone: str, method: str, kind: str, trains: bool | None = None, adopted: bool = False
) -> Choice:
    """Fill in what is "auto".

    backbone, method: names, "auto", or "own".
    kind: of the data ("image", "table", "tensor", "text").
    trains: whether the backbone, once built, will learn (None: not known yet).
    adopted: whether the network came with classes whose data is not at hand.

    >>> resolve("auto", "auto", "image", trains=False).method
    'lda'
    """
    reasons = []
    if backbone == "auto":
        backbone, why = BACKBONES.get(kind, ("none", f"{kind} data: used as it is"))
        reasons.append(f"backbone {backbone} ({why})")
    if method == "auto" and trains is not None:
        if adopted:
            method, why = "lwf", "no samples of the network's own classes are at hand: distillation"
        elif trains:
            method, why = "der++", "the backbone learns: past samples and answers are replayed"
        else:
            method, why = "lda", "the backbone does not learn: the last layer is solved exactly"
        reasons.append(f"method {method} ({why})")
    return Choice(backbone, method, "; ".join(reasons) or "as asked for")
