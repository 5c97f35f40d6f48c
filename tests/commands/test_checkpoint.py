"""A learn that was killed goes on from its last checkpoint, and ends as if it had not been."""

import errno
import os
import random
import signal
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evergrow.analytic.feature_statistics import FeatureStatistics
from evergrow.commands import checkpoint, learn, versions
from evergrow.commands.checkpoint import Unfinished
from evergrow.data import preprocess
from evergrow.data.readers import image_files
from evergrow.errors import ModelError
from evergrow.methods import NCM, feature_blocks
from evergrow.model.options import How
from evergrow.storage import durable_files
from evergrow.storage.model_folder import ModelFolder
from evergrow.training.protocols import Checkpoint
from tests.faults.test_kills import Counted, forked, kill

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked to be killed")

LIGHT = How({"backbone": "patches", "method": "ncm"}, ["backbone.filters=6"])
rng = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """A checkpoint after every 32 rows, however fast they are."""
    monkeypatch.setattr(checkpoint, "EVERY", 0)
    monkeypatch.setattr(checkpoint, "WORK_PER_WRITE", 0)
    monkeypatch.setattr(feature_blocks, "PIECE", 32)
    monkeypatch.setattr(feature_blocks, "BLOCK", 32)
    monkeypatch.setattr(os, "fsync", lambda handle: None)


def pictures(folder: Path, classes: str, n: int = 60, seed: int = 0) -> Path:
    """A folder of n small images for each class; the same seed gives the same images."""
    for label in classes:
        (folder / label).mkdir(parents=True)
        drawn = np.random.default_rng(seed + ord(label))
        for i in range(n):
            x = drawn.integers(0, 99, (12, 12, 3), dtype=np.uint8)
            x[:, ord(label) % 12] += 100
            Image.fromarray(x).save(folder / label / f"{i:03d}.png")
    return folder


def rows(path: Path, labels: str, n: int = 900) -> Path:
    """Points in five dimensions."""
    x = np.concatenate([rng.normal(ord(label) % 5, 1, (n, 5)) for label in labels])
    np.savez(path, x=x.astype(np.float32), y=np.repeat(list(labels), n))
    return path


@dataclass
class AfterFirst:
    """Kills the process some steps after the first checkpoint was in its place."""

    steps: int
    made: bool = False

    def __call__(self, action: str, path: Path) -> None:
        self.steps -= self.made
        if self.steps < 0:
            kill()
        self.made |= (action, path.name) == ("rename", checkpoint.MADE)


def die(model: Path, data: Path, how: How = LIGHT, steps: int | None = None) -> None:
    """Learn in another process, which is killed; its first checkpoint is there by then."""
    steps = random.randrange(20) if steps is None else steps
    ended = forked(lambda path: learn.learn(path, data, how), model, AfterFirst(steps))
    assert ended == signal.SIGKILL
    assert (ModelFolder(model).unfinished / checkpoint.MADE).exists()


def assert_same(one: Path, other: Path) -> None:
    """The current versions are the same, bit for bit."""
    manifests = [ModelFolder(path).manifest() for path in (one, other)]
    assert manifests[0]["files"] == manifests[1]["files"]
    for name in ("data", "counts", "classes", "backbone", "figures", "began", "state"):
        assert manifests[0][name] == manifests[1][name], name
    for path in (one, other):
        ModelFolder(path).verify()
        assert list((path / "pending").iterdir()) == []


KINDS = {  # backbone, method, words, data; the scale of mlp follows from the first 1,024 rows
    "patches": ("patches", "lda", ["backbone.filters=6"], pictures),
    "projected": ("patches", "ranpac", ["backbone.filters=6", "size=48"], pictures),
    "recursive": ("patches", "acil", ["backbone.filters=6", "size=48"], pictures),
    "two streams": ("patches", "ds-al", ["backbone.filters=6", "size=48"], pictures),
    "a covariance a class": ("patches", "fecam", ["backbone.filters=6"], pictures),
    "numbers": ("none", "ncm", [], rows),
    "random network": ("mlp", "ridge", [], rows),
    "random layer on it": ("mlp", "acil", ["size=48"], rows),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_learn_that_is_killed_ends_as_one_that_is_not(kind, tmp_path):
    backbone, method, words, make = KINDS[kind]
    how = How({"backbone": backbone, "method": method}, words)
    weeks = [make(tmp_path / "1.npz", "abc"), make(tmp_path / "2.npz", "bd")]
    for number, week in enumerate(weeks):
        told: list = []
        learn.learn(tmp_path / "twin", week, how if not number else How(again=True))
        go_on = how if not number else How(again=True)
        die(tmp_path / "model", week, go_on)
        before = ModelFolder(tmp_path / "model")
        assert before.exists() == bool(number) and len(before.versions()) == number
        answer = learn.learn(tmp_path / "model", week, go_on, tell=told.extend)
        fixing = 1024 if backbone == "mlp" and not number else 0
        assert answer["resumed"] >= fixing + 32 and answer["resumed"] % 32 == 0
        assert answer["samples"] > answer["resumed"] and answer["warnings"] == []
        assert f"{answer['resumed']:,} of {answer['samples']:,} samples" in told[-1]["text"]
        assert_same(tmp_path / "model", tmp_path / "twin")


def test_killed_again_and_again_it_goes_further_each_time(tmp_path):
    data = pictures(tmp_path / "data", "abcd")
    learn.learn(tmp_path / "twin", data, LIGHT)
    seen = []
    for _ in range(3):
        die(tmp_path / "model", data, steps=2)
        (sums,) = ModelFolder(tmp_path / "model").unfinished.glob("*.safetensors")
        seen.append(int(sums.stem))
    assert seen == [32, 64, 96]
    assert learn.learn(tmp_path / "model", data, LIGHT)["resumed"] == 96
    assert_same(tmp_path / "model", tmp_path / "twin")


def test_killed_at_any_step_of_a_checkpoint_the_next_learn_ends_the_same(tmp_path):
    data, how = rows(tmp_path / "data.npz", "ab", 50), How({"backbone": "none", "method": "ncm"})
    learn.learn(tmp_path / "twin", data, how)
    resumed = []
    for step in range(10, 38, 2):
        model = tmp_path / f"model {step}"
        ended = forked(lambda path: learn.learn(path, data, how), model, Counted(step + 1, kill))
        assert ended == signal.SIGKILL
        resumed.append(learn.learn(model, data, how)["resumed"])
        assert_same(model, tmp_path / "twin")
    assert resumed == sorted(resumed) and set(resumed) == {0, 32, 64}


@pytest.fixture
def decoded(monkeypatch):
    """Names of the files that were decoded."""
    names, decode = [], image_files.decode

    def noted(item, *rest):
        names.append(item.name)
        return decode(item, *rest)

    monkeypatch.setattr(image_files, "decode", noted)
    return names


def test_files_that_are_in_are_not_decoded_again_for_their_hashes(tmp_path, decoded, monkeypatch):
    monkeypatch.setattr(preprocess, "IMAGE_CACHE_BYTES", 0)
    learn.learn(tmp_path / "model", pictures(tmp_path / "1", "ab"), LIGHT)
    week_2 = pictures(tmp_path / "2", "cde")
    die(tmp_path / "model", week_2, How())
    decoded.clear()
    answer = learn.learn(tmp_path / "model", week_2, How())
    looked_at = 128  # for advice
    assert len(decoded) == looked_at + 180 - answer["resumed"] and answer["resumed"]


def changed(path: Path) -> None:
    x = np.asarray(Image.open(path)).copy()
    x[0] = 255
    Image.fromarray(x).save(path)


def touched(path: Path) -> None:
    os.utime(path, ns=(1, 1))


def relabelled(path: Path) -> None:
    path.rename(path.parents[1] / "b" / "999.png")


@pytest.mark.parametrize("change", [changed, touched, relabelled, Path.unlink])
def test_sums_of_files_that_are_others_now_are_not_taken_over(change, tmp_path):
    data = pictures(tmp_path / "data", "abc")
    die(tmp_path / "model", data)
    change(data / "a" / "007.png")
    learn.learn(tmp_path / "twin", data, LIGHT)
    assert learn.learn(tmp_path / "model", data, LIGHT)["resumed"] == 0
    assert_same(tmp_path / "model", tmp_path / "twin")


def test_a_file_that_was_not_in_yet_may_change_or_come(tmp_path):
    data = pictures(tmp_path / "data", "abc")
    die(tmp_path / "model", data)
    changed(data / "c" / "059.png")
    (data / "c" / "060.png").write_bytes((data / "a" / "000.png").read_bytes())
    learn.learn(tmp_path / "twin", data, LIGHT)
    answer = learn.learn(tmp_path / "model", data, LIGHT)
    assert answer["resumed"] and answer["samples"] == 181
    assert_same(tmp_path / "model", tmp_path / "twin")


@pytest.mark.parametrize(
    "how",
    [
        How({"backbone": "patches", "method": "ncm"}, ["backbone.filters=7"]),
        How({"backbone": "patches", "method": "ncm"}, ["backbone.filters=6", "keep=3"]),
        How({"backbone": "patches", "method": "lda"}, ["backbone.filters=6"]),
        How({"backbone": "patches", "method": "ncm", "image_size": 16}, ["backbone.filters=6"]),
        How({"backbone": "patches", "method": "ncm", "random_state": 1}, ["backbone.filters=6"]),
    ],
)
def test_other_settings_begin_anew(how, tmp_path):
    data = pictures(tmp_path / "data", "ab")
    die(tmp_path / "model", data)
    learn.learn(tmp_path / "twin", data, how)
    assert learn.learn(tmp_path / "model", data, how)["resumed"] == 0
    assert_same(tmp_path / "model", tmp_path / "twin")


def test_another_version_before_begins_anew(tmp_path):
    first, second = pictures(tmp_path / "1", "ab"), pictures(tmp_path / "2", "cd")
    learn.learn(tmp_path / "model", first, LIGHT)
    die(tmp_path / "model", second, How())
    left = ModelFolder(tmp_path / "model").unfinished
    learn.learn(tmp_path / "model", pictures(tmp_path / "3", "a", 3, seed=5), How())
    assert not left.exists()
    assert learn.learn(tmp_path / "model", second, How())["resumed"] == 0


@pytest.mark.parametrize("part", ["checkpoint.json", "*.safetensors"])
def test_a_damaged_checkpoint_is_passed_over(part, tmp_path):
    data = pictures(tmp_path / "data", "ab")
    learn.learn(tmp_path / "twin", data, LIGHT)
    die(tmp_path / "model", data, steps=2)
    (path,) = ModelFolder(tmp_path / "model").unfinished.glob(part)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert learn.learn(tmp_path / "model", data, LIGHT)["resumed"] == 0
    assert_same(tmp_path / "model", tmp_path / "twin")


def test_a_folder_that_holds_a_checkpoint_alone_holds_no_model(tmp_path):
    data = pictures(tmp_path / "data", "ab")
    die(tmp_path / "model", data)
    with pytest.raises(ModelError, match="No model at"):
        versions.show(tmp_path / "model")
    with pytest.raises(ModelError, match="No model at"):
        versions.rollback(tmp_path / "model")
    assert learn.learn(tmp_path / "model", data, How(dry_run=True))["samples"] == 120
    assert (ModelFolder(tmp_path / "model").unfinished / checkpoint.MADE).exists()


def test_an_interrupt_leaves_the_model_as_it_was_and_the_next_learn_goes_on(tmp_path, monkeypatch):
    model, first = tmp_path / "model", pictures(tmp_path / "1", "ab")
    second = pictures(tmp_path / "2", "cd")
    learn.learn(model, first, LIGHT)
    write = Unfinished.write

    def interrupted(self: Unfinished, made: Checkpoint) -> None:
        write(self, made)
        raise KeyboardInterrupt

    before = versions.show(model)
    monkeypatch.setattr(Unfinished, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        learn.learn(model, second, How())
    monkeypatch.setattr(Unfinished, "write", write)
    after = versions.show(model)
    assert after.pop("bytes") > before.pop("bytes") and after == before
    assert learn.learn(model, second, How())["resumed"] == 32


def test_a_disk_that_takes_no_checkpoint_does_not_stop_learning(tmp_path, monkeypatch):
    data = pictures(tmp_path / "data", "ab")
    learn.learn(tmp_path / "twin", data, LIGHT)

    def full(action: str, path: Path) -> None:
        if action == "write" and path.parent.name.startswith("learn-"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(durable_files, "disk_step", full)
    answer = learn.learn(tmp_path / "model", data, LIGHT)
    (note,) = answer["warnings"]
    assert "No space left" in note and answer["resumed"] == 0
    assert_same(tmp_path / "model", tmp_path / "twin")


def test_when_the_disk_is_full_the_checkpoint_before_stays(tmp_path, monkeypatch):
    data, steps = pictures(tmp_path / "data", "abc"), []

    def filling(action: str, path: Path) -> None:
        steps.append((action, path.name))
        if ("rename", checkpoint.MADE) in steps and action == "write":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(durable_files, "disk_step", filling)
    with pytest.raises(ModelError, match="No space left"):
        learn.learn(tmp_path / "model", data, LIGHT)
    monkeypatch.undo()
    left = {path.name for path in ModelFolder(tmp_path / "model").unfinished.iterdir()}
    assert left == {checkpoint.MADE, "32.safetensors"}
    assert learn.learn(tmp_path / "model", data, LIGHT)["resumed"] == 32


class Mine(NCM):
    """Code of others, which may be other code tomorrow."""


def test_methods_of_others_leave_nothing(tmp_path, monkeypatch):
    steps = []
    monkeypatch.setattr(durable_files, "disk_step", lambda action, path: steps.append(str(path)))
    mine = {"backbone": "patches", "method": f"{__name__}:Mine"}
    how = How(mine, ["backbone.filters=6"])
    learn.learn(tmp_path / "model", pictures(tmp_path / "data", "ab"), how)
    assert steps and not any("learn-" in path for path in steps)


def test_a_learn_of_less_than_a_minute_writes_no_checkpoint(tmp_path, monkeypatch):
    steps = []
    monkeypatch.setattr(checkpoint, "EVERY", 60)
    monkeypatch.setattr(durable_files, "disk_step", lambda action, path: steps.append(str(path)))
    learn.learn(tmp_path / "model", pictures(tmp_path / "data", "ab"), LIGHT)
    assert steps and not any("learn-" in path for path in steps)


def test_checkpoints_take_a_hundredth_of_the_time_at_most(tmp_path, monkeypatch):
    now, written = [0.0], []
    monkeypatch.setattr(checkpoint, "EVERY", 60)
    monkeypatch.setattr(checkpoint, "WORK_PER_WRITE", 100)
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(Unfinished, "_possible", True)
    monkeypatch.setattr(Unfinished, "_key", lambda self, rows: str(rows))

    def write(self: Unfinished, made: object) -> None:
        written.append(now[0])
        now[0] += 2.0

    monkeypatch.setattr(Unfinished, "write", write)
    unfinished = Unfinished(tmp_path, None)
    assert unfinished.last() is None
    while now[0] < 1000:
        unfinished.reached(lambda: None)  # type: ignore[arg-type, return-value]
        now[0] += 10
    assert written == [60, 262, 464, 666, 868]


def test_data_that_comes_beside_leaves_none(tmp_path, monkeypatch):
    steps = []
    monkeypatch.setattr(durable_files, "disk_step", lambda action, path: steps.append(str(path)))
    data, beside = pictures(tmp_path / "data", "ab"), pictures(tmp_path / "beside", "c", 20)
    learn.learn(tmp_path / "model", data, LIGHT, learn.Beside(auxiliary=beside))
    assert steps and not any("learn-" in path for path in steps)


def test_who_interrupts_is_told_that_the_same_command_goes_on(tmp_path, monkeypatch):
    week, add = pictures(tmp_path / "week", "ab"), FeatureStatistics.add
    asked = iter(range(3))

    def interrupted(self, q, y):
        if next(asked, None) is None:
            raise KeyboardInterrupt
        add(self, q, y)

    with monkeypatch.context() as patched:
        patched.setattr(FeatureStatistics, "add", interrupted)
        with pytest.raises(KeyboardInterrupt, match="goes on after 96 of 120 samples"):
            learn.learn(tmp_path / "model", week, LIGHT)
    assert learn.learn(tmp_path / "model", week, LIGHT)["resumed"] == 96


def test_who_interrupts_before_a_checkpoint_is_told_that_nothing_has_changed(tmp_path, monkeypatch):
    def interrupted(self, q, y):
        raise KeyboardInterrupt

    monkeypatch.setattr(FeatureStatistics, "add", interrupted)
    with pytest.raises(KeyboardInterrupt, match="as it was$"):
        learn.learn(tmp_path / "model", pictures(tmp_path / "week", "ab"), LIGHT)
