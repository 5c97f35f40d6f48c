"""A learning rate is chosen on training data, and on nothing else."""

import numpy as np
import pytest

from evergrow.bench import evaluation, lr_search
from evergrow.bench.benchmark_data import BenchmarkData
from evergrow.bench.task_streams import Cut
from evergrow.data import read


def test_the_largest_rate_within_a_standard_error_is_chosen():
    # standard error at 0.9 of 100 samples: 0.03
    assert lr_search.choose_rate({0.01: 0.9, 0.1: 0.875, 0.2: 0.865}, 100) == 0.1
    assert lr_search.choose_rate({0.01: 0.9, 0.1: 0.86}, 100) == 0.01
    assert lr_search.choose_rate({0.01: 1.0, 0.1: 0.99}, 100) == 0.01


class Spy:
    """Learns nothing; the smaller its rate, the better its score."""

    seen: list = []
    judged: list = []

    def __init__(self, rate):
        self.rate = rate

    def partial_fit(self, chunk):
        Spy.seen += chunk.take(np.arange(len(chunk)))[:, 0].tolist()

    def score(self, chunk):
        Spy.judged.append(chunk.take(np.arange(len(chunk)))[:, 0].tolist())
        return 1 - self.rate


@pytest.mark.parametrize("batch", [0, 10])
def test_only_the_first_two_tasks_are_looked_at_and_what_is_judged_is_not_learnt(batch):
    Spy.seen, Spy.judged = [], []
    x, y = np.arange(300.0)[:, None], np.repeat(np.arange(6), 50)
    data = BenchmarkData(read.read(x, y), read.read(-1 - x, y))  # negative: test samples
    given = evaluation.stream(data, Cut(2, shuffled=False, batch=batch), seed=0)
    rate, found = lr_search.tuned(Spy, given)
    assert rate == 0.02  # 0.98 is within the standard error of 0.995 on 20 samples, 0.95 is not
    assert list(found) == list(lr_search.RATES)
    learnt, held = set(Spy.seen), set(Spy.judged[0])
    assert all(set(rows) == held for rows in Spy.judged)
    assert len(held) == 20 and not learnt & held
    assert learnt | held == set(np.arange(200.0))
