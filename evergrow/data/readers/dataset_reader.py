"""Data sets of torch and Hugging Face, loaders and iterables -> a chunk."""

import sys
from dataclasses import replace
from typing import Any

import numpy as np

from ..dataset import Chunk
from . import torch_dataset
from .array_reader import from_tensor
from .dataframe_reader import from_frame
from .in_memory import from_records
from .read_options import ReadOptions, nothing


def from_dataset(dataset: Any, how: ReadOptions) -> Chunk:
    """Indexed: each item is looked at once, now, and asked for again whenever it is needed."""
    if not len(dataset):
        raise nothing()
    taking = _taking(how)
    if _has_tensors(dataset, taking):
        labels = dataset.tensors[1] if how.y is None and len(dataset.tensors) == 2 else how.y
        return from_tensor(dataset.tensors[0], replace(how, y=labels))
    if torch_dataset.is_flat(dataset, taking):
        return _rows(dataset, how)
    if len(dataset) and torch_dataset.settled(dataset, taking):
        items = (dataset[i] for i in range(len(dataset)))
        found = torch_dataset.run_through(items, taking, batched=False)
        return from_records(found, how, _labels(found.labels, dataset, how))
    found, store = torch_dataset.look_through(dataset, taking)
    return from_records(found, how, _labels(found.labels, dataset, how), store)


def _has_tensors(dataset: Any, taking: torch_dataset.Taking) -> bool:
    """Whether it is torch's TensorDataset of inputs, or of inputs and labels."""
    tensors = getattr(dataset, "tensors", None)
    return isinstance(tensors, tuple) and len(tensors) in ((2,) if taking.need else (1, 2))


def _rows(dataset: Any, how: ReadOptions) -> Chunk:
    """A data set whose items are rows of a table."""
    import pandas as pd

    frame = pd.DataFrame([dict(dataset[i]) for i in range(len(dataset))])
    chunk = from_frame(frame, how)
    if chunk.labels is not None and how.y is None:
        chunk.labels = torch_dataset.named(
            chunk.labels, torch_dataset.class_names(dataset, how.label)
        )
    return chunk


def from_iterable(items: Any, how: ReadOptions) -> Chunk:
    """Loaders and iterables: run through once, now, and kept, images as uint8."""
    loader = is_torch(items, "utils.data", "DataLoader")
    batched = items.batch_sampler is not None if loader else None
    found = torch_dataset.run_through(items, _taking(how), batched)
    return from_records(found, how, _labels(found.labels, items, how))


def _taking(how: ReadOptions) -> torch_dataset.Taking:
    return torch_dataset.Taking(how.label, how.text, how.need, how.own)


def _labels(found: list[Any], dataset: Any, how: ReadOptions) -> np.ndarray | None:
    missing = [label is None for label in found]
    if how.y is not None or all(missing) or (any(missing) and not how.need_labels):
        return None
    return torch_dataset.named(found, torch_dataset.class_names(dataset, how.label))


def is_torch(x: Any, module: str, name: str) -> bool:
    """Whether it is of a class of torch's; whoever holds one has imported torch."""
    home = sys.modules.get(f"torch.{module}".rstrip("."))
    return home is not None and isinstance(x, getattr(home, name))
