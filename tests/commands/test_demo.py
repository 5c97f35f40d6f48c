"""The demo: what it writes, and that it runs from end to end."""

import gzip
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evergrow.commands import demo
from evergrow.commands.cli.main import app
from evergrow.data.readers.idx import find_parts
from evergrow.errors import DataError, EvergrowError


def test_the_digits_are_split_by_class_and_a_third_is_held_out(tmp_path):
    weeks = demo.digits(tmp_path)
    files = {week: list(week.rglob("*.png")) for week in (weeks.first, weeks.second, weeks.test)}
    assert sorted(p.name for p in weeks.first.iterdir()) == list("01234")
    assert sorted(p.name for p in weeks.second.iterdir()) == list("56789")
    assert sorted(p.name for p in weeks.test.iterdir()) == list("0123456789")
    assert sum(map(len, files.values())) == 1797 and len(files[weeks.test]) == 599
    assert weeks.size == len(files[weeks.first])
    assert len({f.name for part in files.values() for f in part}) == 1797
    with Image.open(files[weeks.first][0]) as image:
        assert (image.size, image.mode) == ((8, 8), "L")


def test_a_folder_per_class_is_linked_and_a_fifth_is_held_out(tmp_path):
    rng = np.random.default_rng(0)
    for label in "abc":
        (tmp_path / "data" / label / "deep").mkdir(parents=True)
        for i in range(40):
            pixels = rng.integers(0, 255, (4, 4), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / label / "deep" / f"{i}.png")
    (tmp_path / "data" / "one").mkdir()
    (tmp_path / "data" / "notes.txt").write_text("not a class")
    weeks = demo.images(tmp_path, demo.classes(tmp_path / "data"))
    parts = {w: [f.resolve() for f in w.rglob("*.png")] for w in (weeks.first, weeks.second)}
    test = [f.resolve() for f in weeks.test.rglob("*.png")]
    assert sorted(p.name for p in weeks.first.iterdir()) == ["a", "b"]
    assert sorted(p.name for p in weeks.second.iterdir()) == ["c"]
    assert len(set(test)) == len(test) and 10 < len(test) < 45
    assert len(test) + sum(map(len, parts.values())) == 120
    assert not set(test) & {f for part in parts.values() for f in part}


def idx_file(path: Path, array: np.ndarray) -> None:
    header = struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(
        f">{array.ndim}I", *array.shape
    )
    path.write_bytes(gzip.compress(header + array.tobytes()))


def test_idx_files_become_two_weeks_and_their_own_test_pair(tmp_path):
    rng = np.random.default_rng(0)
    for part, n in (("train", 60), ("t10k", 20)):
        x = rng.integers(0, 255, (n, 5, 5), dtype=np.uint8)
        idx_file(tmp_path / f"{part}-images-idx3-ubyte.gz", x)
        idx_file(tmp_path / f"{part}-labels-idx1-ubyte.gz", (np.arange(n) % 4).astype(np.uint8))
    (tmp_path / "out").mkdir()
    weeks = demo.idx(tmp_path / "out", find_parts(tmp_path))
    found = {w.stem: np.load(w) for w in (weeks.first, weeks.second, weeks.test)}
    assert set(found["week-1"]["y"]) == {0, 1} and set(found["week-2"]["y"]) == {2, 3}
    assert found["test"]["x"].shape == (20, 5, 5) and weeks.size == 30


def test_nothing_of_the_users_is_taken_away(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(DataError, match="no demo made it"):
        demo.run(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_data_that_lies_where_the_demo_writes_is_not_taken_away(tmp_path):
    (tmp_path / demo.MARK).write_text("")
    data = bars(tmp_path / "data")
    with pytest.raises(DataError, match="lies in"):
        demo.run(tmp_path, data)
    assert len(list(data.rglob("*.png"))) == 100


@pytest.mark.parametrize("make", [lambda p: p / "none", lambda p: p], ids=["missing", "no-class"])
def test_data_without_two_classes_is_refused(tmp_path, make):
    with pytest.raises(DataError, match="expected a folder|subfolders"):
        demo.run(tmp_path / "demo", make(tmp_path))
    assert not (tmp_path / "demo").exists()


@pytest.fixture
def in_this_process(monkeypatch, capsys):
    """The demo's commands run here, where importing torch is done already."""

    def run(words, **_):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            app(words[3:])
        return subprocess.CompletedProcess(words, ended.value.code or 0, capsys.readouterr().out)

    monkeypatch.setattr(demo.subprocess, "run", run)


def bars(folder: Path, classes: int = 4, count: int = 25) -> Path:
    """A bright bar on dark noise; where it lies is the class."""
    rng = np.random.default_rng(0)
    for label in range(classes):
        (folder / f"bar-{label}").mkdir(parents=True)
        for i in range(count):
            pixels = rng.integers(0, 60, (8, 8), dtype=np.uint8)
            pixels[:, 2 * label] = 255
            Image.fromarray(pixels).save(folder / f"bar-{label}" / f"{i}.png")
    return folder


def test_the_demo_says_what_it_runs_and_compares_both(tmp_path, in_this_process):
    said: list[str] = []
    data = bars(tmp_path / "data")
    (data / "bar-0" / "broken.png").write_bytes(b"")
    ours, plain = demo.run(tmp_path / "demo", data, said.append)["runs"]
    assert ours["all"] > 0.95 and plain["old"] < 0.5 < plain["new"]
    assert ours["seconds"] > 0 and plain["seconds"] > 0
    commands = [line for line in said if line.startswith("$ evergrow ")]
    verbs = [line.split()[2] for line in commands]
    assert verbs == ["learn", "learn", "predict", "evaluate"] * 2
    assert "--method finetune --backbone convnet" in commands[4]
    demo.clear(tmp_path / "demo")
    assert [p.name for p in (tmp_path / "demo").iterdir()] == [demo.MARK]


def test_a_command_that_fails_ends_the_demo_with_its_message(tmp_path, in_this_process):
    data = bars(tmp_path / "data", classes=2, count=2)
    for file in data.rglob("*.png"):
        file.write_bytes(b"not a picture")
    with pytest.raises(EvergrowError, match="evergrow learn .* failed: .*"):
        demo.run(tmp_path / "demo", data, lambda line: None)


@pytest.mark.slow
def test_the_demo_shows_that_old_classes_stay_and_that_fine_tuning_loses_them(tmp_path):
    ours, plain = demo.run(tmp_path / "demo", say=lambda line: None)["runs"]
    assert ours["all"] > 0.97 and ours["old"] > 0.97 and ours["new"] > 0.97
    assert plain["old"] < 0.2 and plain["new"] > 0.9
