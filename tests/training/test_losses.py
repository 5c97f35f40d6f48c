"""Losses against numbers worked out by hand."""

import math

import torch

from evergrow.training.losses import (
    cross_entropy,
    cross_entropy_among,
    distill,
    match_logits,
    quadratic_pull,
)


def test_cross_entropy_of_a_sure_answer():
    logits = torch.tensor([[math.log(3.0), 0.0]])  # softmax: 3/4, 1/4
    assert math.isclose(cross_entropy(logits, torch.tensor([0])), math.log(4 / 3), rel_tol=1e-6)


def test_classes_that_are_hidden_get_no_gradient():
    logits = torch.zeros(1, 3, requires_grad=True)
    cross_entropy_among(logits, torch.tensor([1]), torch.tensor([1, 2])).backward()
    assert logits.grad.tolist() == [[0.0, -0.5, 0.5]]


def test_distillation_has_no_gradient_where_both_agree():
    logits = torch.tensor([[1.0, 2.0]], requires_grad=True)
    distill(logits, torch.tensor([[1.0, 2.0]]), 2.0).backward()
    torch.testing.assert_close(logits.grad, torch.zeros(1, 2))


def test_distillation_is_the_soft_cross_entropy_times_temperature_squared():
    teacher = torch.tensor([[2 * math.log(3.0), 0.0]])  # at temperature 2: 3/4, 1/4
    loss = distill(torch.zeros(1, 2), teacher, 2.0)
    assert math.isclose(loss, 4 * math.log(2), rel_tol=1e-6)


def test_logits_of_classes_born_since_do_not_count():
    now = torch.tensor([[1.0, 2.0, 50.0]])
    recorded = torch.tensor([[0.0, float("nan")]])
    assert match_logits(now, recorded).item() == 1.0


def test_the_pull_has_the_gradient_of_its_formula():
    rng = torch.Generator().manual_seed(0)
    shapes = [(3, 2), (4,)]
    anchors, importances = ([torch.rand(s, generator=rng) for s in shapes] for _ in range(2))
    weights = [torch.rand(s, generator=rng).requires_grad_() for s in shapes]
    loss = quadratic_pull(weights, anchors, importances)
    parts = zip(weights, anchors, importances, strict=True)
    plain = sum(((w - a).square() * k).sum() for w, a, k in parts)
    torch.testing.assert_close(loss, plain)
    ours, expected = (torch.autograd.grad(5 * v, weights) for v in (loss, plain))
    torch.testing.assert_close(ours, expected)
