"""Points around a place of its own for each label, in files that commands read."""

from pathlib import Path

import numpy as np

from evergrow.model.options import How

PLAIN = How({"backbone": "none"})
rng = np.random.default_rng(0)


def points(*labels: str, n: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """(n a label, 3) points, and their labels."""
    places = {label: 9 * np.eye(3)[ord(label) % 3] * (1 + ord(label) // 3 % 2) for label in labels}
    x = np.concatenate([places[label] + rng.normal(size=(n, 3)) for label in labels])
    return x.astype(np.float32), np.repeat(labels, n)


def saved(path: Path, *labels: str) -> Path:
    """The same in an npz file."""
    x, y = points(*labels)
    np.savez(path, x=x, y=y)
    return path
