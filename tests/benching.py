"""A benchmark that is run in a moment, for tests of what runs it."""

import numpy as np

from evergrow.bench.workload import Subject
from evergrow.model.options import How

QUICK = How({"backbone": "mlp", "epochs": 1}, ["backbone.hidden=8"])


def data(classes=4, each=20):
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(classes), each)
    return (np.eye(classes)[y] + rng.normal(0, 0.2, (len(y), classes))).astype(np.float32), y


MINE = Subject(data(), {"classes_per_task": 2})
