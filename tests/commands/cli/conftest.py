"""Weeks of images, a model that learnt one of them, and commands run in this process."""

import json
import shutil
from pathlib import Path

import pytest

from evergrow.commands.cli.main import app

from .bar_images import class_folder


@pytest.fixture(scope="session")
def week_1(tmp_path_factory):
    return class_folder(tmp_path_factory.mktemp("data") / "week-1", [0, 1, 2])


@pytest.fixture(scope="session")
def week_2(tmp_path_factory):
    return class_folder(tmp_path_factory.mktemp("data") / "week-2", [5, 7])


@pytest.fixture(scope="session")
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
