"""What "auto" means, case by case."""

import pytest

from evergrow.model.resolve import ALONE, Adopted, resolve


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
        (Adopted(), ALONE),
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
