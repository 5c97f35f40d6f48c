"""The commands for developers and the curious: check, methods, backbones, demo."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import check as checking
from . import display
from .arguments import find_here
from .flags import (
    JsonOption,
)
from .output import answer

ANSWERS = {  # by command: what --json prints, for docs/cli.md
    "check": "method, passed",
    "methods": "methods: a list of {name, family, keeps, line, settings}",
    "backbones": "backbones: a list of {name, reads, line, settings}",
    "demo": "runs: a list of {name, model, old, new, all, seconds}",
}


def check(
    method: Annotated[str, typer.Argument(metavar="MODULE:CLASS", help="A method of your own.")],
    as_json: JsonOption = False,
) -> None:
    """Test a method of your own.

    Runs the contract that every method of evergrow satisfies.
    """
    find_here(method)
    answer(checking.check(method), as_json, display.checked)


def methods(as_json: JsonOption = False) -> None:
    """List the methods.

    A method is how old classes are kept while new ones are learnt.
    """
    from ... import methods

    rows = [_row(entry) for entry in methods.ENTRIES]
    answer({"methods": rows}, as_json, display.methods_table)


def backbones(as_json: JsonOption = False) -> None:
    """List the backbones.

    A backbone is the network that turns an input into features.
    """
    from ... import backbones

    rows = [_row(entry) for entry in backbones.ENTRIES]
    answer({"backbones": rows}, as_json, display.backbones_table)


def _row(entry: Any) -> dict[str, Any]:
    return {**entry._asdict(), "settings": entry.settings.split()}


def demo(
    data: Annotated[
        Path | None,
        typer.Option(help="A folder per class, or the four Fashion-MNIST idx files; else digits."),
    ] = None,
    folder: Annotated[Path, typer.Option(help="Where everything is written.")] = Path("demo"),
    as_json: JsonOption = False,
) -> None:
    """See the main job done.

    Half of the classes are learnt, then the others, in processes of their own; beside it the same
    by plain fine-tuning, and one table of both.
    """
    from .. import demo

    def say(line: str) -> None:
        print(line, file=sys.stderr if as_json else sys.stdout, flush=True)

    answer(demo.run(folder, data, say), as_json, display.compared)
