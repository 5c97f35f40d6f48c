"""Losses as pure functions of tensors: logits are (n, classes), a loss is a mean over n.

Targets are moved to the device of the logits, so that a memory may stay on the CPU.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """Mean of -log softmax(logits)[y], y: (n,) columns.

    >>> cross_entropy(torch.zeros(1, 4), torch.tensor([2])).exp().item()
    4.0
    """
    return functional.cross_entropy(logits, y.to(logits.device, non_blocking=True))


def cross_entropy_among(logits: Tensor, y: Tensor, classes: Tensor) -> Tensor:
    """Cross-entropy as if only `classes` (columns) existed, so the others are not pushed down.

    >>> cross_entropy_among(torch.zeros(1, 4), torch.tensor([2]), torch.tensor([2, 3])).exp().item()
    2.0
    """
    hidden = torch.full_like(logits, -torch.inf)
    hidden[:, classes] = logits[:, classes]
    return cross_entropy(hidden, y)


def cross_entropy_apart(logits: Tensor, y: Tensor, old: int) -> Tensor:
    """Cross-entropy of new columns apart and all `old` ones as one, which comes first.

    logits: (n, 1 + new).  y: (n,) columns.
    Source: Yan et al. 2021, "DER: Dynamically Expandable Representation", arXiv:2103.16788, the
    auxiliary loss.

    >>> cross_entropy_apart(torch.zeros(2, 4), torch.tensor([1, 7]), old=5).exp().item()
    4.0
    """
    return cross_entropy(logits, (y - old + 1).clamp(min=0))


def cross_entropy_given(logits: Tensor, y: Tensor, prior: Tensor) -> Tensor:
    """Cross-entropy of logits + log prior: what is learnt no longer follows the prior of the data.

    prior: (classes,) how often each class comes, to any scale; a class that never comes is out.
    Source: Ren et al. 2020, "Balanced Meta-Softmax for Long-Tailed Visual Recognition",
    arXiv:2007.10740; Menon et al. 2021, "Long-Tail Learning via Logit Adjustment",
    arXiv:2007.07314.

    >>> prior = torch.tensor([3.0, 1.0])
    >>> cross_entropy_given(torch.zeros(1, 2), torch.tensor([1]), prior).exp().item()
    4.0
    """
    return cross_entropy(logits + prior.to(logits).log(), y)


def binary_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Sigmoid cross-entropy to targets in [0, 1], both (n, classes): mean over both.

    Source: Rebuffi et al. 2017, "iCaRL", arXiv:1611.07725, algorithm 3; a mean over classes
    as in the authors' code, where the paper has their sum.

    >>> binary_cross_entropy(torch.zeros(1, 3), torch.tensor([[0.0, 1.0, 0.5]])).exp().item()
    2.0
    """
    return functional.binary_cross_entropy_with_logits(logits, target)


def distill(logits: Tensor, teacher: Tensor, temperature: float = 2.0) -> Tensor:
    """Cross-entropy to the teacher's softened answer, times temperature squared; both (n, k).

    Source: Hinton, Vinyals and Dean 2015, "Distilling the Knowledge in a Neural Network",
    arXiv:1503.02531, section 2: soft targets of both networks at the same temperature, gradients
    kept in scale by its square.

    >>> distill(torch.zeros(1, 2), torch.zeros(1, 2), temperature=1.0).exp().item()
    2.0
    """
    soft = (teacher.to(logits.device) / temperature).softmax(1)
    return -(temperature**2) * (soft * (logits / temperature).log_softmax(1)).sum(1).mean()


def distilled(
    logits: Tensor, y: Tensor, soft: Tensor | None, mix: float, temperature: float
) -> dict[str, Tensor]:
    """(1 - mix) cross-entropy + mix distillation of the old columns, as terms of a step.

    logits: (n, columns).  y: (n,).  soft: (n, k) the old network's logits; None: there is none.
    mix: in [0, 1], the share of old classes.
    Source: Wu et al. 2019, arXiv:1905.13260; Zhao et al. 2020, arXiv:1911.07053; neither scales
    the distillation by the temperature squared.

    >>> zero = torch.zeros(1, 2)
    >>> {k: v.exp().item() for k, v in distilled(zero, zero[:, 0].long(), zero, 0.0, 2.0).items()}
    {'new': 2.0, 'keep': 1.0}
    """
    terms = {"new": (1 - mix) * cross_entropy(logits, y)}
    if soft is not None:
        old = distill(logits[:, : soft.shape[1]], soft, temperature)
        terms["keep"] = mix * temperature**-2 * old
    return terms


def effective(counts: Tensor, b: float) -> Tensor:
    """(classes,) weights that fall with the effective number of samples; their mean is 1.

    counts: (classes,) samples of each; none counts as one.  b: in [0, 1); 0 weighs all alike.
    Source: Cui et al. 2019, "Class-Balanced Loss Based on Effective Number of Samples",
    arXiv:1901.05555: (1 - b) / (1 - b^n).

    >>> effective(torch.tensor([1, 2]), 0.5)  # 1 and 1 / 1.5
    tensor([1.2000, 0.8000])
    """
    weights = (1 - b) / (1 - b ** counts.clamp(min=1).double())
    return (weights / weights.mean()).float()


def distill_balanced(
    logits: Tensor, teacher: Tensor, weights: Tensor, temperature: float = 2.0
) -> Tensor:
    """Cross-entropy to the teacher's softened answer, its classes weighed; (n, k), weights (k,).

    Source: Wang et al. 2022, "FOSTER", arXiv:2204.04662, balanced distillation: the weighed answer
    is normalised again. Without the square of the temperature, as in the authors' code.

    >>> weights, zero = torch.tensor([3.0, 1.0]), torch.zeros(1, 2)
    >>> distill_balanced(zero, zero, weights).exp().item()
    2.0
    """
    soft = (teacher / temperature).softmax(1) * weights
    soft = soft / soft.sum(1, keepdim=True)
    return -(soft * (logits / temperature).log_softmax(1)).sum(1).mean()


def supervised_contrastive(features: Tensor, y: Tensor, temperature: float = 0.07) -> Tensor:
    """Mean of -log softmax over all others, at those of the same class; both averaged.

    features: (n, width) of unit length, n >= 2.  y: (n,).  Rows alone in their class are passed by.
    Source: Khosla et al. 2020, "Supervised Contrastive Learning", arXiv:2004.11362, eq. 2 (the sum
    outside the logarithm).

    >>> x = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> supervised_contrastive(x, torch.tensor([0, 0, 1]), temperature=1.0).exp().item()  # 1 + 1/e
    1.36787...
    """
    y = y.to(features.device, non_blocking=True)
    itself = torch.eye(len(y), dtype=torch.bool, device=features.device)
    alike = (y[:, None] == y) & ~itself
    similar = (features @ features.T / temperature).masked_fill(itself, -torch.inf)
    likely = similar.log_softmax(1).masked_fill(~alike, 0).sum(1) / alike.sum(1).clamp(min=1)
    return -likely.sum() / alike.any(1).sum().clamp(min=1)


def match_logits(logits: Tensor, recorded: Tensor) -> Tensor:
    """Mean squared difference to logits recorded earlier; NaN marks classes born since.

    logits: (n, classes) now.  recorded: (n, k), k <= classes.  Returns a scalar >= 0; 0 if there is
    nothing recorded.
    Source: Buzzega et al. 2020, "Dark Experience for General Continual Learning", arXiv:2004.07211,
    section 3 (the squared distance of logits); restricted here to classes that existed then.

    >>> match_logits(torch.tensor([[1., 5., 9.]]), torch.tensor([[3., torch.nan]])).item()
    4.0
    """
    recorded = recorded.to(logits.device, non_blocking=True)
    born = ~recorded.isnan()
    difference = logits[:, : recorded.shape[1]] - recorded.nan_to_num()
    return (difference * difference * born).sum() / born.sum().clamp(min=1)


def quadratic_pull(
    weights: Sequence[Tensor], anchors: Sequence[Tensor], importances: Sequence[Tensor]
) -> Tensor:
    """Sum over all weights of importance * (weight - anchor)^2; shapes agree, importances >= 0.

    Source: the penalty of Kirkpatrick et al. 2017, "Overcoming catastrophic forgetting in neural
    networks", arXiv:1612.00796, eq. 3, without its factor.

    >>> quadratic_pull([torch.tensor([3.0, 5.0])], [torch.ones(2)], [torch.tensor([2.0, 0.0])])
    tensor(8.)
    """
    return _Pull.apply(len(weights), *weights, *anchors, *importances)  # type: ignore[no-any-return]


class _Pull(torch.autograd.Function):
    """The gradient is half of what the value needs: computing both at once halves the time."""

    @staticmethod
    def forward(ctx: Any, n: int, *tensors: Tensor) -> Tensor:
        weights, anchors, importances = tensors[:n], tensors[n : 2 * n], tensors[2 * n :]
        away = torch._foreach_sub(weights, anchors)
        force = torch._foreach_mul(away, importances)
        ctx.save_for_backward(*force)
        parts = [torch.dot(a.flatten(), f.flatten()) for a, f in zip(away, force, strict=True)]
        return torch.stack(parts).sum()

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor | None, ...]:
        force = torch._foreach_mul(ctx.saved_tensors, 2 * outer[0])
        return None, *force, *(None for _ in range(2 * len(force)))


def double_target(old: Tensor, new: Tensor, classes: Tensor, total: int) -> Tensor:
    """(n, total) what a student shall answer: both teachers' logits, each centred on its classes.

    old: (n, s) logits of the first s columns.  new: (n, k) logits of the columns `classes`, (k,).
    A column of both gets the mean of both; one of neither gets NaN.
    Source: Zhang et al. 2020, "Deep Model Consolidation", arXiv:1903.07864, the double distillation
    loss: from a teacher's logits their mean over its classes is subtracted, input by input. Columns
    of both teachers do not occur there.

    >>> both = torch.tensor([[3., 1.]]), torch.tensor([[9., 5.]])
    >>> double_target(*both, torch.tensor([2, 3]), total=4).tolist()
    [[1.0, -1.0, 2.0, -2.0]]
    """
    first = old.new_full((len(old), total), torch.nan)
    second = first.clone()
    first[:, : old.shape[1]] = old - old.mean(1, keepdim=True)
    second[:, classes] = new - new.mean(1, keepdim=True)
    return torch.stack([first, second]).nanmean(0)


def distance(features: Tensor, others: Tensor) -> float:
    """How far features lie from others, in units of the others' spread; 1 if they are alike.

    features: (n, width).  others: (m, width).  Root of the mean squared distance of `features` to
    the centre of `others`, over that of `others` themselves.

    >>> x = torch.tensor([[-1.0], [1.0]])
    >>> distance(x, x), distance(3 * x, x)
    (1.0, 3.0)
    """
    centre = others.mean(0)
    across, own = ((x - centre).square().sum(1).mean() for x in (features, others))
    return float((across / own).sqrt()) if own > 0 else torch.inf if across > 0 else 1.0
