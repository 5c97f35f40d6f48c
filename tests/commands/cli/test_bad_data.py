"""Bad data from the command line: one message, exit code 1, no traceback, nothing touched."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from .bad_files import BAD_FILES
from .bar_images import bar_image, refused


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


def no_such_file(tmp: Path) -> tuple[Path, str]:
    return tmp / "nowhere", "nowhere"


def empty_folder(tmp: Path) -> tuple[Path, str]:
    (tmp / "empty").mkdir()
    return tmp / "empty", "empty"


def folder_without_subfolders(tmp: Path) -> tuple[Path, str]:
    (tmp / "flat").mkdir()
    bar_image(0).save(tmp / "flat" / "a.png")
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
