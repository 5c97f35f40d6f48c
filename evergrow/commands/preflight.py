"""What is wrong with a command is said before anything slow is imported: paths, names, settings."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .. import backbones, methods
from ..data.source import Source
from ..errors import DataError, SettingError
from ..model import options
from ..model.options import How
from ..model.parameters import SETTABLE
from ..registry import meant

AUTO = "auto"


def check_paths(data: Iterable[Any]) -> None:
    """Raise DataError for a path at which nothing is, with the nearest names beside it.

    data: Sources, or whatever `sources.read` takes; None is passed over.
    """
    for each in data:
        given = Source.of(each).data
        for path in given if isinstance(given, list | tuple) else [given]:
            if isinstance(path, str | Path):
                _check_path(Path(path).expanduser())


def _check_path(path: Path) -> None:
    if os.path.lexists(path):
        return
    try:
        beside = sorted(os.listdir(path.parent))
    except OSError:
        beside = []
    if any(name.startswith(path.name) for name in beside):
        return  # data/t10k may mean a pair of idx files
    near = meant(path.name, beside, lambda name: str(path.parent / name))
    shown = os.fsencode(path).decode("utf-8", "replace")
    raise DataError(f"{shown}: no such file or folder{near}; check the path.")


def check_names(how: How, learnt: dict[str, Any] | None) -> None:
    """Raise SettingError for a method, a backbone or a setting that there is not.

    learnt: the manifest of the model that is to learn; None for a new one. What is by MODULE:CLASS
    is not looked at, nor are values.
    """
    names = {} if learnt is None else {key: learnt[key]["name"] for key in ("method", "backbone")}
    method = _named(methods.REGISTRY, how.settings.get("method"), names.get("method", AUTO))
    backbone = _named(backbones.REGISTRY, how.settings.get("backbone"), names.get("backbone", AUTO))
    words = options.pairs(how.words)
    theirs = [k.removeprefix("backbone.") for k in words if k.startswith("backbone.")]
    if backbone not in (None, AUTO):
        _check_settings(f"backbone {backbone}", theirs, _settings(backbones.REGISTRY, backbone))
    if method is not None:
        known = [*_settings(methods.REGISTRY, method), *SETTABLE]
        own = [k for k in words if not k.startswith("backbone.")]
        _check_settings(f"method {method}", own, known)


def _named(registry: Any, asked: Any, before: str) -> str | None:
    """The entry that is meant; None where it is code of the user's own."""
    name = before if asked in (None, AUTO) else asked
    own = not isinstance(name, str) or name == "own"
    if own or (":" in name and registry is methods.REGISTRY):
        return None
    if name == AUTO:
        return AUTO
    base, colon, _ = name.partition(":")
    if registry.named(base) is None:
        raise registry.unknown(base if colon else name)
    return str(registry.canonical(base))


def _settings(registry: Any, name: str) -> list[str]:
    """Names of an entry's settings; none of `AUTO`."""
    entry = registry.named(name)
    return [] if entry is None else entry.settings.split()


def _check_settings(whose: str, names: Iterable[str], known: list[str]) -> None:
    for name in names:
        if name not in known:
            raise SettingError(
                f"{whose} has no setting {name!r}{meant(name, known)}; its settings: "
                f"{', '.join(known) or 'none'}."
            )
