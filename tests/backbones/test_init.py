"""The list of backbones: names, settings, and which data is for which."""

import pytest

from evergrow import backbones
from evergrow.data.read import Seen
from evergrow.errors import SettingError
from evergrow.model.options import settings_of


def test_names_and_settings_that_there_are_not():
    with pytest.raises(SettingError, match="patches"):
        backbones.get("resnet33")
    with pytest.raises(SettingError, match="depth"):
        backbones.get("mlp", depth=3)


def test_a_name_and_its_backbone_find_each_other():
    for entry in backbones.ENTRIES:
        name = f"{entry.name}:x" if entry.name in backbones.NAMED else entry.name
        found = backbones.get(name)
        assert type(found) is getattr(backbones, entry.cls) and backbones.name_of(found) == name


@pytest.mark.parametrize(
    ("seen", "installed", "kind"),
    [
        (Seen("image", channels=1, sizes=((64, 64),)), True, "image"),
        (Seen("image", channels=1, sizes=((64, 65),)), True, "photo"),
        (Seen("image", channels=3, sizes=((8, 8),)), True, "photo"),
        (Seen("image", channels=3, sizes=((8, 8),)), False, "unseen photo"),
        (Seen("table", shape=(3,)), True, "table"),
        (Seen("text"), True, "text"),
    ],
)
def test_small_grey_images_alone_need_no_pretrained_network(seen, installed, kind, monkeypatch):
    monkeypatch.setattr("evergrow.backbones.efficientnet_lite0.installed", lambda: installed)
    assert backbones.kind(seen) == kind


def test_the_settings_listed_are_the_fields_of_the_classes():
    for entry in backbones.ENTRIES:
        fields = list(settings_of(backbones.REGISTRY.load(entry)))
        assert entry.settings.split() == fields, entry.name
