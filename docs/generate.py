"""Writes docs/cli.md from the command line itself (`make docs`), or with --check compares them."""

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from evergrow.commands.cli.main import app

FILE = Path(__file__).with_name("cli.md")

INTRODUCTION = """# The command line

Written by `make docs` from the commands themselves; do not edit.

Results go to standard output: a table at a terminal, columns separated by tabs when piped, one
JSON object with `--json`. Progress, notes and messages go to standard error. A command that fails
says why in one message (with `--json`: `{"error": {"type": ..., "message": ...}}`) and leaves model
and data as they were.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | the data or the model is at fault |
| 2 | the command, an option or a setting is at fault |
| 3 | the gate refused the update |
| 130 | interrupted (Ctrl-C) |

DATA is a folder with one subfolder a class, or a CSV, Parquet, JSON-lines, npz or idx file; for
`predict` also images and folders without labels. `EVERGROW_DEBUG=1` in the environment shows where
an error came from.
"""


def commands() -> dict[str, Any]:
    """The commands by name, in order."""
    return dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def text() -> str:
    """All of docs/cli.md."""
    parts = [INTRODUCTION]
    for name, command in commands().items():
        parts.append("\n".join(section(name, command)))
    return "\n".join(parts)


def section(name: str, command: Any) -> Iterator[str]:
    """One command: usage, what it does, its arguments and options, its JSON."""
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and p.name != "help"]
    yield f"## evergrow {name}\n"
    yield f"```\nevergrow {name} {' '.join([*(a.metavar for a in arguments), '[OPTIONS]'])}\n```\n"
    yield f"{inspect.cleandoc(command.help)}\n"
    yield "| | |\n|---|---|"
    for p in arguments:
        yield f"| `{p.metavar}` | {p.help} |"
    for p in options:
        yield f"| {spelling(p)} | {p.help}{default(p)} |"
    yield f"\nJSON: {answers()[name]}.\n"


def spelling(option: Any) -> str:
    """The option as one writes it: `--epochs INTEGER`."""
    takes = "" if option.is_flag else f" {option.metavar or kind(option)}"
    return ", ".join(f"`{word}{takes}`" for word in option.opts)


def kind(option: Any) -> str:
    """What an option takes, in a word."""
    words = {"int": "N", "float": "X", "str": "WORD"}
    hint = inspect.signature(functions()[option.name]).parameters[option.name].annotation
    choices = re.search(r"Literal\[(.*?)\]", str(hint))
    if choices:
        return "\\|".join(re.findall(r"'(\w+)'", choices[1]))
    return next((word for name, word in words.items() if name in str(hint)), "PATH")


def functions() -> dict[str, Any]:
    """A function that has a parameter of each name."""
    found: dict[str, Any] = {}
    for info in app.registered_commands:
        assert info.callback is not None
        found.update(dict.fromkeys(inspect.signature(info.callback).parameters, info.callback))
    return found


def answers() -> dict[str, str]:
    """What each command prints with --json, as the file that it stands in says."""
    modules = {inspect.getmodule(info.callback) for info in app.registered_commands}
    return {name: keys for module in modules for name, keys in module.ANSWERS.items()}


def default(option: Any) -> str:
    """The default, where there is one to tell."""
    value = option.default
    return "" if option.is_flag or value in (None, [], ()) else f" Default: {value}."


def main() -> None:
    """Write the file, or check it."""
    if "--check" not in sys.argv:
        FILE.write_text(text())
    elif not FILE.exists() or FILE.read_text() != text():
        sys.exit("docs/cli.md is not what the command line says; run `make docs`.")


if __name__ == "__main__":
    main()
