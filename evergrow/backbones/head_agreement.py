"""Whether a head taken from a network gives the network's own answers, and how it has to be cut."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import DataError, SettingError
from .headless import POOLS, Headless, candidates, heads, scripted

ROWS = 32  # inputs on which answers are compared
RTOL = 1e-4  # how far an answer may lie from the network's, as a share of it
ROUNDING = 1e-6  # and as a share of the sum of what is added up in it
LEAST = 4  # numbers that a temperature must explain beside the one that it is told from


# What a network does with logits at its end, a temperature told from answers, in shares or not.
End = tuple[Callable[[Tensor], Tensor], Callable[[Tensor, Tensor], float], bool]


@dataclass(frozen=True)
class Cut:
    """How a network is cut.  head, taken, pooled: see `Headless`.  weight (k, width), bias (k,)."""

    head: str
    taken: str
    pooled: str
    weight: Tensor
    bias: Tensor

    def headless(self, network: nn.Module) -> Headless:
        return Headless(network, self.head, self.taken, self.pooled)


@torch.no_grad()
def find_cut(network: nn.Module, outputs: int, head: str | None, x: Tensor) -> Cut:
    """The cut of a network after which a linear head gives what the network itself gives for x.

    network: at rest.  x: (n, ...) as the network reads it, `ROWS` of them tell.  Equal means: each
    answer within `RTOL`, or after a softmax, log-softmax, sigmoid or a temperature, which goes into
    the head's rows, as another order of the scores does.  Raises SettingError where no cut does
    that, DataError where the network cannot read x.
    """
    names = candidates(network, outputs, head)
    answer = _answer(network, x, outputs)
    for cut in _cuts(network, names):
        try:
            features = cut.headless(network)(x).double()
        except Exception:  # a network that does not work so cannot be cut so
            continue
        same = _as_answered(cut, features, answer)
        if same is not None:
            return same
    raise _refusal(network, names, outputs, head, x)


def _as_answered(cut: Cut, features: Tensor, answer: Tensor) -> Cut | None:
    """The cut with the head's rows in the order, and of the size, that the answers have."""
    weight, bias = cut.weight.double(), cut.bias.double()
    if features.ndim != 2 or features.shape[1] != weight.shape[1]:
        return None
    logits = features @ weight.T + bias
    rounding = ROUNDING * float((features.abs() @ weight.abs().T + bias.abs()).max())
    times = factor(logits, answer, rounding)
    if times is not None:
        rows = cut.weight if times == 1 else cut.weight * times
        return replace(cut, weight=rows, bias=cut.bias * times)
    for end, _, _ in ENDS:
        order = torch.cdist(answer.T, end(logits).T).argmin(1)  # the column that each one is
        if len(order.unique()) == len(order) and factor(logits[:, order], answer, rounding) == 1:
            return replace(cut, weight=cut.weight[order], bias=cut.bias[order])
    return None


def _cuts(network: nn.Module, names: list[str]) -> Iterator[Cut]:
    """All cuts there are at these layers, the plainest first."""
    for name in names:
        layer: Any = heads(network)[name]
        _refresh(layer)
        weight = layer.weight.detach().flatten(1)
        bias = weight.new_zeros(len(weight)) if layer.bias is None else layer.bias.detach()
        for pooled in () if scripted(layer) else ("", *POOLS):
            yield Cut(name, "input", pooled, weight, bias)
        if scripted(layer) or not hasattr(layer, "parametrizations"):
            unit = nn.functional.normalize(weight)
            yield Cut(name, "output", "", weight, bias)
            yield Cut(name, "output", "", unit, torch.zeros_like(bias))  # cosine classifiers


def _refresh(layer: Any) -> None:
    """Let a layer whose weights follow from others (weight norm) work them out."""
    if isinstance(layer, nn.Linear):
        layer(layer.weight.new_zeros(1, layer.in_features))  # a call runs its hooks


def _answer(network: nn.Module, x: Tensor, outputs: int) -> Tensor:
    try:
        given = network(x)
    except Exception as error:
        raise refused(x, error) from error
    answer = _scores_in(given, len(x), outputs)
    if answer is None:
        raise SettingError(
            f"the network gives {_shape(given)} for {len(x)} inputs, expected ({len(x)}, "
            f"{outputs}): a score for each of the {outputs} classes named; name one class for each "
            "output, or pass a network whose forward gives class scores."
        )
    return answer.double()


def refused(x: Tensor, error: Exception) -> Exception:
    """What to raise where a network of the user's own cannot read these inputs."""
    if isinstance(error, torch.OutOfMemoryError):
        return error
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return DataError(
        f"the network cannot take inputs of shape {tuple(x.shape)} ({x.dtype}): {lines[0]}; pass "
        "inputs of the shape and type that it was made for."
    )


def _scores_in(given: Any, n: int, outputs: int) -> Tensor | None:
    """(n, outputs) in what a network gives: a tensor, or the first that fits in what holds some."""
    if isinstance(given, Tensor):
        fits = given.ndim >= 2 and given.shape[:2] == (n, outputs) and given.numel() == n * outputs
        return given.reshape(n, outputs) if fits else None
    if isinstance(getattr(given, "logits", None), Tensor):
        return _scores_in(given.logits, n, outputs)
    if isinstance(given, Mapping):
        given = [given[k] for k in ("logits", "out") if k in given] or list(given.values())
    if isinstance(given, list | tuple):
        parts = (_scores_in(part, n, outputs) for part in given)
        return next((part for part in parts if part is not None), None)
    return None


def _shape(given: Any) -> str:
    return str(tuple(given.shape)) if isinstance(given, Tensor) else type(given).__name__


def factor(logits: Tensor, answer: Tensor, rounding: float = 0.0) -> float | None:
    """What logits (n, k) times it, through a softmax or the like, give as answer (n, k).

    None where nothing does.  rounding: by which logits may be off.  Both in double precision.

    >>> z = torch.tensor([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0], [1.0, 1.5, 0.0]], dtype=torch.double)
    >>> factor(z, z.softmax(1)), round(factor(z, z / 4), 6), factor(z, z.flip(1))
    (1.0, 0.25, None)
    """
    if not (answer.isfinite().all() and logits.isfinite().all()):
        return None
    for end, told, share in ENDS:
        for times in (1.0, told(logits, answer)):
            off = rounding * max(times, 1.0)
            slack = RTOL * answer.abs() + (2 * off * answer.abs() + 1e-7 if share else off)
            if times > 0 and (end(logits * times) - answer).abs().le(slack).all():
                return times
    return None


def _of_logits(logits: Tensor, answer: Tensor) -> float:
    return _slope(logits, answer, torch.ones_like(answer))


def _of_log_probabilities(logits: Tensor, answer: Tensor) -> float:
    return _of_probabilities(logits, answer.clamp(max=0).exp())


def _of_probabilities(logits: Tensor, answer: Tensor) -> float:
    shares = answer.clamp_min(0) / answer.clamp_min(0).sum(1, keepdim=True).clamp_min(1e-30)
    logs = shares.clamp_min(1e-30).log()
    z = logits - (shares * logits).sum(1, keepdim=True)
    return _slope(z, logs - (shares * logs).sum(1, keepdim=True), shares)


def _of_sigmoids(logits: Tensor, answer: Tensor) -> float:
    shares = answer.clamp(1e-12, 1 - 1e-12)
    return _slope(logits, shares.logit(), shares * (1 - shares))


def _slope(x: Tensor, y: Tensor, weights: Tensor) -> float:
    """By which factor y follows x; 0 where too few numbers could tell it."""
    apart = len(x.unique(dim=0)) * x.shape[1]
    size = float((weights * x * x).sum())
    return float((weights * x * y).sum()) / size if apart > LEAST and size > 0 else 0.0


def _refusal(
    network: nn.Module, names: list[str], outputs: int, head: str | None, x: Tensor
) -> SettingError:
    """What to do where a network's answers are not those of its head."""
    if head is not None:
        try:
            found = find_cut(network, outputs, None, x)
        except SettingError:
            pass
        else:
            return SettingError(
                f"head={head!r}: the network's answers are not those of this layer but of "
                f"{found.head!r}; pass head={found.head!r}, or leave head= out."
            )
    return SettingError(
        f"the network's answers are not those of its layer {' or '.join(map(repr, names))}: "
        "something after it adds or mixes scores, so an adopted model would answer "
        "otherwise than the network. Pass a network that ends in a linear layer (softmax, "
        "log-softmax, sigmoid or a temperature may follow), with what comes after left out, or "
        "name the layer that gives the class scores with head=."
    )


ENDS: Sequence[End] = (
    (lambda z: z, _of_logits, False),
    (lambda z: z.log_softmax(1), _of_log_probabilities, False),
    (lambda z: z.softmax(1), _of_probabilities, True),
    (lambda z: z.sigmoid(), _of_sigmoids, True),
)
