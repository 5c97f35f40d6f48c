"""Learning from the command line: answers, settings, advice, the update judged, the gate."""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from evergrow.commands.cli.main import app
from evergrow.storage import durable_files
from evergrow.storage.model_folder import ModelFolder

from .bar_images import bar_image, class_folder, content, refused

rng = np.random.default_rng(0)


def test_learn_answers_with_the_keys_scripts_rely_on(ask, model, week_2):
    answer = ask("learn", model, week_2)
    assert answer["version"] == 2
    assert answer["classes"] == ["bar-0", "bar-1", "bar-2", "bar-5", "bar-7"]
    assert answer["new_classes"] == ["bar-5", "bar-7"]
    assert answer["samples"] == 24 and answer["seconds"] > 0
    assert (answer["method"], answer["backbone"]) == ("lda", "none")
    assert answer["passed_over"] == 0 and answer["skipped"] == []


def test_the_same_folder_again_changes_nothing(ask, run, model, week_1):
    before = content(model)
    answer = ask("learn", model, week_1)
    assert (answer["samples"], answer["passed_over"], answer["version"]) == (0, 36, 1)
    assert content(model) == before
    assert "36 samples passed over" in run("learn", model, week_1)[1]


def test_again_learns_the_same_folder_once_more(ask, model, week_1):
    answer = ask("learn", model, week_1, "--again")
    assert (answer["samples"], answer["version"]) == (36, 2)
    assert ask("show", model)["counts"] == {"bar-0": 24, "bar-1": 24, "bar-2": 24}


def test_a_folder_that_overlaps_brings_only_what_is_new(ask, model, week_1, tmp_path):
    both = Path(shutil.copytree(week_1, tmp_path / "both"))
    bar_image(0).save(both / "bar-0" / "new.png")
    answer = ask("learn", model, both)
    assert (answer["samples"], answer["passed_over"]) == (1, 36)


def test_a_dry_run_says_what_would_be_learnt_and_changes_nothing(ask, run, model, week_2, tmp_path):
    before = content(model)
    answer = ask("learn", model, week_2, "--dry-run")
    assert answer["new_classes"] == ["bar-5", "bar-7"] and answer["samples"] == 24
    assert answer["dry_run"] and answer["version"] == 1
    assert content(model) == before
    fresh = ask("learn", tmp_path / "none", week_2, "--dry-run")
    assert fresh["method"] == "lda" and fresh["backbone"] == "patches"
    assert not (tmp_path / "none").exists()
    assert "would be learnt" in run("learn", model, week_2, "--dry-run")[1]


TRAINED = ("--method", "er", "--backbone", "mlp", "--epochs", "1", "--set", "memory=10")


def test_what_may_change_changes_and_stays_changed(ask, tmp_path, week_1, week_2):
    ask("learn", tmp_path / "model", week_1, *TRAINED)
    words = ("--lr", "0.01", "--epochs", "2", "--set", "memory=6", "--freeze", "all")
    ask("learn", tmp_path / "model", week_2, *words)
    manifest = ModelFolder(tmp_path / "model").manifest()
    assert manifest["method"]["settings"]["memory"] == 6
    kept = {name: manifest["parameters"][name] for name in ("lr", "epochs", "freeze")}
    assert kept == {"lr": 0.01, "epochs": 2, "freeze": True}


def test_a_network_is_fine_tuned_as_the_words_say(ask, run, tmp_path, week_1, week_2):
    words = ("--method", "er", "--backbone", "convnet", "--epochs", "2", "--set", "memory=10")
    fine = ("--backbone-lr", "0.1", "--freeze", "block1", "--set", "unfreeze=1")
    ask("learn", tmp_path / "model", week_1, *words, *fine)
    parameters = ModelFolder(tmp_path / "model").manifest()["parameters"]
    kept = {name: parameters[name] for name in ("backbone_lr", "freeze", "unfreeze")}
    assert kept == {"backbone_lr": 0.1, "freeze": "block1", "unfreeze": 1}
    code, _, err = run("learn", tmp_path / "model", week_2, "--freeze", "layer3")
    assert code == 2 and "block1, block2, block3" in err
    code, _, err = run("learn", tmp_path / "model", week_2, "--backbone-lr", "50")
    assert code == 2 and "a share of lr" in err
    assert ask("show", tmp_path / "model")["version"] == 1


def test_the_same_fixed_setting_again_does_no_harm(ask, model, week_2):
    words = ("--backbone", "none", "--method", "lda", "--seed", "0")
    assert ask("learn", model, week_2, *words)["version"] == 2


def test_keep_no_samples_refuses_methods_that_keep_some_now_and_later(run, ask, tmp_path, week_1):
    model = tmp_path / "model"
    code, _, err = run("learn", model, week_1, *TRAINED, "--keep-no-samples")
    assert code == 2 and "keeps raw samples" in err and not model.exists()
    start = ("--method", "finetune", "--backbone", "mlp", "--epochs", "1", "--keep-no-samples")
    ask("learn", model, week_1, *start)
    code, _, err = run("learn", model, week_1, "--again", "--method", "er")
    assert code == 2 and "keeps raw samples" in err
    assert ask("show", model)["raw_samples"] is False


def test_a_model_of_a_newer_format_is_refused(run, model, week_1):
    file = model / "versions" / "000001" / "manifest.json"
    file.write_text(file.read_text().replace('"format": 1,', '"format": 99,'))
    for words in (["show", model], ["predict", model, week_1], ["learn", model, week_1]):
        refused(run, model, *words, said="99", kind="FormatError")


def test_a_model_that_another_process_writes_to_is_refused(run, model, week_2):
    with ModelFolder(model).writer():
        code, _, err = run("learn", model, week_2)
        assert code == 1 and "being written" in err
        assert run("show", model)[0] == 0


def test_a_full_disk_leaves_the_model_as_it_was(run, model, week_2, monkeypatch):
    def full(action: str, path: Path) -> None:
        if action == "write" and path.name == "learning.safetensors":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(durable_files, "disk_step", full)
    refused(run, model, "learn", model, week_2, said="no space left")


def test_what_nobody_foresaw_is_one_message_too(run, model, week_2, monkeypatch):
    def broken(*_):
        raise RuntimeError("the moon is full")

    monkeypatch.setattr("evergrow.model.serialize.parts", broken)
    refused(run, model, "learn", model, week_2, said="the moon is full")


@pytest.fixture
def keeps_nothing(week_1, tmp_path):
    """A model that keeps nothing of what it learns."""
    with pytest.raises(SystemExit) as ended:
        app(
            ["learn", str(tmp_path / "f"), str(week_1), "--backbone", "mlp", "--method", "finetune"]
        )
    assert ended.value.code == 0
    return tmp_path / "f"


def test_advice_comes_before_training_on_standard_error(run, keeps_nothing, week_2, monkeypatch):
    from evergrow.training import loop

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "train", interrupted)
    before = content(keeps_nothing)
    code, out, err = run("learn", keeps_nothing, week_2)
    assert code == 130 and out == "" and content(keeps_nothing) == before
    assert "new-classes-alone: 3 of 3 old classes" in err and "would help: keep 20 images" in err


def test_advice_is_in_the_answer_of_learn_and_of_its_dry_run(ask, keeps_nothing, week_2):
    dry = ask("learn", keeps_nothing, week_2, "--dry-run")
    done = ask("learn", keeps_nothing, week_2)
    (entry,) = done["advice"]
    assert entry["rule"] == "new-classes-alone" and entry["forecast"] == [0.32, 0.42]
    assert dry["advice"] == done["advice"] and "new-classes-alone" not in str(done["warnings"])


def test_advise_says_all_of_it_and_changes_nothing(run, ask, keeps_nothing, week_2, tmp_path):
    before = content(keeps_nothing)
    answer = ask("advise", keeps_nothing, week_2)
    assert [entry["rule"] for entry in answer["advice"]] == ["new-classes-alone"]
    assert answer["new_classes"] == ["bar-5", "bar-7"] and content(keeps_nothing) == before
    code, out, err = run("advise", keeps_nothing, week_2, "--method", "er", "--set", "memory=5")
    assert code == 0 and "small-memory: a memory of 5 for 5 classes" in out
    assert content(keeps_nothing) == before


def test_advise_needs_no_model_and_makes_none(run, ask, week_1, tmp_path):
    words = ["advise", tmp_path / "none", week_1, "--backbone", "resnet32", "--method", "lda"]
    answer = ask(*words, "--probe", "0")
    assert [entry["rule"] for entry in answer["advice"]] == ["untrained-backbone"]
    assert answer["version"] == 0 and not (tmp_path / "none").exists()
    code, out, _ = run("advise", tmp_path / "none", week_1, "--probe", "0", "--backbone", "none")
    assert code == 0 and "no rule has anything to say" in out


def test_the_probe_is_asked_for_by_its_seconds(ask, tmp_path):
    x = rng.normal(size=(400, 2)).astype(np.float32)
    np.savez(tmp_path / "crossed.npz", x=x, y=(x[:, 0] * x[:, 1] > 0).astype(int))
    words = ["advise", tmp_path / "none", tmp_path / "crossed.npz", "--backbone", "none"]
    assert ask(*words, "--probe", "0")["advice"] == []
    found = ask(*words, "--probe", "3")
    assert [entry["rule"] for entry in found["advice"]] == ["weak-backbone"]
    assert found["probe"]["trained"] > 0.8 > found["probe"]["features"]


def test_advise_uses_old_samples_and_auxiliary_ones(ask, keeps_nothing, week_1, week_2, tmp_path):
    words = ["advise", keeps_nothing, week_2, "--method", "dmc"]
    assert [a["rule"] for a in ask(*words)["advice"]] == ["no-auxiliary"]
    assert ask(*words, "--auxiliary", week_1)["advice"] == []
    words, old = (
        ["advise", keeps_nothing, week_2, "--method", "er"],
        class_folder(tmp_path / "o", [0, 1, 2]),
    )
    rules = [ask(*words, *more)["advice"][0]["rule"] for more in ([], ["--old", old])]
    assert rules == ["new-classes-alone", "outlook"]


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory):
    """A model that plain fine-tuning trains, of three classes of 60 class_folder, and two more."""
    place = tmp_path_factory.mktemp("gate")
    first, second = place / "first", place / "second"
    class_folder(first, [0, 1, 2], count=60)
    class_folder(second, [5, 7], count=60)
    words = ["--backbone", "mlp", "--method", "finetune", "--set", "backbone.hidden=32"]
    with pytest.raises(SystemExit):
        app(["learn", str(place / "model"), str(first), *words, "--lr", "0.1", "--epochs", "20"])
    return place


def test_every_learn_says_what_it_did_to_old_and_new_classes(forgetful, ask, tmp_path, run):
    model = shutil.copytree(forgetful / "model", tmp_path / "model")
    found = ask("learn", model, forgetful / "second")["report"]
    assert found["old_before"] > 0.9 > 0.2 > found["old"] and found["new"] > 0.9
    assert found["samples"] == 30 and len(found["lost"]) == 3
    written = json.loads((model / "versions" / "000002" / "manifest.json").read_text())
    assert written["update"]["report"] == found
    assert "recall" in run("show", model)[1]


def test_the_gate_refuses_with_exit_code_3_and_the_model_is_as_it_was(forgetful, run):
    model, second = forgetful / "model", forgetful / "second"
    before = content(model)
    code, out, err = run("learn", model, second, "--gate", "2.0")
    assert code == 3 and err.count("evergrow: ") == 1 and "old classes fall" in err
    assert "bar-0: 100.0 % when learnt" in out
    code, out, _ = run("learn", model, second, "--gate", "2.0", "--json")
    answer = json.loads(out)
    assert code == 3 and answer["error"]["type"] == "GateError"
    assert answer["report"]["old"] < 0.2
    assert content(model) == before


def test_the_gate_lets_pass_what_costs_nothing(model, week_2, ask):
    answer = ask("learn", model, week_2, "--gate", "2.0")
    assert answer["version"] == 2 and answer["report"]["old"] == answer["report"]["old_before"]


def test_nothing_is_held_back_where_it_is_turned_off(forgetful, ask, run, tmp_path):
    model, words = tmp_path / "model", ["--backbone", "mlp", "--method", "finetune"]
    answer = ask("learn", model, forgetful / "first", *words, "--validation", "0", "--epochs", "1")
    assert answer["held_back"] == 0 and answer["report"] is None
    assert not ask("show", model)["raw_samples"]
    code, _, err = run("learn", model, forgetful / "second", "--gate", "2.0")
    assert code == 3 and "cannot tell" in err


def test_held_back_samples_are_not_stored_where_none_may_be(forgetful, ask, tmp_path):
    model, words = tmp_path / "model", ["--backbone", "mlp", "--method", "finetune"]
    words += ["--keep-no-samples", "--epochs", "1"]
    assert ask("learn", model, forgetful / "first", *words)["held_back"] == 18
    assert not ask("show", model)["raw_samples"]


def test_held_back_samples_are_passed_over_the_next_time(forgetful, ask, tmp_path):
    model = shutil.copytree(forgetful / "model", tmp_path / "model")
    answer = ask("learn", model, forgetful / "first")
    assert answer["samples"] == 0 and answer["passed_over"] == 180


def test_a_learn_whose_version_is_there_reports_no_failure(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.eye(6), y=np.arange(6) % 2)
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "evergrow", "learn", "model", "a.npz"],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 0 and "version 1 is current" in done.stderr, done.stderr
    assert ModelFolder(tmp_path / "model").current() == 1
