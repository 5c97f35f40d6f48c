"""What a command says of how to learn; `key=value` words become settings by the types of fields."""

import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from ..errors import SettingError
from ..registry import meant

TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
SEQUENCES = (tuple, list, Sequence)

Tell = Callable[[list[dict[str, Any]]], None]  # is given advice before training begins


@dataclass(frozen=True)
class How:
    """How to learn.

    settings: parameters of GrowingClassifier by name; of a model that exists, those that change.
    words: settings of the method (`key=value`), backbone (`backbone.key=value`), or parameters.
    again: learn samples once more that the model has learnt.  dry_run: change nothing.
    keep_no_samples: refuse to store raw samples, now and whenever this model learns.
    gate: percentage points of mean recall that the update may cost old classes; None: any.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    words: Sequence[str] = ()
    again: bool = False
    dry_run: bool = False
    keep_no_samples: bool = False
    gate: float | None = None

    def __post_init__(self) -> None:
        if self.gate is not None and not self.gate >= 0:
            raise SettingError(
                f"--gate {self.gate}: points that old classes may lose, 0 or more, as --gate 2.0."
            )


def pairs(words: Iterable[str], option: str = "--set") -> dict[str, str]:
    """`key=value` words by key.  Raises SettingError for a word without "=", or a key given twice.

    >>> pairs(["memory=500", "backbone.filters=400"])
    {'memory': '500', 'backbone.filters': '400'}
    """
    values: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise SettingError(
                f"{option} takes key=value, this is {word!r}; write {option} name=value."
            )
        if key in values:
            raise SettingError(f"{option} names {key!r} twice; name it once.")
        values[key] = value
    return values


def settings_of(cls: type) -> dict[str, Any]:
    """Names and types of a dataclass's fields: what can be set.

    >>> from evergrow.training.loop import Training
    >>> settings_of(Training)["epochs"]
    <class 'int'>
    """
    hints = get_type_hints(cls)
    return {f.name: hints[f.name] for f in fields(cls) if f.init} if is_dataclass(cls) else {}


def parse(what: str, known: Mapping[str, Any], words: Mapping[str, str]) -> dict[str, Any]:
    """Values of settings from words, each read as its type.  what: whose they are, in words.

    Raises SettingError for a name that is not known, listing those that are, or a wrong value.

    >>> parse("method er", {"memory": int, "names": tuple[str, ...]}, {"memory": "500"})
    {'memory': 500}
    """
    for name in words:
        if name not in known:
            others = ", ".join(known) or "none"
            raise SettingError(
                f"{what} has no setting {name!r}{meant(name, known)}; its settings: {others}."
            )
    return {name: value(name, text, known[name]) for name, text in words.items()}


def parse_freeze(text: str) -> bool | str | None:
    """`--freeze`: all of the backbone, nothing, or the name of a layer.

    >>> parse_freeze("all"), parse_freeze("none"), parse_freeze("blocks.2")
    (True, None, 'blocks.2')
    """
    return {"all": True, "none": None}.get(text, text)


def parse_image_size(text: str) -> int | tuple[int, int]:
    """`--image-size`: one side for both, or height x width.

    >>> parse_image_size("64"), parse_image_size("48x64")
    (64, (48, 64))
    """
    sides = text.lower().split("x")
    if not all(side.strip().isdigit() and int(side) > 0 for side in sides) or len(sides) > 2:
        raise SettingError(f"--image-size {text}: expected pixels, as 64 or, height first, 48x64.")
    return int(sides[0]) if len(sides) == 1 else (int(sides[0]), int(sides[1]))


def value(name: str, text: str, hint: Any) -> Any:
    """`text` read as a type; the first that fits, in a union.  Raises SettingError if none does.

    >>> value("hidden", "400,400", tuple[int, ...])
    (400, 400)
    """
    for kind in _kinds(hint):
        try:
            return _read(text, kind)
        except ValueError:
            continue
    expected = " or ".join(_word(kind) for kind in _kinds(hint))
    raise SettingError(f"{name}={text}: expected {expected}.")


def _kinds(hint: Any) -> list[Any]:
    """The members of a union, those that take more words later; else the type alone."""
    members = list(get_args(hint)) if get_origin(hint) in (Union, types.UnionType) else [hint]
    return sorted(members, key=_rank)


def _rank(kind: Any) -> tuple[bool, ...]:
    listed = get_origin(kind) in SEQUENCES
    return kind is str, listed, kind is float, kind is int, kind is bool


def _read(text: str, kind: Any) -> Any:
    word = text.lower()
    if kind is type(None) and word in ("none", ""):
        return None
    if kind is bool and word in TRUE + FALSE:
        return word in TRUE
    if get_origin(kind) in SEQUENCES:
        member = (get_args(kind) or (str,))[0]
        return tuple(value("", part.strip(), member) for part in text.split(",") if part.strip())
    if get_origin(kind) is Literal and text in get_args(kind):
        return text
    if kind in (int, float, str):
        return kind(text)
    raise ValueError(text)


def _word(kind: Any) -> str:
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}
    if kind is type(None):
        return "none"
    if get_origin(kind) in SEQUENCES:
        return "values separated by commas"
    if get_origin(kind) is Literal:
        return ", ".join(map(str, get_args(kind)))
    return words.get(kind, getattr(kind, "__name__", str(kind)))
