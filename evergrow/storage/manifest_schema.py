"""What the store says of a version, as a typed model: checked before anything of it is used."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .durable_files import Fault

MOST_BYTES = 1 << 50  # of a file


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
