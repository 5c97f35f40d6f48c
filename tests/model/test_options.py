"""Words of the command line become settings by type."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pytest

from evergrow import backbones, methods
from evergrow.errors import SettingError
from evergrow.model import options


@dataclass
class Settings:
    count: int = 1
    share: float = 0.5
    flag: bool = False
    name: str = ""
    hidden: Sequence[int] = ()
    layer: bool | str | None = None
    rate: float | None = None
    kind: Literal["equal", "counts"] = "equal"


KNOWN = options.settings_of(Settings)


@pytest.mark.parametrize(
    "name, text, value",
    [
        ("count", "12", 12),
        ("share", "1e-3", 0.001),
        ("flag", "yes", True),
        ("flag", "0", False),
        ("name", "12", "12"),
        ("hidden", "400, 400", (400, 400)),
        ("hidden", "16", (16,)),
        ("layer", "true", True),
        ("layer", "none", None),
        ("layer", "blocks.2", "blocks.2"),
        ("rate", "0.1", 0.1),
        ("rate", "None", None),
        ("kind", "counts", "counts"),
    ],
)
def test_a_word_is_read_as_the_type_of_its_field(name, text, value):
    found = options.parse("test", KNOWN, {name: text})[name]
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    "name, text", [("count", "1.5"), ("share", "x"), ("flag", "2"), ("hidden", "a"), ("kind", "x")]
)
def test_a_word_of_another_type_is_refused(name, text):
    with pytest.raises(SettingError, match="expected"):
        options.parse("test", KNOWN, {name: text})


def test_an_unknown_name_is_refused_with_the_names_there_are():
    with pytest.raises(SettingError, match="has no setting 'size'; its settings: count, share"):
        options.parse("test", KNOWN, {"size": "1"})


@pytest.mark.parametrize("words", [["memory"], ["=5"], ["a=1", "a=2"]])
def test_words_are_key_and_value_each_once(words):
    with pytest.raises(SettingError):
        options.pairs(words)


def test_a_value_may_hold_an_equals_sign():
    assert options.pairs(["name=a=b"]) == {"name": "a=b"}


@pytest.mark.parametrize("text", ["0", "x", "1x2x3", "-4", "64x"])
def test_pixels_are_one_side_or_two(text):
    with pytest.raises(SettingError, match="expected pixels"):
        options.parse_image_size(text)


def test_every_setting_of_methods_and_backbones_can_be_written_as_a_word():
    things = [methods.get(entry.name) for entry in methods.ENTRIES]
    things += [
        backbones.get(f"{e.name}:any" if e.name in backbones.NAMED else e.name)
        for e in backbones.ENTRIES
    ]
    for thing in things:
        known = options.settings_of(type(thing))
        for name, default in thing.settings().items():
            plain = ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
            assert options.parse("test", known, {name: plain})[name] == default
