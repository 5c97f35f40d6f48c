"""The manifest of a version: JSON that people can read, sealed with a hash of itself."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..errors import FormatError
from . import environment
from .durable_files import Fault
from .plain_json import plain

FORMAT = 1


def make(version: int, parent: int | None, content: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest: what the store says of a version, then `content`.

    Keys become strings, arrays lists, NaN and infinity null: strict JSON, which any tool reads.
    """
    own = {
        "format": FORMAT,
        "version": version,
        "parent": parent,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    manifest: dict[str, Any] = plain(
        {**own, **content, **own, "packages": environment.packages(environment.STORED)}
    )
    return manifest


def dump(manifest: Mapping[str, Any]) -> bytes:
    """Indented JSON whose last key, "seal", is the hash of all before it, white space apart.

    >>> loads(dump({"format": 1, "files": {}, "blobs": {}}))
    {'format': 1, 'files': {}, 'blobs': {}}
    """
    content = json.loads(_compact({key: manifest[key] for key in manifest if key != "seal"}))
    content["seal"] = _hash(content)
    try:
        return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
    except UnicodeEncodeError:  # a label from a file's name that is not valid text
        return (json.dumps(content, indent=2) + "\n").encode()


def loads(data: bytes) -> dict[str, Any]:
    """What was dumped.  Fault: it is not.  FormatError: by a version of evergrow not known here."""
    try:
        manifest = json.loads(data)
        known = manifest["format"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise Fault("manifest.json is not a manifest") from error
    if isinstance(known, int) and known != FORMAT:
        raise FormatError(f"is of format {known} and this evergrow reads format {FORMAT}")
    if manifest.pop("seal", None) != _hash(manifest):
        raise Fault("manifest.json does not match its own hash")
    from .manifest_schema import Sealed, checked  # takes a moment to import

    checked(Sealed, manifest)
    return dict(manifest)


def _hash(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(_compact(content)).hexdigest()


def _compact(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
