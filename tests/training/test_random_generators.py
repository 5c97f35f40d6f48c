"""Generators: one a purpose, derived and never stored, and the global ones as they were."""

import random

import numpy as np
import torch

from evergrow.training.random_generators import Generators, Seeded, isolated


def test_a_draw_in_one_place_moves_nothing_elsewhere():
    a, b = Generators(0), Generators(0)
    torch.rand(5, generator=a("order"))
    assert torch.equal(torch.rand(3, generator=a("memory")), torch.rand(3, generator=b("memory")))


def test_tasks_purposes_and_seeds_differ():
    draws = {
        tuple(torch.rand(2, generator=Generators(s, t)(p)).tolist())
        for s in (0, 1)
        for t in (0, 1)
        for p in ("order", "memory")
    }
    assert len(draws) == 8


def test_a_generator_goes_on_within_a_task_and_starts_afresh_with_the_next():
    rng = Generators(0)
    first, second = torch.rand(1, generator=rng("order")), torch.rand(1, generator=rng("order"))
    assert first != second
    rng.begin(1)
    rng.begin(0)
    assert torch.rand(1, generator=rng("order")) == first


def test_global_generators_are_as_before():
    before = torch.random.get_rng_state(), random.getstate(), str(np.random.get_state())

    def noisy(x):
        return x + torch.rand(1) + np.random.rand() + random.random()

    out = Seeded(noisy, Generators(0))(torch.zeros(1))
    with isolated(3):
        torch.rand(5)
    assert torch.equal(before[0], torch.random.get_rng_state())
    assert (before[1], before[2]) == (random.getstate(), str(np.random.get_state()))
    assert torch.equal(out, Seeded(noisy, Generators(0))(torch.zeros(1)))
