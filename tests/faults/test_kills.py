"""A model folder outlives whatever stops a commit: kill, power cut, full disk, interrupt."""

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from evergrow import load
from evergrow.errors import ModelError
from evergrow.storage import durable_files
from evergrow.storage.model_folder import ModelFolder

from . import figures

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked to be killed")

Work = Callable[[Path], None]
Step = Callable[[str, Path], None]


def commit(path: Path, value: int) -> None:
    """A version with all it can have, told apart by `value`; only the newest two keep all of it."""
    folder = ModelFolder(path, keep=2)
    with folder.writer():
        folder.commit(
            {"value": value},
            serving={"w": torch.full((2,), value)},
            learning={"sums": torch.full((3,), value)},
            memory=pa.table({"x": [bytes([value])]}),
            ledger=pa.table({"column": [value]}),
            blobs={"body": {"w": torch.ones(3)}, "own": {"w": torch.full((4,), value)}},
        )


def roll_back(path: Path) -> None:
    ModelFolder(path).rollback()


def state(path: Path) -> tuple[int, list[int]]:
    """(current, versions), all of them read in full; (0, []) if there is no model."""
    folder = ModelFolder(path, keep=2)
    if not folder.exists():
        with pytest.raises(ModelError, match="No model at"):
            folder.read()
        assert folder.versions() == []
        return 0, []
    for version in folder.versions():
        folder.verify(version)
        stored = folder.read(version, learning=not folder.manifest(version)["pruned"])
        value = stored.manifest["value"]
        assert stored.serving["w"].tolist() == [value] * 2
        assert stored.blobs["own"]["w"].tolist() == [value] * 4
        if stored.learning is not None:
            assert stored.learning["sums"].tolist() == [value] * 3
            assert stored.memory["x"].to_pylist() == [bytes([value])]
    return folder.current(), folder.versions()


def files(path: Path) -> dict[str, bytes | None]:
    """Everything in a folder; the lock's text, which names a process and a time, left out."""
    return {
        str(p.relative_to(path)): p.read_bytes() if p.is_file() and p.name != "lock" else None
        for p in path.rglob("*")
    }


def assert_goes_on(path: Path) -> None:
    """The next commit takes one number more and leaves nothing lying about."""
    _, versions = state(path)
    number = max(versions, default=0) + 1
    commit(path, 77)
    assert state(path) == (number, [*versions, number])
    manifests = [ModelFolder(path).manifest(v) for v in ModelFolder(path).versions()]
    used = {entry["sha256"] for m in manifests for entry in m["blobs"].values()}
    assert {p.name for p in (path / "blobs").iterdir()} == used
    assert list((path / "pending").iterdir()) == []
    assert len(list((path / "versions").iterdir())) == len(manifests)
    assert {p.name for p in path.iterdir()} == {"HEAD", "versions", "blobs", "pending", "lock"}


class Counted:
    """Counts steps; at step n it does something terrible."""

    def __init__(self, n: int, act: Step):
        self.n, self.act, self.count = n, act, 0

    def __call__(self, action: str, path: Path) -> None:
        self.count += 1
        if self.count == self.n:
            self.act(action, path)


class Snapshots:
    """At each step two copies of the folder: as a kill at this moment leaves it, and a power cut.

    A power cut takes what was not synced: a file written but not synced is left empty; one made or
    moved in a folder that was not synced since is not there. (It may also be: as after a kill.)
    """

    def __init__(self, path: Path, where: Path):
        self.path, self.where, self.count = path, where, 0
        self.unsynced: set[Path] = set()
        self.unnamed: set[Path] = set()
        self.replaced: set[Path] = set()  # there before it was moved to: old or new, never gone
        self.last = ("", path)

    def __call__(self, action: str, path: Path) -> None:
        done, target = self.last  # the step before this one, which went through
        if done == "sync":
            self.unsynced.discard(target)
            self.unnamed = {p for p in self.unnamed if p.parent != target}
        if done == "rename":
            self.unsynced = {self._moved(p, target) for p in self.unsynced}
            self.unnamed = {self._moved(p, target) for p in self.unnamed} - self.replaced
        self.count += 1
        self._copy(f"kill {self.count}", set(), set())
        self._copy(f"power cut {self.count}", self.unsynced, self.unnamed)
        self.last = (action, path)
        if action == "rename" and path.exists():
            self.replaced.add(path)
        if action == "write":
            self.unsynced.add(path)
        if action == "write" or (action in ("make", "rename") and not path.exists()):
            self.unnamed.add(path)

    def _moved(self, path: Path, target: Path) -> Path:
        """Where a file is now, if it was in the folder that became the target, or became it."""
        if path.exists():
            return path
        return target / path.name if target.is_dir() else target

    def _copy(self, name: str, emptied: set[Path], gone: set[Path]) -> None:
        copy = self.where / name
        if self.path.exists():
            shutil.copytree(self.path, copy)
        for path in emptied:
            if (lost := copy / path.relative_to(self.path)).exists():
                lost.write_bytes(b"")
        for path in gone:
            lost = copy / path.relative_to(self.path)
            shutil.rmtree(lost) if lost.is_dir() else lost.unlink(missing_ok=True)


def kill(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def forked(work: Work, path: Path, step: Step) -> int:
    """Do the work in a process of its own.  Returns the signal that ended it, 0 if none did."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking a process with threads
        child = os.fork()
    if not child:
        try:
            durable_files.disk_step = step
            work(path)
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def nothing(path: Path) -> None:
    """No folder at all."""


def empty(path: Path) -> None:
    path.mkdir()


def three(path: Path) -> None:
    """The next commit makes one version old enough to be pruned."""
    for value in (1, 2, 3):
        commit(path, value)


def rolled_back(path: Path) -> None:
    three(path)
    ModelFolder(path).rollback()


def orphaned(path: Path) -> None:
    """A commit was killed when its version was in its place and HEAD had not moved yet."""

    def before_head(action: str, target: Path) -> None:
        if action == "rename" and target.name == "HEAD":
            kill()

    three(path)
    assert forked(lambda p: commit(p, 4), path, before_head) == signal.SIGKILL
    assert (path / "versions" / "000004").exists() and list((path / "pending").iterdir())


CASES = {
    "first commit": (nothing, lambda path: commit(path, 1), (0, []), (1, [1])),
    "into an empty folder": (empty, lambda path: commit(path, 1), (0, []), (1, [1])),
    "later commit": (three, lambda path: commit(path, 4), (3, [1, 2, 3]), (4, [1, 2, 3, 4])),
    "after a rollback": (
        rolled_back,
        lambda path: commit(path, 4),
        (2, [1, 2, 3]),
        (4, [1, 2, 3, 4]),
    ),
    "after a kill": (orphaned, lambda path: commit(path, 4), (3, [1, 2, 3]), (4, [1, 2, 3, 4])),
    "rollback": (three, roll_back, (3, [1, 2, 3]), (2, [1, 2, 3])),
}


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps count here, not what the disk does at them."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@dataclass
class Case:
    """A folder, the work done on it, and (current, versions) before and after."""

    template: Path
    path: Path
    work: Work
    before: tuple[int, list[int]]
    after: tuple[int, list[int]]

    def fresh(self) -> Path:
        shutil.rmtree(self.path, ignore_errors=True)
        if self.template.exists():
            shutil.copytree(self.template, self.path)
        return self.path


@pytest.fixture
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    prepare, work, before, after = CASES[request.param]
    prepare(tmp_path / "template")
    commit(tmp_path / "imports what a commit needs", 1)  # once here, not in every child
    case = Case(tmp_path / "template", tmp_path / "model", work, before, after)
    assert state(case.fresh()) == before
    return case


def of(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", names, indirect=True)


def assert_one_change(case: Case, seen: list[tuple[int, list[int]]]) -> None:
    change = seen.index(case.after)
    assert seen == [case.before] * change + [case.after] * (len(seen) - change)
    assert change > 5 and len(seen) - change > 1  # tidying may be cut short, too


@of("first commit", "later commit")
def test_kill_9_at_any_step_leaves_the_version_before_or_after(case):
    seen, died = [], True
    while died:
        died = forked(case.work, case.fresh(), Counted(len(seen) + 1, kill)) == signal.SIGKILL
        seen.append(state(case.path))
    assert_one_change(case, seen)
    figures.add("kills at every step", len(seen))


@of("first commit", "later commit", "after a kill", "after a rollback", "rollback")
def test_whatever_a_death_leaves_is_a_version_to_go_on_from(case, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        step = Snapshots(case.fresh(), tmp_path)
        patch.setattr(durable_files, "disk_step", step)
        case.work(case.path)
    for fault in ("kill", "power cut"):
        paths = [tmp_path / f"{fault} {n + 1}" for n in range(step.count)]
        assert_one_change(case, [*map(state, paths), state(case.path)])
        for path in paths[:: 1 if fault == "kill" else 4]:
            assert_goes_on(path)
        figures.add("kills at every step" if fault == "kill" else "power cuts", len(paths))


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


class StaysFull(Counted):
    """From step n on nothing can be written or made; deleting, syncing and moving go on."""

    def __init__(self, n: int):
        super().__init__(n, full)

    def __call__(self, action: str, path: Path) -> None:
        super().__call__(action, path)
        if self.count > self.n and action in ("write", "make"):
            full()


FAULTS: dict[str, tuple[Callable[[int], Counted], type[BaseException]]] = {
    "disk full": (StaysFull, ModelError),
    "interrupted": (lambda n: Counted(n, interrupt), KeyboardInterrupt),
}


@of("first commit", "into an empty folder", "later commit", "rollback")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_failure_at_any_step_leaves_everything_as_it_was(case, fault, monkeypatch):
    make, expected = FAULTS[fault]
    untouched = files(case.fresh())
    failures, n, step = 0, 0, Counted(0, full)
    while step.count >= n:
        n += 1
        step = make(n)
        raised = attempt(case, step, monkeypatch)
        now = state(case.path)
        if raised is None:
            assert now == case.after
            continue
        assert type(raised) is expected
        if now == case.after:  # interrupted while tidying, the commit being done
            assert expected is KeyboardInterrupt
            continue
        failures += 1
        assert now == case.before
        assert files(case.path) == untouched
        assert case.path.exists() == case.template.exists()
        if expected is ModelError:
            assert "No space left" in str(raised) and "as it was before" in str(raised)
    assert failures > 3 and now == case.after
    figures.add("failing calls", n)


def attempt(case: Case, step: Step, monkeypatch: pytest.MonkeyPatch) -> BaseException | None:
    """Do the work on a fresh copy.  Returns what it raised."""
    case.fresh()
    with monkeypatch.context() as patch:
        patch.setattr(durable_files, "disk_step", step)
        try:
            case.work(case.path)
        except BaseException as raised:
            return raised
    return None


def test_everything_is_synced_before_head_names_it(tmp_path):
    """The order that a power cut needs: contents, then names, then HEAD, then HEAD's name."""
    log: list[tuple[str, str]] = []
    three(tmp_path)
    disk_step = durable_files.disk_step
    try:
        durable_files.disk_step = lambda action, path: log.append(
            (action, str(path.relative_to(tmp_path.parent)))
        )
        commit(tmp_path, 4)
    finally:
        durable_files.disk_step = disk_step
    root = tmp_path.name
    head = log.index(("rename", f"{root}/HEAD"))
    assert log[head + 1] == ("sync", root) and ("sync", root) in log[:head]
    for name in ("serving.safetensors", "learning.safetensors", "memory.parquet", "manifest.json"):
        ends = [i for i, (action, path) in enumerate(log) if path.endswith(f"version/{name}")]
        assert log[ends[-1]][0] == "sync" and ends[-1] < head
    assert log.index(("rename", f"{root}/versions/000004")) < log.index(
        ("sync", f"{root}/versions")
    )
    assert log.index(("sync", f"{root}/versions")) < head


def test_what_cannot_be_swept_yet_stays_known_as_unfinished(tmp_path, monkeypatch):
    orphaned(tmp_path / "model")

    def fail(action: str, path: Path) -> None:
        if action == "remove" and path.parent.name == "versions":
            raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr(durable_files, "disk_step", fail)
        commit(tmp_path / "model", 5)
    assert (tmp_path / "model" / "versions" / "000004").exists()
    assert state(tmp_path / "model") == (5, [1, 2, 3, 5])
    commit(tmp_path / "model", 6)
    assert not (tmp_path / "model" / "versions" / "000004").exists()
    assert state(tmp_path / "model") == (6, [1, 2, 3, 5, 6])


# The command line, killed at random moments: 5 times in the suite, 200 times by `make faults`

TIMES = int(os.environ.get("EVERGROW_FAULTS", "5"))


def killed(command: Sequence[str], seconds: float) -> bool:
    """Run a command, kill it and all that it started after so many seconds.  Whether in time."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        process.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True


def kill_at_random(
    command: Sequence[str], longest: float, check: Callable[[], None], times: int = TIMES
) -> int:
    """Kill a command after up to `longest` seconds, again and again, checking each time.

    Returns how often it was killed in time. Moments are spread evenly, so that few are enough.
    """
    moments = [longest * (i + random.random()) / times for i in range(times)]
    count = 0
    for seconds in random.sample(moments, times):
        count += killed(command, seconds)
        check()
    return count


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """week-1: ten images of each of the digits 0 to 4; week-2: of 5 to 9."""
    root = tmp_path_factory.mktemp("weeks")
    digits = load_digits()
    for digit in range(10):
        folder = root / ("week-1" if digit < 5 else "week-2") / str(digit)
        folder.mkdir(parents=True)
        for i, image in enumerate(digits.images[digits.target == digit][:10]):
            Image.fromarray((image * 15.9).astype("uint8")).save(folder / f"{i}.png")
    return root


def evergrow(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "evergrow", *map(str, arguments)]


def run(*arguments: object) -> str:
    """What the command says on standard output."""
    return subprocess.run(
        evergrow(*arguments), check=True, stdout=subprocess.PIPE, text=True
    ).stdout


@pytest.mark.timeout(120 + 60 * TIMES)
def test_learn_killed_at_random_moments_leaves_the_version_before_or_after(weeks, tmp_path):
    model, template, week_2 = tmp_path / "model", tmp_path / "template", weeks / "week-2"
    images = np.stack([np.asarray(Image.open(p)) for p in sorted(weeks.rglob("*.png"))])
    light = ("--backbone", "none", "--method", "ncm")  # the folder is tested here, not the network
    run("learn", template, weeks / "week-1", *light)
    shutil.copytree(template, model)
    start = time.monotonic()
    run("learn", model, week_2)
    seconds = time.monotonic() - start
    answers = {1: load(template).predict_proba(images), 2: load(model).predict_proba(images)}
    shutil.rmtree(model)
    shutil.copytree(template, model)

    def check() -> None:
        shown = json.loads(run("show", model, "--json"))
        assert len(shown["classes"]) == 5 * shown["version"]
        assert shown["versions"] == list(range(1, shown["version"] + 1))
        assert np.array_equal(load(model).predict_proba(images), answers[shown["version"]])
        if shown["version"] == 2:
            shutil.rmtree(model)
            shutil.copytree(template, model)

    assert kill_at_random(evergrow("learn", model, week_2), seconds, check) > 0
    figures.add("kills at random", TIMES)
    run("learn", model, week_2)
    assert np.array_equal(load(model).predict_proba(images), answers[2])
    assert list((model / "pending").iterdir()) == []
