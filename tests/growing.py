"""A model that grew, and the images it grew from, for tests of what looks back on its versions."""

import numpy as np

from evergrow import GrowingClassifier, methods
from evergrow.backbones import MLP
from evergrow.storage.model_folder import ModelFolder


def images(*columns: int, n: int = 60):
    """(n, 8, 8) images with a bright column each, which tells the class."""
    y = np.repeat(columns, n)
    x = np.random.default_rng(columns[0]).integers(0, 60, (len(y), 8, 8), dtype=np.uint8)
    x[np.arange(len(y)), :, y] = 255
    return x, y


def grow(path) -> ModelFolder:
    """A folder with three versions: classes 0 and 1, then 2 and 3, then 4."""
    model = GrowingClassifier(MLP(hidden=(16,)), methods.ER(memory=400), epochs=4, validation=20)
    for columns in ([0, 1], [2, 3], [4]):
        model.partial_fit(*images(*columns))
        model.assess()
        model.save(path)
    return ModelFolder(path)
