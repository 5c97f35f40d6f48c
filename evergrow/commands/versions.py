"""The versions of a model: what each knows, and back to an older one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import ModelError
from ..formatting import listed, percent
from ..storage.model_folder import ModelFolder
from .open_model import Answer, description


def show(model: str | Path) -> Answer:
    """What a model knows, how it learns, its versions, its size in bytes. Needs no torch."""
    folder = ModelFolder(model)
    manifest, version = description(folder), folder.current()
    counts = [None if n == 0 else n for n in manifest["counts"]]  # nobody counted what was adopted
    labels = [str(label) for label in manifest["classes"]]
    return {
        "version": version,
        "versions": folder.versions(),
        "classes": manifest["classes"],
        "counts": dict(zip(labels, counts, strict=True)),
        "recalls": _recalls(manifest["update"].get("report") or {}),
        "method": manifest["method"]["name"],
        "method_settings": manifest["method"]["settings"],
        "backbone": manifest["backbone"]["name"],
        "backbone_settings": manifest["backbone"]["settings"],
        "reason": manifest["reason"],
        "input": manifest["prepare"],
        "raw_samples": "memory.parquet" in manifest["files"],
        "bytes": folder.bytes(),
        "version_bytes": folder.bytes(version),
        "history": [_version(folder, number) for number in folder.versions()],
    }


def _recalls(report: Answer) -> Answer:
    """Recall of each class by label: now, when it was learnt, and at best."""
    names = {"now": "per_class", "when_learnt": "first", "at_best": "best"}
    return {name: report.get(key) or {} for name, key in names.items()}


def _version(folder: ModelFolder, number: int) -> Answer:
    """One version in a few words; a damaged one is named, not an error."""
    try:
        manifest = description(folder, number)
    except ModelError as error:
        return {"version": number, "fault": str(error)}
    last = manifest["update"] or {}
    recall = {k: (last.get("report") or {}).get(k) for k in ("old", "new", "all")}
    return {
        "version": number,
        "parent": manifest["parent"],
        "time": manifest["time"],
        "classes": len(manifest["classes"]),
        "new_classes": last.get("new_classes", []),
        "samples": last.get("samples", 0),
        "seconds": last.get("seconds", 0.0),
        "recall": recall,
        "accuracy": recall,  # as it was called, for scripts that read it by that
        "method": manifest["method"]["name"],
        "learns_on": not manifest["pruned"],
    }


def row(entry: Answer, current: int, columns: Sequence[str], mark: str, most: int) -> list[Any]:
    """The cells of a table that has a row for each version; of a damaged one the fault.

    entry: of `show`'s history.  columns: see the code.  mark: put behind the current version.
    most: new classes that are listed.
    """
    number = f"{entry['version']}{mark if entry['version'] == current else ''}"
    if "fault" in entry:
        cells = {"version": number, "time": "damaged", "new": entry["fault"]}
        return [cells.get(column, "-") for column in columns]
    cells = {
        "version": number,
        "time": entry["time"][:16].replace("T", " "),
        "samples": entry["samples"],
        "classes": entry["classes"],
        "new": listed(entry["new_classes"], most),
        "old recall": percent(entry["recall"]["old"]),
        "recall": percent(entry["recall"]["all"]),
        "seconds": f"{entry['seconds']:.1f}",
        "method": entry["method"],
    }
    return [cells[column] for column in columns]


def rollback(model: str | Path, to: int | None = None) -> Answer:
    """Make an older version the current one, the parent by default. Needs no torch."""
    folder = ModelFolder(model)
    version = folder.rollback(to)
    return {
        "version": version,
        "versions": folder.versions(),
        "classes": description(folder, version)["classes"],
    }
