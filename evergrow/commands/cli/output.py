"""What a command prints: an answer in words or as JSON, or one message for an error."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import typer
from typer.core import TyperGroup

from ... import errors
from ...errors import EvergrowError
from ...formatting import escaped
from . import display
from .exit_codes import DONE, INTERRUPTED, USAGE, exit_code

Show = Callable[[dict[str, Any]], None]


class Commands(TyperGroup):
    """The commands; when one fails: one message, the right exit code, no traceback."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.obj = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # a reader who left is noticed here, not when Python ends
            return result
        except (typer.Exit, typer.Abort):
            raise
        except BrokenPipeError:
            hush()
            raise typer.Exit(DONE) from None
        except KeyboardInterrupt as stop:
            fail("Interrupted", str(stop) or errors.STOPPED, ctx.obj)
            raise typer.Exit(INTERRUPTED) from None
        except Exception as error:
            usage = getattr(error, "format_message", None)  # typer's own: a wrong option
            if (usage and not ctx.obj) or os.environ.get("EVERGROW_DEBUG"):
                raise
            report = getattr(error, "report", None)
            if report and not ctx.obj:
                display.update_report(report)
            more = {"report": report} if report else {}
            fail(type(error).__name__, usage() if usage else message(error), ctx.obj, more)
            raise typer.Exit(USAGE if usage else exit_code(error)) from None


def message(error: Exception) -> str:
    """One message, for errors of ours, of the system, and those that nobody foresaw."""
    if isinstance(error, EvergrowError):
        return str(error)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}; the model is as it was."
    if isinstance(error, MemoryError):
        return f"out of memory; the model is as it was. {error}".strip()
    return (
        f"this was not foreseen: {type(error).__name__}: {error}. The model is as it was. "
        "EVERGROW_DEBUG=1 in the environment shows where it happened."
    )


def fail(
    kind: str, text: str, as_json: bool | None, more: Mapping[str, Any] = MappingProxyType({})
) -> None:
    """Say what went wrong, once: as JSON on standard output, or in words on standard error."""
    if as_json:
        print(json.dumps({"error": {"type": kind, "message": text}, **more}), flush=True)
    else:
        display.say(f"evergrow: {escaped(text)}", error=True)


def hush() -> None:
    """Nobody reads our output any more: say nothing more, not even when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def answer(result: dict[str, Any], as_json: bool, show: Show) -> None:
    """A result on standard output, as JSON or as people read it; its warnings on standard error."""
    for warning in result.get("warnings") or []:
        display.say(f"note: {escaped(warning)}", error=True)
    if as_json:
        print(json.dumps(result))
    else:
        show(escaped(result))


def answer_done(result: dict[str, Any], as_json: bool, show: Show) -> None:
    """The answer of a command that has changed the model: it is no failure that nobody hears it.

    Raises typer.Exit(0) where it cannot be written to its end, and says so on standard error.
    """
    try:
        answer(result, as_json, show)
        sys.stdout.flush()
    except BrokenPipeError:
        raise  # who listened has left: nothing to say
    except (OSError, KeyboardInterrupt) as error:
        why = getattr(error, "strerror", None) or "interrupted"
        fail(
            type(error).__name__,
            f"the answer could not be written ({why}), but what was asked for is done: version "
            f"{result.get('version')} is current.",
            as_json=False,
        )
        hush()
        raise typer.Exit(DONE) from None
