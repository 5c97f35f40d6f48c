"""The estimator: scikit-learn's face of a model whose classes grow."""

import logging
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sklearn.exceptions
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.frozen import FrozenEstimator
from torch import nn

from ..data import read
from ..data.task import Records
from ..errors import DataError, NotFittedError, SettingError
from ..nn.thread_locks import lock_of
from ..storage.model_folder import ModelFolder
from . import adopt as adopting
from . import gate as gate_rule
from . import judge, serialize, update, validate
from .model import Model
from .parameters import NAMES, Parameters
from .sorted_classes import SortedClassifier, as_decision, logarithms
from .update import Incoming

log = logging.getLogger(__name__)


class _NotFitted(NotFittedError, sklearn.exceptions.NotFittedError):  # type: ignore[misc]
    """Both evergrow's NotFittedError and scikit-learn's, so that either `except` takes it."""


def _shown(name: str, doc: str) -> Any:
    """A part of the model of the last finished update, as an attribute to read."""

    def part(self: "GrowingClassifier") -> Any:
        if self._model is None:
            raise AttributeError(f"nothing was learnt yet, so there is no {name}.")
        return getattr(self._model, name)

    return property(part, doc=doc)


class GrowingClassifier(
    ClassifierMixin,  # type: ignore[misc]
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]
    TransformerMixin,  # type: ignore[misc]
    BaseEstimator,  # type: ignore[misc]
):
    """A classifier whose classes grow as data arrives.

    `classes_` only ever gets longer: new labels of a chunk are sorted and appended, and column j of
    every score means the same class for the whole life of the model. By default the network's body
    is not trained and its last layer is solved exactly from sums, so nothing is forgotten; see
    `method`.

    backbone: "auto", a name (`evergrow backbones`), `backbones.MLP(hidden=(400, 400))`, an
        nn.Module that gives feature vectors, or a callable that builds one.
    method: "auto", a name (`evergrow methods`), "package.module:Class" or an object
        (`methods.ER(memory=500)`).
    epochs, batch_size, optimizer ("sgd", "adamw"), lr, momentum, weight_decay: training on one
        task, for methods that train.  backbone_lr: the backbone's learning rate, as a share of
        `lr`, in (0, 10]: 0.1 lets it learn at a tenth of the head's rate; None: alike.
    layer_decay: the learning rate of each stage of the backbone, as a share of that of the stage
        above it, in (0, 1]; 1: all learn alike.  warmup: share of the steps of a task over which
        learning rates rise from 0, in [0, 1).
    schedule: how learning rates fall over a task: "constant", "linear", "cosine", or "cooldown"
        (linearly, from the middle on).
    freeze: True for the whole backbone, or the name of the last layer that does not learn, as the
        network has it ("layer3").  unfreeze: epochs of a task after which one more stage of the
        backbone, from the top down, begins to learn; the head is first; 0: all at once.
    freeze_norms: True for batch-norm statistics that stay as they are while weights learn.
    augment: maps (n, channels, height, width) uint8 images (or rows) to the same shape; drawn
        afresh each step.
    image_size: pixels a side, or (height, width); None: the size of the first images where it is
        small.
    boundary: "task": each call is a task; "new classes": a stream, methods consolidate only when
        classes arrive.
    validation: samples of each class held back, never trained on and kept to judge updates by (see
        `assess`), at most a tenth of what a class brings and of the method's memory; 0: none.
        Closed-form methods learn all samples and judge kept rows, each left out in turn.
    num_workers: threads that fetch the next batches while this one is learnt; 0: one where there is
        something to decode, else none.
    device: "auto", "cpu", "cuda", ...
    precision: "float32", "bfloat16", "float16", or "auto": float32, but bfloat16 for the features
        that closed-form methods read from a pretrained network, where the processor has it and they
        agree with float32.
    random_state: seed of every random draw.

    Attributes: classes_ (labels by column), counts_ (samples learnt, by column), backbone_, method_
    and reason_ (what was chosen, and why), update_ (the last update, as a dict).

    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = GrowingClassifier().partial_fit(X[y < 5], y[y < 5]).partial_fit(X[y >= 5], y[y >= 5])
    >>> clf.classes_.tolist(), bool(clf.score(X, y) > 0.95)
    ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], True)
    """

    _model: Model | None = None  # the last finished update; replaced, never changed

    def __init__(
        self,
        backbone: Any = Parameters.backbone,
        method: Any = Parameters.method,
        *,
        epochs: int = Parameters.epochs,
        batch_size: int = Parameters.batch_size,
        optimizer: str = Parameters.optimizer,
        lr: float = Parameters.lr,
        momentum: float = Parameters.momentum,
        weight_decay: float = Parameters.weight_decay,
        backbone_lr: float | None = Parameters.backbone_lr,
        layer_decay: float = Parameters.layer_decay,
        warmup: float = Parameters.warmup,
        schedule: str = Parameters.schedule,
        freeze: bool | str | None = Parameters.freeze,
        unfreeze: int = Parameters.unfreeze,
        freeze_norms: bool = Parameters.freeze_norms,
        augment: Any = Parameters.augment,
        image_size: int | tuple[int, int] | None = Parameters.image_size,
        boundary: str = Parameters.boundary,
        validation: int = Parameters.validation,
        num_workers: int = Parameters.num_workers,
        device: str = Parameters.device,
        precision: str = Parameters.precision,
        random_state: int | None = Parameters.random_state,
    ):
        self.backbone = backbone
        self.method = method
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.lr = lr
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.backbone_lr = backbone_lr
        self.layer_decay = layer_decay
        self.warmup = warmup
        self.schedule = schedule
        self.freeze = freeze
        self.unfreeze = unfreeze
        self.freeze_norms = freeze_norms
        self.augment = augment
        self.image_size = image_size
        self.boundary = boundary
        self.validation = validation
        self.num_workers = num_workers
        self.device = device
        self.precision = precision
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> "GrowingClassifier":
        """Forget everything, then learn (X, y). A call that fails leaves the model as it was."""
        with lock_of(self):
            _, incoming = self._incoming(None, X, y)
            self._put(update.learn(None, self.parameters, incoming))
        return self

    def partial_fit(
        self, X: Any, y: Any = None, classes: Iterable[Any] | None = None, auxiliary: Any = None
    ) -> "GrowingClassifier":
        """Learn (X, y) and keep what was learnt before; labels not seen before become new classes.

        X: arrays or tensors ((n, d) tables, (n, height, width) or (n, height, width, 1 or 3)
            images), lists of PIL images, paths or texts, data frames, torch or Hugging Face
            datasets, a folder with one subfolder a class, CSV, Parquet, JSON lines, npz or idx
            files; y: (n,) labels, all str or all whole numbers or booleans, which come back as
            they came, or None where X has them.
        classes: labels to announce; they get columns now and no score until they are seen.
        auxiliary: inputs without labels, in any form of X, for methods that consolidate on such
            (dmc, dmc+); labels that come with them are not looked at.

        A call that fails leaves the model as it was. Threads that ask meanwhile get the answers of
        the last call that finished.  Raises DataError, SettingError.
        """
        with lock_of(self):
            model, incoming = self._incoming(self._model, X, y, classes, auxiliary)
            self._put(update.learn(model, self.parameters, incoming))
        return self

    def advise(self, X: Any, y: Any = None, auxiliary: Any = None) -> list[dict[str, Any]]:
        """What to expect of `partial_fit` with the same arguments; nothing is learnt or changed.

        Returns a dict for each rule that has something to say: its name (`rule`), `text`,
        `forecast` (None, or an interval of accuracy in [0, 1]), `remedies`, and `of` which classes
        the forecast is.  `update_["advice"]` has the same of what was learnt; docs/advice.md lists
        the rules.
        """
        model, incoming = self._incoming(self._model, X, y, auxiliary=auxiliary)
        return update.foresee(model, self.parameters, incoming)

    def remember(self, X: Any, y: Any = None) -> "GrowingClassifier":
        """Keep a few samples of classes known already, without training on them.

        They go into the method's memory (or its sums), with the answers that the network gives to
        them now. After `adopt` this is how samples of the network's own classes come in; 20 of each
        class help most.  X, y: as for `partial_fit`.

        A call that fails leaves the model as it was.  Raises DataError for labels that are new,
        SettingError where the method keeps nothing of its samples.
        """
        with lock_of(self):
            model, incoming = self._incoming(self.model, X, y)
            assert model is not None
            self._put(update.remember(model, self.parameters, incoming))
        return self

    def assess(self) -> dict[str, Any]:
        """What the last update did, from samples that were not learnt; kept in `update_["report"]`.

        Mean recalls of old classes before and after, of new ones and all, by class, with margins;
        which old classes lost most and what they were taken for; the confusion; calibration. See
        `update_report.report`. Closed-form methods judge the rows that they keep, each left out in
        turn; others what `validation` held back. Old classes before the update are known where the
        model could be judged then, at no cost or because `validation` asks for it.
        Raises SettingError where nothing was held back.
        """
        with lock_of(self):
            assessed = judge.assessed(self.model)
            if assessed is None:
                raise SettingError(
                    "there are no samples to judge the last update by: let validation=20 hold some "
                    "back before learning, or use score(X, y) with samples of your own."
                )
            self._put(assessed)
        report: dict[str, Any] = assessed.update["report"]
        return report

    def change_method(self, method: Any) -> list[str]:
        """Go on learning by another method.  Returns what could not be taken along, in words.

        Between methods that train the network: memories of the same name are taken along. Between
        closed-form methods: the sums are. From one kind to the other nothing can be, and it is
        refused (SettingError).
        """
        with lock_of(self):
            changed = Parameters(**dict(self.parameters.items()) | {"method": method})
            model, lost = update.change_method(self.model, changed)
            self._put(model)
            self.method = method
        return lost

    def _incoming(
        self,
        model: Model | None,
        X: Any,
        y: Any,
        classes: Iterable[Any] | None = None,
        auxiliary: Any = None,
    ) -> tuple[Model | None, Incoming]:
        """The model to update, and what it is given, as data of its kind."""
        update.check_learns(model)
        chunk, columns = validate.as_chunk(self, model, X, y)
        announced = None if classes is None else read.clean_labels(list(classes))
        beside = None
        if auxiliary is not None:
            beside, _ = validate.as_chunk(
                self, model, auxiliary, None, labels=False, columns=columns
            )
        model = None if model is None else model.compared(chunk)
        return model, Incoming(chunk, announced, beside, columns)

    def _put(self, model: Model) -> None:
        """Put a finished model in place: one assignment, after which all answers are by it."""
        self._model = model
        validate.show_columns(self, model.columns)

    def scores(self, X: Any) -> np.ndarray:
        """(n, classes) scores by column of `classes_`; -inf for those announced and never seen."""
        model, records = self._asked(X)
        return model.scores(records).numpy()

    def decision_function(self, X: Any) -> np.ndarray:
        """`scores`; where `classes_` holds two labels, (n,), as scikit-learn has it: that of the
        second less that of the first.
        """
        return as_decision(self.scores(X))

    def predict_proba(self, X: Any) -> np.ndarray:
        """(n, classes) probabilities in [0, 1] by column of `classes_`, which come as they arrived.

        They are not sorted. For what takes columns to be (scikit-learn's scorers and calibration)
        there is `sorted`; scorers that go by `classes_` are in `evergrow.metrics`. Rows sum to 1.
        """
        model, records = self._asked(X)
        return model.probabilities(records)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """(n, classes) logarithms of `predict_proba`; -inf for classes announced and never seen."""
        return logarithms(self.predict_proba(X))

    def predict(self, X: Any, reject: float | None = None) -> np.ndarray:
        """(n,) labels. reject: answer None where the best probability is below it, in [0, 1]."""
        model, records = self._asked(X)
        if reject is None:
            return model.labels(records)
        shares = model.probabilities(records)
        labels = model.classes[shares.argmax(1)].astype(object)
        labels[shares.max(1) < reject] = None
        return labels  # type: ignore[no-any-return]

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Accuracy in [0, 1]; y may be None where X has labels; unlearnt labels count as wrong."""
        chunk, _ = validate.as_chunk(self, self.model, X, y)
        model = self.model.compared(chunk)
        if chunk.labels is None:
            raise DataError("score needs labels: pass y, or data that holds them.")
        return float(np.average(model.right(chunk), weights=sample_weight))

    def transform(self, X: Any) -> np.ndarray:
        """(n, width) features, float32: what the head sees."""
        model, records = self._asked(X)
        return model.features(records).numpy()

    def sorted(self) -> FrozenEstimator:
        """This model as it is now, with `classes_` and the columns of scores sorted.

        For what takes columns to be sorted: scikit-learn's scorers by name ("roc_auc_ovr"),
        `CalibratedClassifierCV`. It does not learn: `fit` leaves it as it is, a clone is itself.

        >>> clf = GrowingClassifier("none").partial_fit([[1.0], [2.0]], ["b", "b"])
        >>> clf = clf.partial_fit([[7.0], [8.0]], ["a", "a"])
        >>> clf.classes_.tolist(), clf.sorted().classes_.tolist()
        (['b', 'a'], ['a', 'b'])
        """
        return FrozenEstimator(SortedClassifier(type(self).of(self.model)))

    def layer_scores(self) -> dict[str, float]:
        """How well each layer's features tell the classes apart: mean recall in [0, 1], by layer.

        For a backbone that joins several (`layers=`) under a method that adds up sums. The sums of
        each layer are part of the joined ones, so nothing is computed anew: LDA is solved from them
        and judges kept rows, each left out. Early layers that do nearly as well as the last say
        that the network was trained for something else; "all" is what joining them gives.
        Raises SettingError for other models.
        """
        return judge.by_layer(self.model)

    def _asked(self, X: Any) -> tuple[Model, Records]:
        """The model that answers, and X as it reads it."""
        model = self.model
        chunk, _ = validate.as_chunk(self, model, X, None, labels=False)
        model = model.compared(chunk)
        for note in model.unlike(chunk):
            warnings.warn(note, stacklevel=3)
        return model, model.records(chunk)

    def save(self, path: str | Path, gate: float | None = None) -> int:
        """Write a new version into the model folder (made if need be); returns its number.

        gate: percentage points of mean recall that the last update may cost the old classes; if it
            costs more, or leaves a new class below half of the mean recall, GateError is raised and
            nothing written.
        Raises ModelError if the path is something else, LockedError while another process writes.
        """
        model = self.model
        if model.predicts_only:
            raise SettingError(
                "this model was loaded with learning=False: load it whole to save it."
            )
        if model.uncut is not None:
            raise SettingError(
                "the network's answers were not compared with those of its head yet, and a folder "
                "holds a network without its head alone; pass adopt(..., example=) a few inputs, "
                "or predict or learn some before saving."
            )
        if gate is not None:
            gate_rule.enforce(model, gate)
        folder = ModelFolder(path)
        with folder.writer():
            return folder.commit(**serialize.parts(model))

    @classmethod
    def adopt(
        cls,
        network: nn.Module,
        classes: Sequence[Any] | Mapping[Any, Any],
        head: str | None = None,
        *,
        example: Any = None,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        **parameters: Any,
    ) -> "GrowingClassifier":
        """Go on with a network trained elsewhere: its outputs become the first columns, unchanged.

        network: any nn.Module that ends in a linear layer or a convolution of single pixels (the
            last one with len(classes) outputs, or the one named by `head`); it is copied.
        classes: a label for each output, in their order; or {0: "a"}, as a config's `id2label` has
            them, or {"a": 0}, as a data set's `class_to_idx`.
        example: a few inputs, in any form of X; up to 32 are looked at.
        mean, std: of images by channel, if it was trained on normalised images: then pass images as
            uint8.
        parameters: of GrowingClassifier. Float arrays are given to the network as they are.

        Before anything is learnt, predictions equal the network's own: what its head gives is
        compared with what it gives itself, within 1e-4 of each score, on `example`, or else on the
        first inputs that come, before anything is answered or learnt. A softmax, log-softmax,
        sigmoid or temperature may follow the head; a network that does anything else with its
        scores is refused.  Raises SettingError, DataError.

        >>> net = nn.Sequential(nn.Linear(4, 3), nn.LogSoftmax(dim=1)).eval()
        >>> clf = GrowingClassifier.adopt(net, {"a": 0, "b": 1, "c": 2}, example=np.eye(4))
        >>> clf.predict(np.eye(4)).shape, clf.classes_.tolist()
        ((4,), ['a', 'b', 'c'])
        """
        asked = cls(**parameters).parameters
        face = cls.of(adopting.from_network(network, classes, asked, head=head, mean=mean, std=std))
        if example is not None:
            chunk, _ = validate.as_chunk(face, face.model, example, None, labels=False)
            face = cls.of(face.model.compared(chunk))
        return face

    @classmethod
    def adopt_by_name(
        cls,
        network: nn.Module,
        classes: Sequence[Any] | Mapping[Any, Any],
        backbone: str,
        **parameters: Any,
    ) -> "GrowingClassifier":
        """As `adopt`, for timm ("timm:resnet18"): its folder loads without your code."""
        asked = cls(backbone=backbone, **parameters).parameters
        return cls.of(adopting.from_named_network(network, classes, asked))

    @classmethod
    def of(cls, model: Model) -> "GrowingClassifier":
        """The face of a model."""
        face = cls(**dict(model.parameters.items()))
        face._put(model)
        return face

    @property
    def parameters(self) -> Parameters:
        """The parameters as they are now."""
        return Parameters(**{name: getattr(self, name) for name in NAMES})

    @property
    def model(self) -> Model:
        """The model of the last finished update, which nothing changes any more.

        It answers with the parameters of now.  Raises NotFittedError.
        """
        model = self._model
        if model is None:
            raise _NotFitted(
                "This GrowingClassifier instance is not fitted yet: "
                "nothing was learnt; call partial_fit(X, y) first."
            )
        model = model.asked(self.parameters)
        return model if model.uncut is None else model.uncut.latest(model)

    classes_ = _shown("classes", "(k,) labels by column.")
    counts_ = _shown("counts", "(k,) samples learnt, by column.")
    update_ = _shown("update", "The last update, as a dict.")
    backbone_ = _shown("backbone_name", "The name of the backbone.")
    method_ = _shown("method_name", "The name of the method.")
    reason_ = _shown("reason", "Why this backbone and this method, in words.")
    prepare_ = _shown("schema", "The form of inputs; None before any came to an adopted network.")
    tasks_ = _shown("tasks", "Updates so far.")
    adopted_ = _shown("adopted", "Leading columns that came with a network trained elsewhere.")
    heldout_ = _shown("heldout", "Samples never trained on.")
    began_ = _shown("began", "What the first inputs looked like, in a few numbers.")
    body_ = _shown("backbone", "The backbone's settings.")
    net_ = _shown("net", "The network.")
    learner_ = _shown("learner", "The method with all that it remembers.")

    @property
    def _n_features_out(self) -> int:
        """Width of `transform`, by scikit-learn's name for it."""
        return self.model.net.width

    def __sklearn_is_fitted__(self) -> bool:
        return self._model is not None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []  # features are float32 whatever comes
        return tags


def load(
    path: str | Path,
    version: int | None = None,
    *,
    backbone: Any = None,
    method: Any = None,
    learning: bool = True,
) -> GrowingClassifier:
    """The model in a folder: it predicts, and goes on learning, exactly as the one that was saved.

    version: an older one.  backbone, method: your own parts, which a folder does not hold; checked
        against it.
    learning: False reads only what predicting needs.  Nothing on disk is executed.
    Raises ModelError, DamagedError, FormatError, SettingError.
    """
    folder = ModelFolder(path)
    stored = folder.read(version, learning)
    log.info("read version %d of %s", stored.version, folder.path)
    with folder.making_a_model(stored.version):
        restored = serialize.restore(stored, "auto", backbone, method, learning)
    return GrowingClassifier.of(restored)
