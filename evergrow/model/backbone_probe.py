"""Are fixed features good enough?  Beside them, a network that is trained for a moment."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from .. import backbones, methods
from ..data.dataset import Chunk
from ..data.task import Task
from ..nn.network import Network
from ..training import progress
from ..training.random_generators import Generators
from .advice_on_backbone import ProbeResult
from .classifier import GrowingClassifier
from .model import Model

if TYPE_CHECKING:
    from ..methods.closed_form import ClosedForm

PROBE_SAMPLES = 1000  # samples looked at
HELD_OUT_ONE_IN = 5  # one sample in so many is held back
AT_ONCE = 256  # samples between two looks at the clock
EPOCHS = 30  # at most


def probe(model: Model, chunk: Chunk, seconds: float) -> ProbeResult | None:
    """Accuracy of a model's features, and of a network trained on the same samples of a chunk.

    Both see up to four fifths of 1,000 samples and are judged on the others. Features as they are:
    read by `lda`. The network: the model's own where it can train, else a small one; a few seconds
    over `seconds` may pass.  None where the backbone learns anyway, or the chunk is too small: of
    one class, or of fewer than ten samples held back.
    """
    learns = model.net.backbone.trains and model.parameters.freeze is not True
    if learns and not model.learner.needs_fixed:
        return None
    train, held = _split(chunk)
    if train.labels is None or len(np.unique(train.labels)) < 2 or len(held) < 10:
        return None
    network = _network(model)
    name = network if isinstance(network, str) else backbones.name_of(network)
    began = time.perf_counter()
    trained = _trained(network, train, seconds, model).score(held)
    spent = time.perf_counter() - began
    return ProbeResult(_features(model, train, held), trained, len(held), spent, name)


def _split(chunk: Chunk) -> tuple[Chunk, Chunk]:
    """What is learnt, and what is held back: the same share of each class."""
    assert chunk.labels is not None
    rng = np.random.default_rng(0)
    some = rng.permutation(len(chunk))[:PROBE_SAMPLES]
    _, column = np.unique(chunk.labels[some], return_inverse=True)
    order = some[np.argsort(column, kind="stable")]
    held = np.arange(len(order)) % HELD_OUT_ONE_IN == 0
    return chunk.subset(order[~held]), chunk.subset(order[held])


def _network(model: Model) -> Any:
    """What is trained: the model's own backbone, or a small one."""
    if model.net.backbone.trains:
        return model.backbone
    assert model.schema is not None
    return "convnet" if model.schema["kind"] == "image" else "mlp"


def _trained(network: Any, train: Chunk, seconds: float, model: Model) -> GrowingClassifier:
    """A network fine-tuned until the time is up, in a stream of a few samples at once."""
    net = GrowingClassifier(
        network,
        "finetune",
        epochs=1,
        optimizer="adamw",
        lr=0.002,
        boundary="new classes",
        image_size=model.parameters.image_size,
    )
    assert train.labels is not None
    watch, until = progress.for_terminal(), time.perf_counter() + seconds
    blocks = -(-len(train) // AT_ONCE)
    watch.start(EPOCHS * blocks, "probing")
    rng, labels = np.random.default_rng(0), np.unique(train.labels).tolist()
    try:
        for _ in range(EPOCHS):
            for rows in np.array_split(rng.permutation(len(train)), blocks):
                net.partial_fit(train.subset(rows), classes=labels)
                watch.step()
                if time.perf_counter() > until:
                    return net
    finally:
        watch.close()
    return net


def _features(model: Model, train: Chunk, held: Chunk) -> float:
    """Accuracy of linear discriminants on the features as they are."""
    assert model.schema is not None and train.labels is not None and held.labels is not None
    net = Network(model.net.backbone, model.net.inputs).eval()
    net.scale = model.net.scale
    labels, y = np.unique(train.labels, return_inverse=True)
    records = net.backbone.records(train, model.schema)
    net.inputs.fix(records)
    rng = Generators(0)
    learner: ClosedForm = methods.get("lda")  # type: ignore[assignment]
    learner.attach(net, replace(model.learner.how, freeze=True), rng)
    learner.learn(Task(records, torch.from_numpy(y), 0, len(labels)))
    with torch.no_grad():
        scores = learner.scores(net.backbone.records(held, model.schema).take(_all(held)))
    return float((labels[scores.argmax(1).numpy()] == held.labels).mean())


def _all(chunk: Chunk) -> torch.Tensor:
    return torch.arange(len(chunk))
