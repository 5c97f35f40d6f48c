"""Where a number was measured: processor, versions, and the commit of the code."""

import hashlib
import os
import platform
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

# Packages whose versions are told, by what they are told for.
STORED = ("evergrow", "torch", "numpy", "safetensors", "pyarrow")  # in a model folder
LEARNING = (*STORED, "pillow", "timm", "transformers", "sentence-transformers")  # what shapes sums
FEATURES = ("evergrow", "torch", "torchvision", "timm", "transformers")  # what shapes features
MEASURED = ("evergrow", "torch", "scikit-learn", "numpy")  # beside a number
HERE = Path(__file__).resolve().parents[1]


def machine() -> dict[str, Any]:
    """Processor, cores, threads that torch uses, versions.

    >>> sorted(machine())[:3]
    ['cores', 'cpu', 'evergrow']
    """
    import torch

    return {
        "cpu": cpu(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "system": platform.system(),
        **packages(MEASURED),
    }


def git_commit() -> tuple[str | None, bool | None]:
    """The git commit of the checkout that evergrow is run from, and whether files differ from it.

    (None, None) where it is installed and not a checkout, or there is no git.
    """
    top = _git("rev-parse", "--show-toplevel")
    if top is None or Path(top).resolve() != HERE.parent:
        return None, None
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return _git("rev-parse", "HEAD"), None if changed is None else bool(changed)


@cache
def code() -> str:
    """A hash of the package's own code, as it lies there."""
    digest = hashlib.sha256()
    for path in sorted(HERE.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(HERE).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _git(*words: str) -> str | None:
    import subprocess

    try:
        done = subprocess.run(
            ["git", "-C", str(HERE), *words], capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def cpu() -> str:
    """What the processor calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def packages(names: Iterable[str]) -> dict[str, str]:
    """Versions of Python and of those packages that are installed.

    >>> list(packages(["no-such-package", "numpy"]))
    ['python', 'numpy']
    """
    versions = {name: version(name) for name in names}
    there = {name: number for name, number in versions.items() if number is not None}
    return {"python": platform.python_version(), **there}


@cache
def version(name: str) -> str | None:
    """The version of an installed package; None where it is not."""
    from importlib import metadata  # slow to import, and `show` needs none

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
