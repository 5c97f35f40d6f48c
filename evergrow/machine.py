"""Where a number was measured: processor, versions, and the commit of the code."""

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def machine() -> dict[str, Any]:
    """Processor, cores, threads that torch uses, versions.

    >>> sorted(machine())[:3]
    ['cores', 'cpu', 'evergrow']
    """
    import torch

    packages = ("evergrow", "torch", "scikit-learn", "numpy")
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def commit() -> tuple[str | None, bool | None]:
    """The git commit of the checkout that evergrow is run from, and whether files differ from it.

    (None, None) where it is installed and not a checkout, or there is no git.
    """
    top = _git("rev-parse", "--show-toplevel")
    if top is None or Path(top).resolve() != HERE.parent:
        return None, None
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return _git("rev-parse", "HEAD"), None if changed is None else bool(changed)


def _git(*words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(HERE), *words], capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def version(name: str) -> str | None:
    """The version of an installed package; None where it is not."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
