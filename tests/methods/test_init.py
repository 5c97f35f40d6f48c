"""The list of methods: names, classes, settings."""

import pytest

from evergrow import methods
from evergrow.errors import SettingError
from evergrow.methods import ER, FineTune
from evergrow.model.options import settings_of


class Mine(FineTune):
    pass


def test_a_name_and_its_method_find_each_other():
    for entry in methods.ENTRIES:
        found = methods.get(entry.name)
        assert type(found) is getattr(methods, entry.cls) and methods.name_of(found) == entry.name
        assert entry.line.endswith(".")


def test_a_class_of_your_own_is_named_by_module_and_class():
    assert methods.name_of(Mine()) == f"{__name__}:Mine"
    assert type(methods.get(f"{__name__}:Mine")).__name__ == "Mine"


def test_settings_are_taken_and_others_named():
    assert methods.get("er", memory=7).settings() == ER(memory=7).settings()
    with pytest.raises(SettingError, match="'er' does not take these settings: .*memori"):
        methods.get("er", memori=7)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("eer", "no method 'eer' .did you mean er or der.*: finetune, .*package.module:Class"),
        ("nowhere.at.all:X", "'nowhere.at.all:X' could not be imported: No module"),
        ("evergrow.methods.er:Nobody", "could not be imported: .*Nobody"),
    ],
)
def test_names_that_there_are_not(name, said):
    with pytest.raises(SettingError, match=said):
        methods.get(name)


def test_the_settings_listed_are_the_fields_of_the_classes():
    for entry in methods.ENTRIES:
        fields = list(settings_of(methods.REGISTRY.load(entry)))
        assert entry.settings.split() == fields, entry.name
