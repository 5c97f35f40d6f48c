"""Learning rates over the steps of a task."""

import pytest

from evergrow.methods import FineTune
from tests.methods.learners import attached, task


def some(n: int = 10):
    return task([[float(i), 0.0] for i in range(n)], [i % 3 for i in range(n)], 0, 3)


def test_learning_rates_rise_over_the_warm_up_and_fall_after_it():
    settings = {"lr": 0.8, "batch_size": 1, "epochs": 1, "warmup": 0.4, "schedule": "linear"}
    method = attached(FineTune(), **settings)
    rates = [method.optimizer.param_groups[0]["lr"] for _ in method.batches(some())]
    rise, fall = [0.2, 0.4, 0.6, 0.8], [0.8 * (1 - k / 6) for k in range(6)]
    assert rates == pytest.approx(rise + fall)


@pytest.mark.parametrize(
    "schedule, shares",
    [
        ("constant", [1, 1, 1, 1]),
        ("linear", [1, 0.75, 0.5, 0.25]),
        ("cosine", [1, 0.853553, 0.5, 0.146447]),
        ("cooldown", [1, 1, 1, 0.5]),
    ],
)
def test_learning_rates_fall_as_scheduled(schedule, shares):
    method = attached(FineTune(), schedule=schedule, lr=0.2, backbone_lr=0.5)
    rates = []
    for _ in method.learn(task([[1.0, 0.0]] * 4, [0] * 4, old=0, total=3)):
        rates.append(method.optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.2 * share for share in shares], rel=1e-5)
