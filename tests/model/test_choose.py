"""What "auto" means, case by case."""

import pytest
import torch
from torch import nn

from evergrow.backbones import MLP
from evergrow.errors import SettingError
from evergrow.model import choose
from evergrow.model.choose import ADOPTED_ALONE, Adopted, resolve
from evergrow.model.parameters import Parameters
from evergrow.training.random_generators import Generators


@pytest.mark.parametrize(
    "given, backbone, method",
    [
        (("auto", "auto", "image", False), "patches", "lda"),
        (("auto", "auto", "table", False), "fourier", "lda"),
        (("mlp", "auto", "table", True), "mlp", "der++"),
        (("own", "auto", "tensor", True), "own", "der++"),
        (("mlp", "ridge", "table", True), "mlp", "ridge"),
    ],
)
def test_the_choice(given, backbone, method):
    choice = resolve(*given)
    assert (choice.backbone, choice.method) == (backbone, method)


@pytest.mark.parametrize(
    "at_hand, method",
    [
        (Adopted(), ADOPTED_ALONE),
        (Adopted(remembered=True), "regrow"),
        (Adopted(auxiliary=True), "dmc+"),
        (Adopted(remembered=True, auxiliary=True), "regrow"),
    ],
)
def test_a_network_trained_elsewhere_is_grown_by_what_is_at_hand(at_hand, method):
    assert resolve("own", "auto", "tensor", True, adopted=at_hand).method == method


def test_the_reason_names_what_was_chosen():
    assert "patches" in resolve("auto", "auto", "image", False).reason
    assert resolve("mlp", "er", "table", True).reason == "as asked for"


def test_a_backbone_that_is_named_comes_with_its_settings_and_its_name():
    settings, name = choose.backbone(Parameters("mlp"), "table")
    assert (type(settings), name) == (MLP, "mlp")
    given = MLP(hidden=(3,))
    assert choose.backbone(Parameters(given), "table")[0] is given
    assert choose.backbone(Parameters(), "table")[1] == "fourier"


def test_a_module_of_ones_own_is_a_backbone():
    settings, name = choose.backbone(Parameters(nn.Linear(2, 3)), "table")
    assert name == "own" and settings.wraps


def test_settings_of_training_are_checked_by_name():
    rng = Generators(0)
    how = choose.training(Parameters(lr=0.5, epochs=3, precision="bfloat16"), rng)
    assert (how.lr, how.epochs, how.autocast) == (0.5, 3, torch.bfloat16)
    with pytest.raises(SettingError, match="precision='half': one of"):
        choose.training(Parameters(precision="half"), rng)
