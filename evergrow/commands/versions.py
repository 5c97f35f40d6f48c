"""The versions of a model: what each knows, and back to an older one."""

from pathlib import Path

from ..errors import ModelError
from ..storage.model_folder import ModelFolder
from .open_model import Answer


def show(model: str | Path) -> Answer:
    """What a model knows, how it learns, its versions, its size in bytes. Needs no torch."""
    folder = ModelFolder(model)
    manifest, version = folder.manifest(), folder.current()
    counts = [None if n == 0 else n for n in manifest["counts"]]  # nobody counted what was adopted
    labels = [str(label) for label in manifest["classes"]]
    return {
        "version": version,
        "versions": folder.versions(),
        "classes": manifest["classes"],
        "counts": dict(zip(labels, counts, strict=True)),
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


def _version(folder: ModelFolder, number: int) -> Answer:
    """One version in a few words; a damaged one is named, not an error."""
    try:
        manifest = folder.manifest(number)
    except ModelError as error:
        return {"version": number, "fault": str(error)}
    last = manifest["update"] or {}
    return {
        "version": number,
        "parent": manifest["parent"],
        "time": manifest["time"],
        "classes": len(manifest["classes"]),
        "new_classes": last.get("new_classes", []),
        "samples": last.get("samples", 0),
        "seconds": last.get("seconds", 0.0),
        "accuracy": {k: (last.get("report") or {}).get(k) for k in ("old", "new", "all")},
        "method": manifest["method"]["name"],
        "learns_on": not manifest["pruned"],
    }


def rollback(model: str | Path, to: int | None = None) -> Answer:
    """Make an older version the current one, the parent by default. Needs no torch."""
    folder = ModelFolder(model)
    version = folder.rollback(to)
    return {
        "version": version,
        "versions": folder.versions(),
        "classes": folder.manifest(version)["classes"],
    }
