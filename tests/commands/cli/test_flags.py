"""Arguments that several commands share."""

from pathlib import Path

import pytest
import typer
import typer.main

from evergrow.commands.cli import flags
from evergrow.commands.cli.main import app


def test_an_empty_path_is_not_the_working_directory():
    assert flags.path_argument("a/b") == Path("a/b")
    with pytest.raises(typer.BadParameter, match="the path is empty"):
        flags.path_argument("")


def test_a_flag_means_the_same_wherever_it_stands():
    told = {}
    for command in typer.main.get_command(app).commands.values():
        for parameter in command.params:
            if "--json" in parameter.opts or "--skip-bad" in parameter.opts:
                told.setdefault(parameter.opts[0], set()).add((parameter.help, parameter.is_flag))
    assert set(told) == {"--json", "--skip-bad"} and all(len(says) == 1 for says in told.values())
