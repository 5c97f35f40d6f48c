"""A task's features by blocks, and how an interrupted task goes on."""

import torch

from evergrow.methods import FineTune
from evergrow.methods.feature_blocks import features, integers
from tests.methods.learners import attached, task

SAMPLES = task([[float(i), 0.0] for i in range(1500)], [0] * 1500, 0, 1)


class Interrupted:
    """Checkpoints of a process that ends, and then of the one after it."""

    def __init__(self):
        self.latest = None

    def last(self):
        return self.latest

    def reached(self, checkpoint):
        self.latest = checkpoint()


def test_features_come_in_order_and_the_samples_that_are_in_are_left_out():
    blocks = list(features(attached(FineTune()), SAMPLES, None, done=100))
    assert [len(x) for x, _ in blocks] == [1024, 376]
    assert torch.cat([x for x, _ in blocks])[:, 0].tolist() == list(map(float, range(100, 1500)))


def test_an_interrupted_task_goes_on_behind_the_last_block_that_is_in():
    checkpoints, counted = Interrupted(), torch.zeros(1, dtype=torch.long)
    for process in (1, 2):
        method, beside = attached(FineTune()), {"counted": torch.zeros(1, dtype=torch.long)}
        method.checkpoints = checkpoints
        for q, y in integers(method, SAMPLES, beside):
            if process == 1 and checkpoints.latest is not None:
                break  # the first block is in, the second is lost
            assert q.dtype == torch.int8
            beside["counted"] += len(y)
        counted = beside["counted"]
    assert checkpoints.latest.rows == 1024 and counted.item() == 1500
