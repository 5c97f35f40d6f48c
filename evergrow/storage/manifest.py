"""The manifest of a version: JSON that people can read, sealed with a hash of itself."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import FormatError
from . import environment
from .durable_files import Fault
from .plain_json import plain

FORMAT = 1
MOST_BYTES = 1 << 50  # of a file


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
    checked(Sealed, manifest)
    return dict(manifest)


class Entry(BaseModel):
    """A file: its hash, which no path can be, and its size."""

    model_config = ConfigDict(strict=True, extra="allow")

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(ge=0, le=MOST_BYTES)]


class Sealed(BaseModel):
    """What every file that `dump` made has."""

    model_config = ConfigDict(strict=True, extra="allow")

    format: int
    files: dict[str, Entry]
    blobs: dict[str, Entry]


class Version(Sealed):
    """What the store says of a version; what a model says is `model.manifest_schema`'s to check."""

    version: Annotated[int, Field(ge=1, lt=10**12)]
    parent: Annotated[int, Field(ge=1, lt=10**12)] | None
    time: Annotated[str, Field(max_length=64)]
    pruned: bool
    packages: dict[str, str | None] = {}


def checked(schema: type[BaseModel], manifest: Mapping[str, Any]) -> None:
    """Raise a Fault that names the first field that is not as the schema has it."""
    try:
        schema.model_validate(manifest)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(place) for place in first["loc"]) or "the whole"
        what = f"{first['msg'][:1].lower()}{first['msg'][1:]}"
        raise Fault(f"manifest.json, {field}: {what}") from None


def _hash(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(_compact(content)).hexdigest()


def _compact(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
