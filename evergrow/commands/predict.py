"""Labels of what a model is asked about; how well each layer of its network knows them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.source import Source
from ..storage.model_folder import ModelFolder
from . import preflight
from .open_model import CURRENT, Answer, OpenOptions, load, restored

if TYPE_CHECKING:
    import numpy as np

SAMPLES_AT_ONCE = 4096  # samples predicted at a time


def predict(
    model: str | Path,
    data: Any,
    top: int = 3,
    options: OpenOptions = CURRENT,
) -> Answer:
    """The likeliest labels of each input with their probabilities, best first, at most `top`.

    data: a Source, or whatever `sources.read` takes; labels are not needed.
    """
    folder = ModelFolder(model)
    preflight.check_paths([data])
    loaded = load(folder, options)
    chunk = Source.of(data).read(need_labels=False)
    predictions: list[Answer] = []
    for rows in blocks(len(chunk)):
        part = chunk.subset(rows)
        shares = loaded.probabilities(loaded.records(part))
        best = (-shares).argsort(axis=1, kind="stable")[:, :top]
        for i, columns in enumerate(best):
            ranked = [[loaded.classes[j].item(), float(shares[i, j])] for j in columns]
            label, probability = ranked[0]
            predictions.append(
                {"input": part.name(i), "label": label, "probability": probability, "top": ranked}
            )
    skipped = [list(file) for file in chunk.skipped]
    return {
        "predictions": predictions,
        "version": options.version or folder.current(),
        "skipped": skipped,
        "warnings": [*chunk.notes, *loaded.unlike(chunk)],
    }


def blocks(n: int) -> "list[np.ndarray]":
    import numpy as np

    return [
        np.arange(start, min(start + SAMPLES_AT_ONCE, n)) for start in range(0, n, SAMPLES_AT_ONCE)
    ]


def layers(model: str | Path) -> Answer:
    """How well the features of each layer of the backbone tell the classes apart, left out."""
    from ..model import judge

    folder = ModelFolder(model)
    loaded = restored(folder, folder.read(), OpenOptions(), learning=True)
    widths: dict[str, int] = dict(loaded.net.backbone.parts)
    rows = [
        {"layer": name, "features": widths.get(name, loaded.net.width), "recall": recall}
        for name, recall in judge.by_layer(loaded).items()
    ]
    return {"layers": rows, "version": folder.current()}
