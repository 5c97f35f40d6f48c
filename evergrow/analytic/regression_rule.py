"""Discriminants read out by regression: least squares of one-hot targets, classes counting alike.

Linear discriminants z_k = x'R m_k are what a regression of one-hot targets on the features is made
of, too: it mixes them by a (k, k) matrix, and drops the quadratic term. Where rows have heavy
tails, as embeddings of texts, it errs less than the Gaussian rule; on plain pixels it errs more,
and a class of very few rows it passes over. So both are judged by rows left out (`solution`).
"""

import torch
from torch import Tensor

from .leave_one_out import JudgedRows

TOO_FEW_ROWS = 5  # rows of a class; where one has fewer, regression passes it over too often
TINY = 1e-6  # of the largest direction


def fits(held: JudgedRows) -> bool:
    """Whether there are three classes or more, each with enough rows, some of which judge it."""
    judged = torch.bincount(held.y, minlength=len(held.n))
    return len(held.n) > 2 and bool((held.n >= TOO_FEW_ROWS).all() and (judged > 0).all())


def mixing(gram: Tensor, noise: Tensor, linear: Tensor, held: JudgedRows) -> Tensor:
    """(k, k) M so that x'R [m_1 .. m_k] M are fitted values of one-hot targets, up to a factor.

    Of rows not learnt yet, z has mean G e_c in class c and covariance s G: G is the Gram matrix of
    the true class means about their mean, s how much larger the covariance of fresh rows is than
    the one that R inverts. Least squares over classes of equal weight is then (s + G / k)^-1.

    gram: (k, k) m'R m of the means found, about their mean.  noise: (k,) what their own noise adds
    to its diagonal.  linear: (m, k) z of held rows, left out; s is their spread about G e_c over
    that of G.
    Source: Hastie, Tibshirani and Buja 1994, Flexible discriminant analysis by optimal scoring,
    section 3 (regression and discriminants span the same); equal weights and the moments of fresh
    rows are ours.
    """
    k, kind = len(gram), gram.dtype
    gram, linear = _centred(gram.double()), linear.double()
    values, vectors = torch.linalg.eigh(gram - _centred(noise.double().diag()))
    true = values.clamp(min=0)
    means = (vectors * true) @ vectors.T
    off = linear - linear.mean(1, keepdim=True) - means[held.y]
    share = 1 / torch.bincount(held.y, minlength=k)[held.y]
    spread = float((share * off.square().sum(1)).sum() / k / gram.trace().clamp(min=TINY))
    spread = max(spread, TINY * float(true.max()), TINY)
    return _centred((vectors / (spread + true / k)) @ vectors.T).to(kind)


def _centred(square: Tensor) -> Tensor:
    """(k, k) about the mean of its rows and columns."""
    rows = square - square.mean(0)
    return rows - rows.mean(1, keepdim=True)
