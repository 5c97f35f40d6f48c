"""Methods side by side on a stream of tasks. Imports every wing before it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..model.options import How as How
    from .runner import Runs as Runs
    from .runner import run as run
    from .workload import Subject as Subject

PUBLIC = {
    "run": "bench.runner",
    "Runs": "bench.runner",
    "Subject": "bench.workload",
    "How": "model.options",
}
__all__ = ["How", "Runs", "Subject", "run"]


def __getattr__(name: str) -> Any:
    if name not in PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"evergrow.{PUBLIC[name]}"), name)
