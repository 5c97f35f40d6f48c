"""Asking a model from the command line: predict, evaluate, show, layers, report, rollback."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from .bad_files import BAD_FILES, rng
from .bar_images import bar_image, class_folder, refused


def test_predict_takes_a_folder_of_images_without_labels(ask, learnt, tmp_path):
    for label in (0, 2):
        bar_image(label).save(tmp_path / f"{label}.png")
    found = ask("predict", learnt, tmp_path)["predictions"]
    assert [p["label"] for p in found] == ["bar-0", "bar-2"]
    assert [Path(p["input"]).name for p in found] == ["0.png", "2.png"]
    for p in found:
        assert p["top"][0] == [p["label"], p["probability"]]
        assert 0.99 < sum(share for _, share in p["top"]) < 1.01


def test_predict_takes_single_files_and_top(ask, learnt, tmp_path):
    bar_image(1).save(tmp_path / "a.png")
    bar_image(2).save(tmp_path / "b.png")
    files = [tmp_path / "b.png", tmp_path / "a.png"]
    found = ask("predict", learnt, *files, "--top", "1")["predictions"]
    assert [(p["label"], len(p["top"])) for p in found] == [("bar-2", 1), ("bar-1", 1)]
    assert len(ask("predict", learnt, files[0])["predictions"]) == 1


def test_a_file_whose_name_is_no_valid_text_is_predicted_too(ask, learnt, tmp_path):
    bar_image(1).save(tmp_path / "a.png")
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
    class_folder(tmp_path / "more", [7])
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


def test_tables_come_from_csv_with_a_label_column(ask, tmp_path):
    x = rng.normal(size=(60, 3)) + np.repeat([[0, 0, 9], [9, 0, 0]], 30, axis=0)
    frame = pd.DataFrame(x, columns=["a", "b", "c"]).assign(kind=["up"] * 30 + ["down"] * 30)
    frame.to_csv(tmp_path / "t.csv", index=False)
    answer = ask("learn", tmp_path / "model", tmp_path / "t.csv", "--label", "kind")
    assert answer["classes"] == ["down", "up"]
    frame.drop(columns="kind").to_csv(tmp_path / "x.csv", index=False)
    found = ask("predict", tmp_path / "model", tmp_path / "x.csv")["predictions"]
    assert [p["label"] for p in found] == ["up"] * 30 + ["down"] * 30


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_to_predict_is_named(run, learnt, tmp_path, name):
    (tmp_path / name).write_bytes(BAD_FILES[name])
    refused(run, learnt, "predict", learnt, tmp_path / name, said=name)


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
