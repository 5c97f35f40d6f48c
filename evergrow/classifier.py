"""The estimator: scikit-learn outside, a growing network inside; labels to columns and back."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import sklearn.exceptions
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.utils.validation import validate_data
from torch import nn

from . import (
    backbones,
    columns,
    facts,
    featuredisk,
    heldout,
    judging,
    looks,
    loop,
    methods,
    precision,
    prepare,
    progress,
    saving,
    solve,
    sources,
)
from .advice import FEW, advise
from .backbones.base import Backbone
from .data import Records, Task, fetched
from .errors import DataError, NotFittedError, SettingError
from .methods.base import Checkpoints, Method, Unsaved
from .network import Body, Network
from .randomness import Generators, Seeded, isolated
from .resolve import ALONE, Adopted, resolve
from .sources import Chunk, Seen
from .statistics import FeatureStatistics
from .store import ModelFolder


class _NotFitted(NotFittedError, sklearn.exceptions.NotFittedError):  # type: ignore[misc]
    """Ours and scikit-learn's at once."""


class GrowingClassifier(ClassifierMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
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

    classes_: np.ndarray
    counts_: np.ndarray
    update_: dict[str, Any]
    backbone_: str
    method_: str
    reason_: str
    prepare_: dict[str, Any] | None
    began_: looks.Looks | None
    tasks_: int
    adopted_: int
    heldout_: heldout.HeldOut
    body_: Backbone
    net_: Network
    learner_: Method
    _tell: Callable[[list[dict[str, Any]]], None] | None = None  # gets the advice before training
    _checkpoints: Checkpoints = Unsaved()  # of methods that add up sums and draw nothing

    def __init__(
        self,
        backbone: Any = "auto",
        method: Any = "auto",
        *,
        epochs: int = 10,
        batch_size: int = 32,
        optimizer: str = "sgd",
        lr: float = 0.05,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        backbone_lr: float | None = None,
        layer_decay: float = 1.0,
        warmup: float = 0.0,
        schedule: str = "constant",
        freeze: bool | str | None = None,
        unfreeze: int = 0,
        freeze_norms: bool = False,
        augment: Any = None,
        image_size: int | tuple[int, int] | None = None,
        boundary: str = "task",
        validation: int = 0,
        num_workers: int = 0,
        device: str = "auto",
        precision: str = "auto",
        random_state: int | None = 0,
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

    # -- learning ---------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None) -> "GrowingClassifier":
        """Forget everything, then learn (X, y). A call that fails leaves the model as it was."""
        with self._all_or_nothing():
            for name in [n for n in vars(self) if n.endswith("_") and not n.startswith("_")]:
                delattr(self, name)
            return self._learn(X, y, None)

    def partial_fit(
        self, X: Any, y: Any = None, classes: Iterable[Any] | None = None, auxiliary: Any = None
    ) -> "GrowingClassifier":
        """Learn (X, y) and keep what was learnt before; labels not seen before become new classes.

        X: arrays or tensors ((n, d) tables, (n, height, width) or (n, height, width, 1 or 3)
            images), lists of PIL images, paths or texts, data frames, torch or Hugging Face
            datasets, a folder with one subfolder a class, CSV, Parquet, JSON lines, npz or idx
            files; y: (n,) labels, all str or all int, or None where X has them.
        classes: labels to announce; they get columns now and no score until they are seen.
        auxiliary: inputs without labels, in any form of X, for methods that consolidate on such
            (dmc, dmc+); labels that come with them are not looked at.

        A call that fails leaves the model as it was.  Raises DataError, SettingError.
        """
        with self._all_or_nothing():
            return self._learn(X, y, classes, auxiliary)

    def advise(self, X: Any, y: Any = None, auxiliary: Any = None) -> list[dict[str, Any]]:
        """What to expect of `partial_fit` with the same arguments; nothing is learnt or changed.

        Returns a dict for each rule that has something to say: its name (`rule`), `text`,
        `forecast` (None, or an interval of accuracy in [0, 1]), `remedies`, and `of` which classes
        the forecast is.  `update_["advice"]` has the same of what was learnt; docs/advice.md lists
        the rules.
        """
        before, learner = dict(self.__dict__), getattr(self, "learner_", None)
        how = None if learner is None else learner.how
        try:
            chunk, labels = self._labelled(X, y)
            self._fit_in(chunk)
            beside = None if auxiliary is None else self._records(auxiliary)
            if beside is not None:
                self._reconsider(auxiliary=True)
            known, recalls = len(self.classes_), judging.recalls(self)
            self.classes_ = self._labels(labels, None)
            task = self._task(chunk, self._columns(labels), known, beside)
            return self._advice(task, chunk.seen, recalls)
        finally:
            self.__dict__.clear()
            self.__dict__.update(before)
            if learner is not None and how is not None:
                learner.how = how

    def _advice(
        self, task: Task, seen: Seen, recalls: Sequence[float | None] | None
    ) -> list[dict[str, Any]]:
        """What to expect of a task, and what the model's first inputs look like, if this is it."""
        if task.total == task.old and len(task) < FEW:
            return []  # a stream of single samples has no time for it
        now = looks.look(task.records, seen, len(task.classes))
        if not self.tasks_:
            self.began_ = now
        found = [advice.plain() for advice in advise(facts.gather(self, task, now, recalls))]
        if self._tell is not None:
            self._tell(found)
        return found

    def remember(self, X: Any, y: Any = None) -> "GrowingClassifier":
        """Keep a few samples of classes known already, without training on them.

        They go into the method's memory (or its sums), with the answers that the network gives to
        them now. After `adopt` this is how samples of the network's own classes come in; 20 of each
        class help most.  X, y: as for `partial_fit`.

        A call that fails leaves the model as it was.  Raises DataError for labels that are new,
        SettingError where the method keeps nothing of its samples.
        """
        self._fitted()
        with self._all_or_nothing():
            chunk, labels = self._labelled(X, y)
            new = set(labels.tolist()) - set(self.classes_.tolist())
            if new:
                raise DataError(
                    f"remember takes samples of classes that are known, and {min(new)!r} is not "
                    "one; new classes are learnt by partial_fit."
                )
            self._fit_in(chunk)
            self._reconsider(remembered=True)
            records = self._checked(chunk)
            self.net_.inputs.fix(records)
            total = len(self.classes_)
            task = Task(records, self._columns(labels), total, total, self.tasks_, False)
            with self._changing():
                self.learner_.remember(task)
                self.learner_.done()
        return self

    def _labelled(self, X: Any, y: Any) -> tuple[Chunk, np.ndarray]:
        if getattr(self, "predicts_only_", False):
            raise SettingError(
                "this model was loaded with learning=False: load it whole to learn on."
            )
        chunk = self._chunk(X, y, reset=not hasattr(self, "prepare_"))
        if chunk.labels is None:
            raise DataError(
                "requires y to be passed, but the target y is None: "
                "give labels, or data that holds them."
            )
        return chunk, chunk.labels

    def _fit_in(self, chunk: Chunk) -> None:
        """Begin with data like this, or see that it fits what has begun."""
        if not hasattr(self, "net_"):
            self._start(chunk)
        elif self.prepare_ is None:
            self.prepare_ = self._form(chunk)
        else:
            self._check(chunk)
            self._follow()
            prepare.note_unseen(self.prepare_, chunk)

    def _learn(
        self, X: Any, y: Any, classes: Iterable[Any] | None, auxiliary: Any = None
    ) -> "GrowingClassifier":
        began = time.perf_counter()
        chunk, labels = self._labelled(X, y)
        self._fit_in(chunk)
        beside = None if auxiliary is None else self._records(auxiliary)
        if beside is not None:
            self._reconsider(auxiliary=True)
        self.heldout_ = self.heldout_.keep(judging.most_kept(self))
        before = judging.recalls(self)
        known, self.classes_ = len(self.classes_), self._labels(labels, classes)
        columns = self._columns(labels)
        learn, rows = judging.apart(self, chunk, columns)
        task = self._task(learn, columns[rows], known, beside)
        columns, old, total = task.y, task.old, task.total
        advice = self._advice(task, chunk.seen, before)
        notes = self._run(task)
        counts = np.bincount(columns.numpy(), minlength=total)
        counts[:old] += self.counts_
        self.counts_ = counts
        self.tasks_ += 1
        self.update_ = {
            "task": self.tasks_,
            "samples": len(labels),
            "held_back": len(labels) - len(columns),
            "old_classes": self.classes_[:old].tolist(),
            "new_classes": self.classes_[old:].tolist(),
            "method": self.method_,
            "backbone": self.backbone_,
            "reason": self.reason_,
            "advice": advice,
            "warnings": [*self._notes(chunk), *notes, *self._warnings(beside is not None)],
            "skipped": len(chunk.skipped),
            "seconds": time.perf_counter() - began,
            "before": before,
            "report": None,
        }
        return self

    def _task(self, learn: Chunk, columns: torch.Tensor, old: int, beside: Records | None) -> Task:
        """What there is to learn; `classes_` has its new ones already, `old` were there before."""
        assert self.prepare_ is not None
        records = self.net_.backbone.records(learn, self.prepare_)
        self.net_.inputs.fix(records)
        total = len(self.classes_)
        boundary = self.boundary == "task" or total > old
        return Task(records, columns, old, total, self.tasks_, boundary, beside)

    def assess(self) -> dict[str, Any]:
        """What the last update did, from samples that were not learnt; kept in `update_["report"]`.

        Mean recalls of old classes before and after, of new ones and all, by class, with margins;
        which old classes lost most and what they were taken for; the confusion; calibration. See
        `outcome.report`. Closed-form methods judge the rows that they keep, each left out in turn;
        others what `validation` held back. Old classes before the update are known where the model
        could be judged then, at no cost or because `validation` asks for it.
        Raises SettingError where nothing was held back.
        """
        self._fitted()
        report = judging.report(self) if self.update_ else None
        if report is None:
            raise SettingError(
                "there are no samples to judge the last update by: let validation=20 hold some "
                "back before learning, or use score(X, y) with samples of your own."
            )
        self.update_ = self.update_ | {"report": report}
        return report

    def _run(self, task: Task) -> list[str]:
        """Let the method learn the task.  Returns what the user should know of the machine."""
        learner = self.learner_
        with self._changing(), featuredisk.opened(self) as notes:
            learner.checkpoints = Unsaved() if learner.draws else self._checkpoints
            if task.total > task.old:
                learner.grow(task.old, task.total)
            seed = learner.rng("global").initial_seed() if learner.draws else 0
            with isolated(seed) if learner.draws else nullcontext():
                loop.run(learner, task)
            learner.done()
        return notes

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """The method may change what it remembers; whatever stops it brings everything back."""
        learner = self.learner_
        learner.rng.begin(self.tasks_)
        learner.watch = progress.for_terminal()
        learner.watched = not isinstance(learner.watch, progress.Silent)
        restore = learner.snapshot()
        try:
            yield
        except BaseException:
            restore()
            raise
        finally:
            learner.optimizer, learner.checkpoints = None, Unsaved()
            learner.watch.close()

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        before = dict(self.__dict__)
        try:
            yield
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def _start(self, chunk: Chunk) -> None:
        """Choose and build the network and the method for data like this."""
        kind = backbones.kind(chunk.seen)
        self.body_, self.backbone_ = self._backbone(kind)
        self.prepare_ = self._form(chunk)
        body = self.body_.build(self.prepare_, Generators(self._seed())("backbone"))
        self.net_ = Network(body, self.body_.inputs(self.prepare_)).eval()
        self.classes_, self.counts_ = np.array([]), np.zeros(0, int)
        self.tasks_, self.adopted_, self.heldout_ = 0, 0, heldout.nothing()
        if chunk.kind == "table" and not hasattr(
            self, "n_features_in_"
        ):  # not through scikit-learn
            self.n_features_in_ = chunk.seen.shape[0]
            if chunk.seen.names:
                self.feature_names_in_ = np.array(chunk.seen.names, dtype=object)
        self._choose_method(kind)
        if body.pretrained and chunk.kind == "image" and self.learner_.needs_fixed:
            size = self.prepare_["height"], self.prepare_["width"]
            self.net_.precision = precision.choose(self.net_, self.precision, size)
        if self.prepare_.get("encode"):
            self.reason_ += f"; {columns.in_words(self.prepare_['encode'])}"

    def _form(self, chunk: Chunk) -> dict[str, Any]:
        """The canonical form of inputs, of a model that begins with data like this."""
        return prepare.fitted(self.body_.prepare(chunk.seen, self.image_size), chunk)

    def _backbone(self, kind: str) -> tuple[Backbone, str]:
        given = self.backbone
        if isinstance(given, Backbone):
            return given, backbones.name_of(given)
        if isinstance(given, str):
            name = resolve(given, "", kind).backbone
            return backbones.get(name), name
        if isinstance(given, nn.Module) or callable(given):
            from .backbones.own import Own

            return Own(given), "own"
        raise SettingError(
            f"backbone={given!r}: a name ({', '.join(e.name for e in backbones.ENTRIES)}), "
            "an nn.Module that gives "
            "(n, width) features, or a callable that builds one."
        )

    def _reconsider(self, remembered: bool = False, auxiliary: bool = False) -> None:
        """A network trained elsewhere has learnt nothing yet, and "auto" may have better to do."""
        if self.adopted_ and not self.tasks_ and self.method == "auto" and self.method_ == ALONE:
            assert self.prepare_ is not None
            self._choose_method(self.prepare_["kind"], remembered, auxiliary)

    def _choose_method(self, kind: str, remembered: bool = False, auxiliary: bool = False) -> None:
        body = self.net_.backbone
        trains = body.trains and not body.pretrained and self.freeze is not True
        given = "given" if isinstance(self.method, Method) else self.method
        if not isinstance(given, str):
            raise SettingError(
                f"method={given!r}: a name, 'package.module:Class' or a Method object."
            )
        asked = self.backbone if isinstance(self.backbone, str) else "own"
        elsewhere = Adopted(remembered, auxiliary) if self.adopted_ else None
        choice = resolve(asked, given, kind, trains, elsewhere)
        if isinstance(self.method, Method):
            self.learner_, self.method_ = self.method.fresh(), methods.name_of(self.method)
        else:
            self.learner_, self.method_ = methods.get(choice.method), choice.method
        self.reason_ = choice.reason
        self._attach()

    def _attach(self) -> None:
        rng = Generators(self._seed())
        self.net_.to(_device(self.device))
        self.learner_.attach(self.net_, self._training(rng), rng)

    def _training(self, rng: Generators) -> loop.Training:
        names = {f.name for f in fields(loop.Training)} - {"augment", "autocast"}
        shared = {name: getattr(self, name) for name in names}
        hook = None if self.augment is None else Seeded(self.augment, rng)
        return loop.Training(**shared, augment=hook, autocast=_precision(self.precision))

    def _follow(self) -> None:
        """Take over settings that changed since the last task; refuse those that may not."""
        learner = self.learner_
        how = self._training(learner.rng)
        if how != learner.how:
            learner.how = how
        if isinstance(self.method, Method):
            if type(self.method) is not type(learner):
                raise SettingError(
                    f"this model learns by {self.method_}, "
                    f"and method={self.method!r} is another one; "
                    "change_method() says what can be taken along and changes it."
                )
            if self.method.settings() != learner.settings():
                self._replace(self.method.fresh())
        elif methods.canonical(self.method) not in ("auto", self.method_):
            raise SettingError(
                f"this model learns by {self.method_}, not {self.method}; "
                "change_method() says what can be taken along and changes it."
            )

    def _replace(self, fresh: Method) -> None:
        """Go on with a method of the same kind and other settings."""
        remembered = self.learner_.state()
        self.learner_ = fresh
        self._attach()
        fresh.fill(remembered)

    def change_method(self, method: Any) -> list[str]:
        """Go on learning by another method.  Returns what could not be taken along, in words.

        Between methods that train the network: memories of the same name are taken along. Between
        closed-form methods: the sums are. From one kind to the other nothing can be, and it is
        refused (SettingError).
        """
        self._fitted()
        fresh = method.fresh() if isinstance(method, Method) else methods.get(method)
        old = self.learner_
        if fresh.needs_fixed != old.needs_fixed:
            raise SettingError(
                f"{self.method_} and {methods.name_of(fresh)} know classes in different ways "
                "(by sums, by weights): "
                "nothing of one helps the other; begin a new model with all the data instead."
            )
        with self._all_or_nothing():
            return self._change_method(old, fresh, method)

    def _change_method(self, old: Method, fresh: Method, asked: Any) -> list[str]:
        remembered, lost = old.state(), []
        self.learner_, self.method_ = fresh, methods.name_of(fresh)
        self.method, self.reason_ = asked, "as asked for"
        self._attach()
        mine = fresh.state()
        kinds = [{name: type(value) for name, value in s.items()} for s in (mine, remembered)]
        if fresh.needs_fixed and kinds[0] != kinds[1]:
            raise SettingError(
                f"{self.method_} adds up other sums than {methods.name_of(old)}: nothing of one "
                "helps the other; begin a new model with all the data instead."
            )
        for name in list(remembered):
            same = name in mine and type(mine[name]) is type(remembered[name])
            if not same and remembered[name] not in (None, {}):
                lost.append(f"{methods.name_of(old)}'s {name}")
            if not same:
                del remembered[name]
        fresh.fill(remembered)
        return lost

    # -- labels and inputs -------------------------------------------------------------------------

    def _labels(self, y: np.ndarray, classes: Iterable[Any] | None) -> np.ndarray:
        """classes_ once this chunk is learnt: what was known, then new labels, sorted."""
        arriving = (
            y if classes is None else np.concatenate([y, sources.clean_labels(list(classes))])
        )
        known = getattr(self, "classes_", np.array([]))
        found = np.unique(arriving) if len(arriving) > 1 else arriving
        if not len(known):
            return found if found.dtype != object else np.array(found.tolist())
        if (found.dtype.kind in "iu") != (known.dtype.kind in "iu"):
            kinds = {True: "int", False: "str"}
            raise DataError(
                f"labels are {kinds[found.dtype.kind in 'iu']}, but this model was started with "
                f"{kinds[known.dtype.kind in 'iu']} labels; pass labels of the same kind."
            )
        index = self._index()
        new = [label for label in found.tolist() if label not in index]
        return np.concatenate([known, np.array(new)]) if new else known

    def _index(self) -> dict[Any, int]:
        cached = getattr(self, "_columns_by_label", None)
        if cached is None or cached[0] is not self.classes_:
            labels = {label: j for j, label in enumerate(self.classes_.tolist())}
            cached = self._columns_by_label = (self.classes_, labels)
        return cached[1]

    def _columns(self, y: np.ndarray) -> torch.Tensor:
        """(n,) columns of labels, -1 for those that the model does not know."""
        index = self._index()
        if len(y) == 1:
            return torch.tensor([index.get(y.tolist()[0], -1)])
        found, inverse = np.unique(y, return_inverse=True)
        columns = np.array([index.get(label, -1) for label in found.tolist()], dtype=np.int64)
        return torch.from_numpy(columns[inverse])

    def _chunk(self, X: Any, y: Any = None, *, reset: bool = False, labels: bool = True) -> Chunk:
        if isinstance(X, Chunk):
            return X
        own = self._own()
        frame = hasattr(X, "columns")
        labelled = frame and labels and y is None  # it holds its labels
        mixed = self._mixed() or (frame and _missing(X))
        if not own and _tabular(X) and not labelled and not mixed:
            X = self._table(X, reset)
        return sources.read(X, y, own=own, need_labels=labels)

    def _table(self, X: Any, reset: bool) -> np.ndarray:
        """scikit-learn's own checks, passed by when there is nothing to find."""
        clean = (
            isinstance(X, np.ndarray)
            and X.dtype == np.float32
            and X.ndim == 2
            and not reset
            and not hasattr(self, "feature_names_in_")
            and X.shape[1] == getattr(self, "n_features_in_", -1)
            and len(X) > 0
        )
        if clean and np.isfinite(X.sum()):
            return X  # type: ignore[no-any-return]
        return validate_data(self, X, reset=reset, dtype=np.float32, ensure_all_finite=True)  # type: ignore[no-any-return]

    def _mixed(self) -> bool:
        """Whether it reads tables of several kinds of columns."""
        return "encode" in (getattr(self, "prepare_", None) or {})

    def _own(self) -> bool:
        """Whether it stands on a module of the user's."""
        body = getattr(self, "body_", self.backbone)
        return body.wraps if isinstance(body, Backbone) else not isinstance(body, str)

    def _right(self, chunk: Chunk) -> np.ndarray:
        """(n,) whether each answer is right; labels never learnt are wrong."""
        assert chunk.labels is not None
        answers = self._scores(self._checked(chunk)).argmax(1)
        return answers.eq(self._columns(chunk.labels)).numpy()

    def _notes(self, chunk: Chunk) -> list[str]:
        return [*chunk.notes, *self.net_.backbone.notes(chunk)]

    def _warnings(self, auxiliary: bool) -> list[str]:
        """What a user would want to know before trusting this update."""
        found = self.learner_.warnings()
        if auxiliary and not self.learner_.uses_auxiliary:
            line = f"{self.method_} has no use for auxiliary inputs; they were passed over."
            return [line, *found]
        return found

    # -- answering ---------------------------------------------------------------------------------

    def decision_function(self, X: Any) -> np.ndarray:
        """(n, classes) scores, two classes included; -inf for classes announced and never seen."""
        return self._scores(self._records(X)).numpy()

    def predict_proba(self, X: Any) -> np.ndarray:
        """(n, classes) probabilities in [0, 1], rows sum to 1, columns as in `classes_`."""
        scores = self._scores(self._records(X)).double()
        return self.learner_.probabilities(scores).numpy()

    def predict(self, X: Any, reject: float | None = None) -> np.ndarray:
        """(n,) labels. reject: answer None where the best probability is below it, in [0, 1]."""
        if reject is None:
            best = self._scores(self._records(X)).argmax(1).numpy()
            return self.classes_[best]  # type: ignore[no-any-return]
        shares = self.predict_proba(X)
        labels = self.classes_[shares.argmax(1)].astype(object)
        labels[shares.max(1) < reject] = None
        return labels  # type: ignore[no-any-return]

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Accuracy in [0, 1]; y may be None where X has labels; unlearnt labels count as wrong."""
        self._fitted()
        chunk = self._chunk(X, y)
        if chunk.labels is None:
            raise DataError("score needs labels: pass y, or data that holds them.")
        return float(np.average(self._right(chunk), weights=sample_weight))

    def transform(self, X: Any) -> np.ndarray:
        """(n, width) features, float32: what the head sees."""
        records = self._records(X)
        return torch.cat([self.net_.steady(x).cpu() for x in self._blocks(records)]).numpy()

    def layer_scores(self) -> dict[str, float]:
        """How well each layer's features tell the classes apart: mean recall in [0, 1], by layer.

        For a backbone that joins several (`layers=`) under a method that adds up sums. The sums of
        each layer are part of the joined ones, so nothing is computed anew: LDA is solved from them
        and judges kept rows, each left out. Early layers that do nearly as well as the last say
        that the network was trained for something else; "all" is what joining them gives.
        Raises SettingError for other models.
        """
        self._fitted()
        sums, parts = (
            getattr(self.learner_, "sums", None),
            getattr(self.net_.backbone, "parts", None),
        )
        if not isinstance(sums, FeatureStatistics) or not parts or sums.width != self.net_.width:
            raise SettingError(
                "layer_scores needs a backbone of several layers (efficientnet_lite0, or timm:... "
                "with layers=) under lda, ridge or ncm."
            )
        starts = np.cumsum([0, *(width for _, width in parts)])
        found = {
            name: solve.lda(sums.of(int(start), width)).judged.macro
            for (name, width), start in zip(parts, starts, strict=False)
        }
        return found | {"all": solve.lda(sums).judged.macro}

    def _records(self, X: Any) -> Records:
        self._fitted()
        return self._checked(self._chunk(X, labels=False))

    def _checked(self, chunk: Chunk) -> Records:
        if self.prepare_ is None:  # a network trained elsewhere that has not learnt anything here
            form = self._form(chunk)
            return self.net_.backbone.records(chunk, form)
        self._check(chunk)
        return self.net_.backbone.records(chunk, self.prepare_)

    def _check(self, chunk: Chunk) -> None:
        assert self.prepare_ is not None
        prepare.check(self.prepare_, chunk, not self.net_.backbone.any_size)

    def _blocks(self, records: Records) -> Iterator[torch.Tensor]:
        """Canonical tensors, 256 rows at a time, what is to be decoded ahead."""
        parts = torch.arange(len(records)).split(256)
        return (x for _, x in fetched(records, parts, self.num_workers, self.net_.device))

    @torch.no_grad()
    def _scores(self, records: Records) -> torch.Tensor:
        scores = torch.cat([self.learner_.scores(x).float().cpu() for x in self._blocks(records)])
        unseen = torch.from_numpy(self.counts_ == 0)
        unseen[: self.adopted_] = False
        return scores.masked_fill_(unseen, -torch.inf) if unseen.any() else scores

    # -- on disk -----------------------------------------------------------------------------------

    def save(self, path: str | Path, gate: float | None = None) -> int:
        """Write a new version into the model folder (made if need be); returns its number.

        gate: percentage points of mean recall that the last update may cost the old classes; if it
            costs more, or leaves a new class below half of the mean recall, GateError is raised and
            nothing written.
        Raises ModelError if the path is something else, LockedError while another process writes.
        """
        self._fitted()
        if getattr(self, "predicts_only_", False):
            raise SettingError(
                "this model was loaded with learning=False: load it whole to save it."
            )
        if gate is not None:
            judging.gate(self, gate)
        folder = ModelFolder(path)
        with folder.writer():
            return folder.commit(**saving.parts(self))

    @classmethod
    def adopt(
        cls,
        network: nn.Module,
        classes: Sequence[Any],
        head: str | None = None,
        *,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        **parameters: Any,
    ) -> "GrowingClassifier":
        """Go on with a network trained elsewhere: its outputs become the first columns, unchanged.

        network: any nn.Module that ends in a linear layer (the last one with len(classes) outputs,
            or the one named by `head`); it is copied.  classes: a label for each output, in their
            order.
        mean, std: of images by channel, if it was trained on normalised images: then pass images as
            uint8.
        parameters: of GrowingClassifier. Float arrays are given to the network as they are.

        Before anything is learnt, predictions equal the network's own.  Raises SettingError,
        DataError.
        """
        from .backbones.own import Own, find_head

        labels = _distinct(classes)
        name = find_head(network, len(labels), head)
        own = Own(
            network, name, *(None if v is None else [float(a) for a in v] for v in (mean, std))
        )
        model = cls(backbone=own, **parameters)
        model._adopt(own, own.headless(network), network.get_submodule(name), labels)
        return model

    @classmethod
    def adopt_by_name(
        cls, network: nn.Module, classes: Sequence[Any], backbone: str, **parameters: Any
    ) -> "GrowingClassifier":
        """As `adopt`, for timm ("timm:resnet18"): its folder loads without your code."""
        from .backbones.own import find_head
        from .backbones.pretrained import Timm

        body = backbones.get(backbone)
        if not isinstance(body, Timm):
            raise SettingError(
                f"backbone={backbone!r}: networks trained elsewhere go by timm:<network>."
            )
        labels = _distinct(classes)
        name = find_head(network, len(labels))
        model = cls(backbone=backbone, **parameters)
        form = model.prepare_ = body.prepare(Seen("image", channels=3), model.image_size)
        trained = body.trained(network, name, form)
        model._adopt(body, trained, network.get_submodule(name), labels)
        return model

    def _adopt(self, settings: Backbone, body: Body, layer: Any, labels: np.ndarray) -> None:
        """Begin with this body, and with this layer's rows as the first columns."""
        self.body_, self.backbone_ = settings, backbones.name_of(settings)
        form: dict[str, Any] | None = getattr(self, "prepare_", None)
        self.prepare_ = form
        self.net_ = Network(body, settings.inputs(form or {})).eval()
        bias = torch.zeros(len(labels)) if layer.bias is None else layer.bias.data
        self.net_.head.extend(layer.weight.data, bias)
        self.classes_, self.counts_ = np.array(labels.tolist()), np.zeros(len(labels), int)
        self.tasks_, self.adopted_, self.update_ = 0, len(labels), {}
        self.heldout_ = heldout.nothing()
        self._choose_method("image")

    # -- scikit-learn ------------------------------------------------------------------------------

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "classes_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []  # features are float32 whatever comes
        return tags

    def _fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            raise _NotFitted(
                "This GrowingClassifier instance is not fitted yet: "
                "nothing was learnt; call partial_fit(X, y) first."
            )

    def _seed(self) -> int:
        return int(self.random_state or 0)


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
    stored = ModelFolder(path).read(version, learning)
    return saving.restore(GrowingClassifier, stored, backbone, method, learning)


def _distinct(classes: Sequence[Any]) -> np.ndarray:
    """A label for each output of a network, all different."""
    labels = sources.clean_labels(list(classes))
    if len(set(labels.tolist())) != len(labels):
        raise DataError("classes: each output needs a label of its own, and some came twice.")
    return labels


def _tabular(X: Any) -> bool:
    """Whether X is a table of numbers, for scikit-learn's checks; all else is for `sources`."""
    if isinstance(X, np.ndarray | torch.Tensor):
        return X.ndim <= 2 and not (isinstance(X, np.ndarray) and _texts(X))
    if isinstance(X, list | tuple):
        return not X or isinstance(X[0], int | float | list | tuple | np.number)
    if hasattr(X, "dtypes") and hasattr(X, "columns"):
        return all(getattr(t, "kind", "O") in "iufb" for t in X.dtypes)
    return hasattr(X, "toarray")  # sparse: refused there, in scikit-learn's words


def _texts(X: np.ndarray) -> bool:
    """Whether an array holds texts, or objects of which the first is one."""
    if X.dtype == object:
        return X.ndim == 1 and len(X) > 0 and isinstance(X[0], str)
    return bool(X.dtype.kind in "US")


def _missing(frame: Any) -> bool:
    """Whether a cell of a data frame of pandas is missing."""
    return hasattr(frame, "isna") and bool(frame.isna().to_numpy().any())


@cache
def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.zeros((), device=name).device
    except (RuntimeError, AssertionError) as error:
        raise SettingError(f"device={name!r} cannot be used here: {error}") from None


def _precision(name: str) -> torch.dtype | None:
    known = {"auto": None, "float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}
    if name not in known:
        raise SettingError(f"precision={name!r}: one of {', '.join(known)}.")
    return known[name]
