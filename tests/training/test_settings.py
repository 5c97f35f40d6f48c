"""Settings of a training, each in its range."""

import pytest

from evergrow.errors import SettingError
from evergrow.training.settings import Training


@pytest.mark.parametrize(
    "wrong",
    [
        {"layer_decay": 0},
        {"warmup": 1.0},
        {"epochs": 0},
        {"lr": 0},
        {"backbone_lr": 0},
        {"backbone_lr": 20},
        {"unfreeze": -1},
        {"unfreeze": 0.5},
        {"optimizer": "adam"},
        {"momentum": 1.0},
        {"boundary": "x"},
    ],
)
def test_wrong_settings_are_refused_with_their_value(wrong):
    with pytest.raises(SettingError, match=str(next(iter(wrong.values())))):
        Training(**wrong)


def test_an_unknown_schedule_is_refused():
    with pytest.raises(SettingError, match="schedule='warm'.*cooldown"):
        Training(schedule="warm")
