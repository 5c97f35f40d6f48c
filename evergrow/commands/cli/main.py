"""The program `evergrow`: its commands in order, each called by name."""

import io
import sys
from importlib import import_module
from typing import Annotated

import typer

from ...storage import environment
from .exit_codes import INTERRUPTED
from .output import Commands

app = typer.Typer(
    name="evergrow",
    cls=Commands,
    help="Classifiers that gain classes: learn new labels from new data, keep the old ones.",
    no_args_is_help=True,
    add_completion=True,  # for bash, zsh, fish: evergrow --install-completion
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(asked: bool) -> None:
    if asked:
        print(f"evergrow {environment.version('evergrow')}")
        raise typer.Exit


@app.callback()
def program(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version, and exit."
        ),
    ] = False,
) -> None:
    """What stands before a command."""


# By file and function, in the order of `evergrow --help`. A new command: a file, and its line here.
COMMANDS = (
    "learning.learn",
    "learning.advise",
    "asking.predict",
    "asking.evaluate",
    "asking.show",
    "asking.layers",
    "asking.report",
    "asking.rollback",
    "learning.adopt",
    "developing.check",
    "developing.methods",
    "developing.backbones",
    "benchmarking.bench",
    "developing.demo",
)
for command in COMMANDS:
    file, _, function = command.partition(".")
    app.command()(getattr(import_module(f".{file}", __package__), function))


def main() -> None:
    """The program `evergrow`."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names that are no valid text
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
