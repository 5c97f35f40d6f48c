from evergrow import methods
from evergrow.methods.setting_names import SETTINGS, setting_names
from evergrow.model.options import settings_of


def test_they_are_the_fields_of_the_classes():
    for entry in methods.ENTRIES:
        assert setting_names(entry.name) == list(settings_of(methods.REGISTRY.load(entry)))
    assert SETTINGS.keys() <= {entry.name for entry in methods.ENTRIES}
