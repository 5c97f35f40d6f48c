"""What stands on the command line: settings that are wrong, paths that are empty, devices."""

import json

import pytest

from evergrow.storage.model_folder import ModelFolder

from .bar_images import content

TRAINED = ("--method", "er", "--backbone", "mlp", "--epochs", "1", "--set", "memory=10")


def test_settings_reach_method_backbone_and_training(ask, tmp_path, week_1):
    words = ("--set", "backbone.hidden=16,8", "--set", "momentum=0.5", "--seed", "3")
    ask("learn", tmp_path / "model", week_1, *TRAINED, *words)
    answer = ask("show", tmp_path / "model")
    assert answer["method_settings"]["memory"] == 10
    assert answer["backbone_settings"] == {"hidden": [16, 8]}
    assert answer["raw_samples"] is True
    parameters = ModelFolder(tmp_path / "model").manifest()["parameters"]
    assert (parameters["momentum"], parameters["random_state"]) == (0.5, 3)


@pytest.mark.parametrize(
    "words, said",
    [
        (("--backbone", "mlp"), "started with none"),
        (("--image-size", "16"), "cannot change"),
        (("--seed", "7"), "cannot change"),
        (("--method", "er"), "different ways"),
        (("--method", "none-such"), "there is no method"),
        (("--set", "memory=5"), "has no setting 'memory'"),
        (("--set", "memory"), "key=value"),
        (("--lr", "-1"), "must be positive"),
        (("--set", "momentum=many"), "expected a number"),
        (("--image-size", "large"), "expected pixels"),
        (("--epochs", "many"), "epochs"),
        (("--no-such-option",), "no-such-option"),
    ],
    ids=lambda value: "=".join(value) if isinstance(value, tuple) else "",
)
def test_a_setting_at_fault_is_usage(run, model, week_2, words, said):
    before = content(model)
    code, out, err = run("learn", model, week_2, *words)
    assert code == 2 and out == "" and said in err.replace("\n", " ")
    code, out, err = run("learn", model, week_2, *words, "--json")
    assert code == 2 and err == "" and said in json.loads(out)["error"]["message"]
    assert content(model) == before


@pytest.mark.parametrize("words", [("learn", "", "x"), ("learn", "x", ""), ("predict", "x", "")])
def test_an_empty_path_is_not_the_working_directory(run, words):
    code, _, err = run(*words)
    assert code == 2 and "the path is empty" in err


def test_the_device_is_of_this_machine_and_not_of_the_model(ask, run, model, week_2):
    ask("learn", model, week_2, "--device", "cpu")
    assert "device" not in ModelFolder(model).manifest()["parameters"]
    code, _, err = run("predict", model, week_2, "--device", "none-such")
    assert code == 2 and "device='none-such'" in err


@pytest.mark.parametrize("words", [("--gate", "-1"), ("--validation", "-5"), ("--gate", "nan")])
def test_numbers_that_are_none_are_usage(model, week_2, run, words):
    assert run("learn", model, week_2, *words)[0] == 2
