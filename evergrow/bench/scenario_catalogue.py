"""Scenarios by name, as plain data: the data of each, and how it is cut."""

from typing import NamedTuple

from ..registry import Registry
from .task_streams import Cut


class Entry(NamedTuple):
    """A scenario: its name, the name of its data, how that is cut, and what it is in a line."""

    name: str
    data: str
    cut: Cut
    line: str


DOMAINS = ("as it is", "turned", "inverted", "dark", "noisy")
# fmt: off
ENTRIES = (
    Entry("digits-5x2", "digits", Cut(2), "Digits of 8 x 8 pixels, 5 tasks of 2 classes."),
    Entry("digits-first6", "digits", Cut(2, first=6), "6 digits at first, then 2 at a time."),
    Entry("digits-online", "digits", Cut(2, batch=10), "5 tasks of 2, one pass, 10 at a time."),
    Entry("digits-single", "digits", Cut(2, batch=1), "5 tasks of 2, one sample at a time."),
    Entry("digits-blurry", "digits", Cut(2, blurry=0.1), "A tenth of each class in other tasks."),
    Entry("digits-return", "digits", Cut(2, returning=0.5), "Half of each class comes later."),
    Entry("digits-longtail", "digits", Cut(2, imbalance=50), "The largest class 50 x the last."),
    Entry("digits-domain", "digits", Cut(conditions=DOMAINS), "All digits, 5 conditions in turn."),
    Entry("mnist-5x2", "mnist", Cut(2), "5,000 images of MNIST, 5 tasks of 2."),
    Entry("fashion-mnist-5x2", "fashion-mnist", Cut(2), "Fashion-MNIST, 5 tasks of 2."),
    Entry("fashion-mnist-10x1", "fashion-mnist", Cut(1), "Fashion-MNIST, one class at a time."),
    Entry("fashion-mnist-online", "fashion-mnist", Cut(2, batch=10), "One pass, 10 at a time."),
    Entry("fashion-mnist-blurry", "fashion-mnist", Cut(2, blurry=0.1),
          "A tenth of each class in other tasks."),
    Entry("fashion-mnist-longtail", "fashion-mnist", Cut(2, imbalance=100),
          "The largest class 100 times the smallest."),
    Entry("fashion-mnist-domain", "fashion-mnist", Cut(conditions=DOMAINS),
          "All classes, 5 conditions in turn."),
    Entry("letter-13x2", "letter", Cut(2), "Letters, 16 numbers each, 13 tasks of 2."),
    Entry("clipart-13x3", "clipart", Cut(3), "Clip art in colour, 39 classes, 13 tasks of 3."),
)
# fmt: on
REGISTRY = Registry(
    "scenario",
    ENTRIES,
    nor=", nor a folder or file of that name",
    otherwise="; or name data of your own, with --classes-per-task",
)


def find(name: str) -> Entry:
    """A scenario by its name.  Raises SettingError, naming all there are.

    >>> find("digits-5x2").cut.classes_per_task
    2
    """
    entry = REGISTRY.named(name)
    if entry is None:
        raise REGISTRY.unknown(name)
    return entry
