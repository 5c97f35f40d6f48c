"""What a benchmark is run on: a scenario by name, or data of one's own and how it is cut."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..data.dataset import Chunk
from ..data.readers import idx
from ..data.source import Source
from ..errors import DataError, SettingError
from ..model import options
from . import benchmark_data, scenario_catalogue
from .benchmark_data import BenchmarkData
from .scenario_catalogue import Entry
from .task_streams import Cut


@dataclass(frozen=True)
class Subject:
    """A scenario and the data that it is made of.

    given: the name of a scenario, or data of your own: whatever `sources.read` takes, or a Source.
    changes: fields of `scenarios.Cut` by name; of data of your own, `classes_per_task` at least.
    test: data to test on, beside data of your own; without, a share is held out by seed.
    place: where the data of a named scenario lies, if not where it is looked for.
    domains: (n,) that of each sample of data of your own, str or int: then each is a task; with
        `test`, a pair of such.
    """

    given: Any
    changes: Mapping[str, Any] = field(default_factory=dict)
    test: Any = None
    place: str | Path | None = None
    domains: Any = None

    def load(self) -> BenchmarkData:
        """The data.  Raises DataError."""
        entry = self._entry()
        if entry is not None:
            return benchmark_data.load(entry.data, self.place)
        test = None if self.test is None else Source.of(self.test).read()
        train = Source.of(self.given).read()
        if self.domains is None:
            return BenchmarkData(train, test)
        pair = (self.domains, None) if test is None else self.domains
        return BenchmarkData(
            train, test, _each(pair[0], train), None if test is None else _each(pair[1], test)
        )

    def cut(self) -> Cut:
        """How the data is cut.  Raises SettingError where nobody said it."""
        entry = self._entry()
        if entry is not None:
            return replace(entry.cut, **self.changes)
        if self.domains is None and not {"classes_per_task", "conditions"} & set(self.changes):
            raise SettingError(
                "data of your own is cut into tasks of so many classes, and nobody said how many; "
                "add --classes-per-task 2."
            )
        return Cut(**self.changes)

    def name(self, data: BenchmarkData) -> str:
        """What tables call it: its name, or `photos-5x2`; and how else it is cut.

        >>> digits = Subject("digits-5x2", {"blurry": 0.2})
        >>> digits.name(digits.load())
        'digits-5x2 blurry=0.2'
        """
        entry, cut = self._entry(), self.cut()
        plain = Cut(cut.classes_per_task) if entry is None else entry.cut
        name = _named(_path(self.given), cut, data) if entry is None else entry.name
        values = {f.name: (getattr(cut, f.name), getattr(plain, f.name)) for f in fields(Cut)}
        changed = [f"{key}={_word(now)}" for key, (now, before) in values.items() if now != before]
        return " ".join([name, *changed])

    def _entry(self) -> Entry | None:
        """The named scenario; None for data of one's own.  SettingError: it is neither."""
        path = _path(self.given)
        if path is None:
            return None
        named = scenario_catalogue.REGISTRY.named(str(path)) is not None
        there = path.expanduser().exists() or idx.find_pair(path.expanduser()) is not None
        return None if there and not named else scenario_catalogue.find(str(path))


def changes(words: Sequence[str]) -> dict[str, Any]:
    """Fields of `scenarios.Cut` from `key=value` words.  Raises SettingError.

    >>> changes(["first=4", "conditions=as it is,dark"])
    {'first': 4, 'conditions': ('as it is', 'dark')}
    """
    return options.parse("--cut", options.settings_of(Cut), options.pairs(words, "--cut"))


def _each(domains: Any, chunk: Chunk) -> np.ndarray:
    """(n,) the domain of each sample.  Raises DataError where there are more or fewer."""
    each = np.asarray(domains)
    if each.shape != (len(chunk),):
        raise DataError(
            f"domains: expected one for each of {len(chunk)} samples, got shape {each.shape}; "
            "with a test part, give a pair, one for each part."
        )
    return each


def _path(subject: Any) -> Path | None:
    data = Source.of(subject).data
    return Path(data) if isinstance(data, str | Path) else None


def _named(path: Path | None, cut: Cut, data: BenchmarkData) -> str:
    """The name of the file or folder, tasks, and classes a task."""
    assert data.train.labels is not None
    stem = "data" if path is None else path.expanduser().resolve().stem
    if cut.conditions or data.domains is not None:
        tasks = cut.conditions if data.domains is None else set(data.domains.tolist())
        return f"{stem}-{len(tasks)} domains"
    later = len(set(data.train.labels.tolist())) - (cut.first or cut.classes_per_task)
    return f"{stem}-{1 + -(-max(later, 0) // cut.classes_per_task)}x{cut.classes_per_task}"


def _word(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else f"{value}"
