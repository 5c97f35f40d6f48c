"""Where a number was measured."""

import json
import subprocess
from pathlib import Path

import pytest

from evergrow.storage import environment


def test_the_record_is_plain_json():
    found = environment.machine()
    assert json.loads(json.dumps(found)) == found
    assert found["cores"] >= 1 and found["threads"] >= 1 and found["cpu"]


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout that evergrow might be run from."""
    (tmp_path / "evergrow").mkdir()
    (tmp_path / "evergrow" / "a.py").write_text("a = 1\n")
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    for words in (("init", "-q"), ("add", "."), (*who, "commit", "-q", "-m", "first")):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    monkeypatch.setattr(environment, "HERE", (tmp_path / "evergrow").resolve())
    return tmp_path


def test_a_checkout_tells_its_commit_and_whether_it_was_changed(checkout):
    commit, dirty = environment.git_commit()
    assert len(commit) == 40 and dirty is False
    (checkout / "evergrow" / "a.py").write_text("a = 2\n")
    assert environment.git_commit() == (commit, True)


def test_a_package_inside_somebody_elses_checkout_has_no_commit(checkout, monkeypatch):
    inner = checkout / "venv" / "evergrow"
    inner.mkdir(parents=True)
    monkeypatch.setattr(environment, "HERE", inner.resolve())
    assert environment.git_commit() == (None, None)


def test_without_git_there_is_no_commit(monkeypatch):
    monkeypatch.setattr(environment, "HERE", Path("/"))
    assert environment.git_commit() == (None, None)
    monkeypatch.setenv("PATH", "")
    assert environment.git_commit() == (None, None)


def test_the_code_is_another_when_a_file_has_another_content_or_name(checkout):
    found = set()
    for change in (
        lambda folder: (folder / "a.py").write_text("a = 2\n"),
        lambda folder: (folder / "a.py").rename(folder / "b.py"),
        lambda folder: (folder / "b.json").touch(),
    ):
        environment.code.cache_clear()
        found.add(environment.code())
        change(checkout / "evergrow")
    environment.code.cache_clear()
    assert len(found) == 3 and environment.code() in found, "no code of that kind"
    environment.code.cache_clear()


def test_a_package_that_is_not_there_has_no_version():
    assert environment.version("no-such-package-at-all") is None


def test_versions_are_told_of_python_and_of_what_is_installed():
    found = environment.packages(("no-such-package-at-all", *environment.STORED))
    assert list(found) == ["python", *environment.STORED]
    assert found["torch"] == environment.version("torch") is not None
    assert set(environment.STORED) < set(environment.LEARNING)
