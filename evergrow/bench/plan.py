"""What a benchmark has to run: a row for each method and seed, the floor and the ceiling beside."""

import hashlib
import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import methods as names
from ..data.dataset import Chunk, Frame
from ..errors import SettingError
from ..model import configure, options, update
from ..model.classifier import GrowingClassifier
from ..model.model import Model
from ..model.options import How
from ..model.parameters import OBJECTS
from ..storage import environment
from ..storage.plain_json import plain
from .benchmark_data import BenchmarkData
from .task_streams import Cut

FLOOR, CEILING = "finetune", "joint"  # rows that stand in every table
ROLES = {FLOOR: "floor", CEILING: "ceiling"}
TRAINED = {"image": "convnet"}  # in place of a backbone that does not train; mlp for other kinds
USUAL = {"validation": 0}  # unless told else: every training sample is learnt
STREAMED = {"epochs": 1, "boundary": "new classes"}  # what a stream asks for besides
PLACED = (*OBJECTS, "device", "random_state")  # parameters that are not of training


@dataclass(frozen=True)
class Job:
    """One row to be made, but for its seed.

    scenario: its name.  how: what makes the classifier, method and backbone named in it.
    row: what defines it, as the columns of its row say it.  form: what inputs are brought to.
    trains: whether lr matters.
    """

    scenario: str
    cut: Cut
    how: How
    row: Mapping[str, Any]
    form: dict[str, Any]
    tune: bool = False
    trains: bool = True

    @property
    def name(self) -> str:
        return f"{self.row['method']} on {self.row['backbone']}"

    def classifier(self, seed: int, lr: float | None = None) -> GrowingClassifier:
        """A classifier that has learnt nothing."""
        settings = dict(self.how.settings) | {"random_state": seed}
        if lr is not None:
            settings["lr"] = lr
        parameters = configure.new(replace(self.how, settings=settings))
        return GrowingClassifier(**dict(parameters.items()))

    def key(self, seed: int) -> str:
        """A name made of all that defines the row: rows of one key are one row."""
        code = code_of(self.row["method"])
        parts = [
            dict(self.row),
            asdict(self.cut),
            self.tune,
            seed,
            environment.version("evergrow"),
            code,
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class PlanRequest:
    """What to compare.

    scenario: its name in the table.  data, cut: what it is made of.  methods: their names.
    how: settings of the classifier, backbone included; and words, each for the methods that have
    such a setting, for the backbone (`backbone.key=value`), or for training.
    """

    scenario: str
    data: BenchmarkData
    cut: Cut
    methods: Sequence[str] = ("auto",)
    how: How = How()
    tune: bool = False


def plan(asked: PlanRequest) -> list[Job]:
    """A job for each method, then the floor and the ceiling, on the backbone that was asked for.

    Where that does not train, floor and ceiling have one that does: convnet for images, mlp for all
    else. On a stream the ceiling learns whole tasks, and as many epochs as it would elsewhere.

    Raises SettingError for a method, a backbone or a word that is not known.
    """
    if asked.tune and "lr" in {*asked.how.settings, *options.pairs(asked.how.words)}:
        raise SettingError("--tune chooses the learning rate, and one was given; leave --lr out.")
    methods = list(dict.fromkeys(map(names.canonical, asked.methods)))
    own = {m: _settings(m) for m in methods}
    content = data_fingerprint(asked.data)
    jobs = []
    for method in [*methods, *(m for m in ROLES if m not in methods)]:
        theirs = set().union(*own.values()) - own.get(method, _settings(method))
        words = [w for w in asked.how.words if w.partition("=")[0] not in theirs]
        how, cut = _streamed(method, asked.cut, asked.how)
        mine = How({**how.settings, "method": method}, words)
        jobs.append(_job(replace(asked, cut=cut, how=mine), content, method not in methods))
    return jobs


def _settings(method: str) -> set[str]:
    return set() if method == "auto" else set(options.settings_of(type(names.get(method))))


def _streamed(method: str, cut: Cut, how: How) -> tuple[How, Cut]:
    """How a method learns a stream; the ceiling is given whole tasks."""
    if method == CEILING:
        cut = replace(cut, batch=0)
    named = set(how.settings) | set(options.pairs(how.words))
    usual = USUAL | (STREAMED if cut.batch else {})
    defaults = {name: value for name, value in usual.items() if name not in named}
    return replace(how, settings={**defaults, **how.settings}), cut


def _job(asked: PlanRequest, content: str, beside: bool) -> Job:
    """beside: a row that nobody asked for, which must have a backbone that trains."""
    how, model = asked.how, _begun(asked)
    if beside and not model.net.backbone.trains:
        how = _on(TRAINED.get(asked.data.train.kind, "mlp"), how)
        model = _begun(replace(asked, how=how))
    learner = model.learner
    values = dict(model.parameters.items())
    row = {
        "scenario": asked.scenario,
        "data": content,
        "method": model.method_name,
        "settings": plain(learner.settings()),
        "backbone": model.backbone_name,
        "parameters": plain(
            {k: v for k, v in values.items() if k not in PLACED}
            | {"backbone": model.backbone.settings()}
        ),
        "role": ROLES.get(model.method_name),
    }
    trains = not learner.needs_fixed or learner.draws
    if asked.tune and trains:
        row["parameters"]["lr"] = "tuned"
    assert model.schema is not None
    tune = asked.tune and trains
    return Job(asked.scenario, asked.cut, how, row, model.schema, tune, trains)


def _begun(asked: PlanRequest) -> Model:
    """A model that has looked at the data and learnt nothing: its parts have their names."""
    return update.begin(configure.new(asked.how), asked.data.train)


def _on(backbone: str, how: How) -> How:
    """The same on another backbone, without what was said of the one before."""
    settings = {k: v for k, v in how.settings.items() if k != "freeze"} | {"backbone": backbone}
    return How(settings, [w for w in how.words if not w.startswith("backbone.")])


def data_fingerprint(data: BenchmarkData) -> str:
    """A name made of labels and content; of files, of their names and sizes.

    >>> from . import benchmark_data
    >>> one, same = benchmark_data.load("digits"), benchmark_data.load("digits")
    >>> data_fingerprint(one) == data_fingerprint(same)
    True
    """
    digest = hashlib.blake2b(digest_size=8)
    for domains in (data.domains, data.test_domains):
        digest.update(b"" if domains is None else repr(domains.tolist()).encode())
    for chunk in (data.train, data.test):
        if chunk is not None and chunk.labels is not None:
            digest.update(repr(chunk.labels.tolist()).encode())
            for piece in _pieces(chunk):
                digest.update(piece)
    return digest.hexdigest()


def _pieces(chunk: Chunk) -> Iterator[bytes]:
    if isinstance(chunk.store, Frame):
        yield from (repr(row).encode() for row in chunk.take(np.arange(len(chunk))).itertuples())
        return
    values = getattr(chunk.store, "values", None)
    if isinstance(values, np.ndarray) and values.dtype != object:
        for rows in np.array_split(np.arange(len(chunk)), len(chunk) // 4096 + 1):
            yield np.ascontiguousarray(chunk.take(rows)).tobytes()
        return
    for path in (Path(chunk.name(i)) for i in range(len(chunk))):
        size = path.stat().st_size if path.is_file() else 0
        yield f"{path.name} {size}".encode()


def code_of(method: str) -> str | None:
    """A hash of the file that a method of one's own stands in; None for evergrow's."""
    if ":" not in method:
        return None
    module = inspect.getmodule(type(names.get(method)))
    text = inspect.getsource(module) if module else ""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
