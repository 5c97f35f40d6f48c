"""What one model in memory is: its classes, network and method, and the answers it gives."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from ..backbones.base import Backbone
from ..data import preprocess
from ..data.dataset import Chunk
from ..data.drift import InputSummary
from ..data.label_type import ModelLabels
from ..data.task import Records, fetched
from ..errors import DataError
from ..methods.base import Method
from ..nn import devices
from ..nn.network import Network
from ..training.protocols import Checkpoints
from .holdout import HeldOut, no_samples
from .options import Tell
from .parameters import Parameters

ROWS_AT_ONCE = 256  # rows of canonical tensors at a time


class Uncut(Protocol):
    """A network trained elsewhere before its head is taken off."""

    def compared(self, model: "Model", chunk: Chunk) -> "Model":
        """The model with the network cut, its answers compared on these inputs."""

    def latest(self, model: "Model") -> "Model":
        """That model, if inputs came before; else the one given."""


@dataclass(frozen=True)
class UpdateContext:
    """What a caller of an update hands in.

    tell: is given the advice before training begins.
    checkpoints: gives, for a model that is about to learn and what it learns, where it may leave
        how far it is; asked only for methods that add up sums and draw nothing.
    keep_no_samples: whether the model's folder is to hold no samples.
    """

    tell: Tell | None = None
    checkpoints: "Callable[[Model, Chunk], Checkpoints] | None" = None
    keep_no_samples: bool = False


@dataclass(frozen=True)
class TableColumns:
    """Columns of the first table, by which scikit-learn's checks go.  names: (count,) or None."""

    count: int
    names: np.ndarray | None = None


@dataclass(eq=False)
class Model:
    """One model in memory. An update makes another one; once it is finished, none is changed.

    So whoever has one answers by it, whatever is learnt meanwhile: network, solved weights, classes
    and counts belong together. What answering works out anew each time (solved weights) is kept
    beside, and is the same whoever works it out.

    parameters: of the last update.  backbone, backbone_name: its settings, and what it is called.
    learner, method_name: the method with all it remembers; it holds the network.
    reason: why this backbone and this method, in words.
    schema: the form of inputs (`Backbone.prepare`); None before any came to an adopted network.
    classes: labels by column.  counts: (k,) samples learnt, by column.  tasks: updates.
    adopted: leading columns that came with a network trained elsewhere.
    heldout: samples never trained on.  began: what the first inputs looked like.
    columns: of the first table.  update: the last update, as a dict.
    ledger, keep_no_samples: what its folder keeps beside it (`ledger`).
    predicts_only: whether it was read without what learning needs.
    uncut: the network trained elsewhere that it is to begin with, until inputs came on which its
        answers were compared; None for all other models.
    """

    parameters: Parameters
    backbone: Backbone
    backbone_name: str
    learner: Method
    method_name: str
    reason: str
    schema: dict[str, Any] | None
    classes: np.ndarray = field(default_factory=lambda: np.array([]))
    counts: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    tasks: int = 0
    adopted: int = 0
    heldout: HeldOut = field(default_factory=no_samples)
    began: InputSummary | None = None
    columns: TableColumns | None = None
    update: dict[str, Any] = field(default_factory=dict)
    ledger: Any = None
    keep_no_samples: bool = False
    predicts_only: bool = False
    index: "Index | None" = None
    uncut: "Uncut | None" = None

    @property
    def class_names(self) -> list[str]:
        """Labels by column, as reports and JSON write them."""
        return [str(label) for label in self.classes.tolist()]

    @property
    def net(self) -> Network:
        """The network that the method trains or reads."""
        return self.learner.net

    @property
    def label_type(self) -> ModelLabels:
        """What its labels are: "text", "int" (whole numbers) or "bool"; None before any came."""
        if not len(self.classes):
            return None
        kinds: dict[str, ModelLabels] = {"b": "bool", "i": "int", "f": "int"}
        return kinds.get(self.classes.dtype.kind, "text")

    def compared(self, chunk: Chunk) -> "Model":
        """This model; of a network trained elsewhere, once it answers as that for these inputs.

        Raises SettingError where it does not, DataError for inputs that it cannot read.
        """
        return self if self.uncut is None else self.uncut.compared(self, chunk)

    def asked(self, parameters: Parameters) -> "Model":
        """This model, asked with other parameters."""
        return self if parameters == self.parameters else replace(self, parameters=parameters)

    def records(self, chunk: Chunk) -> Records:
        """A chunk's canonical tensors.  Raises DataError where they are not of the model's form."""
        if self.schema is None:  # a network trained elsewhere that has not learnt anything here
            form = preprocess.fitted(
                self.backbone.prepare(chunk.seen, self.parameters.image_size), chunk
            )
            return self.net.backbone.records(chunk, form)
        self.check(chunk)
        return self.net.backbone.records(chunk, self.schema)

    def check(self, chunk: Chunk) -> None:
        """Raise DataError unless the model reads data like this."""
        assert self.schema is not None
        body = self.net.backbone
        preprocess.check_fits(self.schema, chunk, not body.any_size, body.any_length)

    def unlike(self, chunk: Chunk) -> list[str]:
        """What is to be said of inputs that are read otherwise than they may be meant."""
        return [] if self.schema is None else preprocess.range_notes(self.schema, chunk)

    def columns_of(self, labels: np.ndarray | None) -> Tensor:
        """(n,) columns of labels, -1 for those that the model does not know; (0,) of None."""
        if labels is None:
            return torch.zeros(0, dtype=torch.long)
        columns = map(self._indexed().get, labels.tolist(), repeat(-1))
        return torch.from_numpy(np.fromiter(columns, np.int64, len(labels)))

    def classes_with(self, labels: np.ndarray) -> np.ndarray:
        """`classes` once these labels are learnt: what is known, then new ones, sorted.

        Raises DataError for labels of another kind.
        """
        words = [label for label in set(labels.tolist()) if isinstance(label, str)]
        if words and self.label_type in ("int", "bool"):
            raise DataError(
                f"labels are str ({min(words)!r}), but this model was started with "
                f"{self.label_type} labels; pass labels of the same kind."
            )
        if not words and self.label_type == "text":
            raise DataError(
                f"labels are int ({labels.min()}), but this model was started with str labels; "
                "pass labels of the same kind (a file whose numbers are names: --label-type text)."
            )
        distinct = np.array(sorted(set(labels.tolist())), labels.dtype)
        if not len(self.classes):
            return distinct if distinct.dtype != object else np.array(distinct.tolist())
        index = self._indexed()
        new = [label for label in distinct.tolist() if label not in index]
        if not new:
            return self.classes
        added = np.array(new)
        whole = self.classes.dtype.kind == "i"  # beside booleans or floats: stays as it is
        return np.concatenate([self.classes, added.astype(np.int64) if whole else added])

    def _indexed(self) -> dict[Any, int]:
        """Column by label; carried over from model to model while the classes are the same."""
        index = self.index
        if index is None or index.classes is not self.classes:
            index = self.index = Index.of(self.classes)
        return index.columns

    def blocks(self, records: Records) -> Iterator[Tensor]:
        """Canonical tensors, 256 rows at a time, what is to be decoded ahead."""
        parts = torch.arange(len(records)).split(ROWS_AT_ONCE)
        workers = self.parameters.num_workers
        return (x for _, x in fetched(records, parts, workers, devices.staging(self.net.device)))

    @torch.no_grad()
    def scores(self, records: Records) -> Tensor:
        """(n, classes) scores, two classes included; -inf for classes announced and never seen."""
        scores = torch.cat([self.learner.scores(x).float().cpu() for x in self.blocks(records)])
        unseen = torch.from_numpy(self.counts == 0)
        unseen[: self.adopted] = False
        return scores.masked_fill_(unseen, -torch.inf) if unseen.any() else scores

    def probabilities(self, records: Records) -> np.ndarray:
        """(n, classes) in [0, 1], rows sum to 1, float64."""
        scores = self.scores(records).double()
        return self.learner.probabilities(scores).numpy()

    def labels(self, records: Records) -> np.ndarray:
        """(n,) the likeliest labels."""
        best = self.scores(records).argmax(1).numpy()
        return self.classes[best]  # type: ignore[no-any-return]

    def features(self, records: Records) -> Tensor:
        """(n, width) float32: what the head sees."""
        return torch.cat([self.net.steady(x).cpu() for x in self.blocks(records)])

    def right(self, chunk: Chunk) -> np.ndarray:
        """(n,) whether each answer to labelled data is right; labels never learnt are wrong."""
        assert chunk.labels is not None
        answers = self.scores(self.records(chunk)).argmax(1)
        return answers.eq(self.columns_of(chunk.labels)).numpy()


@dataclass(frozen=True)
class Index:
    """Column by label, of these very classes."""

    classes: np.ndarray
    columns: dict[Any, int]

    @staticmethod
    def of(classes: np.ndarray) -> "Index":
        return Index(classes, {label: j for j, label in enumerate(classes.tolist())})
