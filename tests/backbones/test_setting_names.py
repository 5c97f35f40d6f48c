from evergrow import backbones
from evergrow.backbones.setting_names import SETTINGS, setting_names
from evergrow.model.options import settings_of


def test_they_are_the_fields_of_the_classes():
    for entry in backbones.ENTRIES:
        assert setting_names(entry.name) == list(settings_of(backbones.REGISTRY.load(entry)))
    assert SETTINGS.keys() <= {entry.name for entry in backbones.ENTRIES}
