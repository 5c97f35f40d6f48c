"""Reading a model folder: its versions, what is written about them, and whether all is intact."""

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DamagedError, FormatError, ModelError
from . import durable_files
from .durable_files import Fault
from .manifest import loads

if TYPE_CHECKING:
    import pyarrow as pa
    from torch import Tensor

SERVING, LEARNING = "serving.safetensors", "learning.safetensors"
MEMORY, LEDGER = "memory.parquet", "ledger.parquet"
FILES = (SERVING, LEARNING, MEMORY, LEDGER)
# What a folder may hold before its first version.
BEFORE_FIRST_VERSION = {"lock", "pending", "versions", "blobs"}
PARTS = ("HEAD", "lock", "pending", "versions", "blobs")
HEAD_BYTES, MANIFEST_BYTES = 64, 1 << 28  # at most: what is larger is none
LOOK_BACK = 20  # versions that are searched for an intact one


@dataclass
class Stored:
    """A version, read.  learning is None where only what predicting needs was asked for."""

    version: int
    manifest: dict[str, Any]
    serving: dict[str, "Tensor"]
    learning: dict[str, "Tensor"] | None = None
    memory: "pa.Table | None" = None
    ledger: "pa.Table | None" = None
    blobs: dict[str, dict[str, "Tensor"]] = field(default_factory=dict)


class Folder:
    """A model on disk, as readers see it: no lock, no waiting, nothing written."""

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path)

    def exists(self) -> bool:
        """Whether a model is here, be it damaged.  ModelError: something else is."""
        try:
            return self._head() > 0
        except DamagedError:
            return True

    def current(self) -> int:
        """The version that HEAD names.  ModelError: there is none."""
        version = self._head()
        if not version:
            make = f"evergrow learn {self._quoted} DATA"
            raise ModelError(f'No model at {self.path}: make one with "{make}".')
        return version

    def versions(self) -> list[int]:
        """All versions, oldest first; also those that were rolled away from."""
        while True:
            here, pending = self._numbers("versions"), self._numbers("pending")
            head = self._named()
            if pending == self._numbers("pending"):  # else a commit ended as we looked
                return sorted(here - (pending - {head}))

    def manifest(self, version: int | None = None) -> dict[str, Any]:
        """What is written about a version, the current one by default.

        ModelError: no such version.  DamagedError: unreadable.  FormatError: by a newer evergrow.
        """
        number = self.current() if version is None else version
        if version is not None and not self._has(number):
            there = _list(self.versions())
            raise ModelError(f"{self.path} has no version {number}; it has {there}.")
        try:
            return self._manifest(number)
        except Fault as fault:
            raise self._damaged([fault], number) from fault

    def read(self, version: int | None = None, learning: bool = True) -> Stored:
        """A version, the current one by default, checked against its hashes, in memory of its own.

        learning: with what learning on needs; else only with what predicting needs.
        Raises what `manifest` raises, and ModelError where the learning part was pruned.
        """
        manifest = self.manifest(version)
        number: int = manifest["version"]
        try:
            if learning and manifest["pruned"]:
                raise self._pruned(number)
            return self._stored(number, manifest, learning)
        except (Fault, ModelError) as error:
            if self.manifest(version) != manifest:  # pruned, or followed by another, as we read
                return self.read(version, learning)
            raise self._damaged([error], number) if isinstance(error, Fault) else error from None

    def verify(self, version: int | None = None) -> None:
        """Read every file of a version.  DamagedError names all that are not as written."""
        manifest = self.manifest(version)
        if faults := self._faults(manifest["version"]):
            if self.manifest(version) != manifest:
                return self.verify(version)
            raise self._damaged(faults, manifest["version"])

    def bytes(self, version: int | None = None) -> int:
        """Bytes of a version, with the blobs that it shares; by default of the whole folder."""
        if version is None:
            return durable_files.folder_bytes(self.path)
        manifest = self.manifest(version)
        entries = [*manifest["files"].values(), *manifest["blobs"].values()]
        own = (self._folder(version) / "manifest.json").stat().st_size
        return own + sum(int(entry["bytes"]) for entry in entries)

    @contextmanager
    def making_a_model(self, version: int) -> Iterator[None]:
        """A Fault that comes up while a version is made a model is a DamagedError that names it."""
        try:
            yield
        except Fault as fault:
            raise self._damaged([fault], version) from fault

    @property
    def _quoted(self) -> str:
        return shlex.quote(str(self.path))

    def _folder(self, version: int) -> Path:
        return self.path / "versions" / f"{version:06d}"

    def _blob(self, entry: durable_files.FileEntry) -> Path:
        return self.path / "blobs" / str(entry["sha256"])

    def _has(self, version: int) -> bool:
        there = self._folder(version).is_dir()
        return there and (version not in self._numbers("pending") or version in self.versions())

    def _numbers(self, part: str) -> set[int]:
        """Versions that the folders in versions/ or pending/ are named for."""
        try:
            names = os.listdir(self.path / part)
        except OSError:
            return set()
        return {number for name in names if (number := number_of(name)) is not None}

    def _read_head(self) -> int:
        text = durable_files.read_small(self.path / "HEAD", HEAD_BYTES).decode("ascii", "replace")
        if not re.fullmatch(r"\d{1,12}\s*", text):
            raise ValueError(text)
        return int(text)

    def _named(self) -> int | None:
        """The version that HEAD names, 0 where it is missing, None where it is damaged."""
        try:
            return self._read_head()
        except FileNotFoundError:
            return 0
        except (OSError, ValueError, Fault):
            return None

    def _head(self) -> int:
        """The version that HEAD names; 0 where nothing was committed yet.  ModelError: not ours."""
        self._refuse_links(self.path / part for part in PARTS)
        try:
            return self._read_head()
        except Fault as fault:
            raise self._foreign(str(fault)) from fault
        except ValueError as error:
            if (self.path / "versions").is_dir():
                raise self._damaged([Fault("HEAD does not name a version")]) from error
            raise self._foreign("its HEAD does not name a version") from error
        except FileNotFoundError:
            return self._headless()
        except NotADirectoryError as error:
            raise ModelError(f"{self.path} is not a folder, as a model is.") from error
        except OSError as error:
            raise ModelError(f"{self.path} cannot be read: {error.strerror}.") from error

    def _refuse_links(self, paths: Iterable[Path]) -> None:
        """Raise ModelError for a link: nothing that a model folder names lies outside of it."""
        if link := next((path for path in paths if path.is_symlink()), None):
            raise ModelError(
                f"{link} is a link, and nothing in a model folder may be one: what is read and "
                "removed would lie elsewhere. Put what it points to in its place."
            )

    def _headless(self) -> int:
        try:
            names = set(os.listdir(self.path))
        except FileNotFoundError:
            return 0
        committed = self._numbers("versions") - self._numbers("pending")
        if (self.path / "HEAD").exists():
            return self._head()  # the first commit ended as we looked
        if strange := sorted(names - BEFORE_FIRST_VERSION):
            raise self._foreign(f"it has no HEAD, and holds {strange[0]}")
        if committed:
            raise self._damaged([Fault("HEAD is missing")])
        return 0

    def _manifest(self, number: int) -> dict[str, Any]:
        path = self._folder(number) / "manifest.json"
        try:
            if path.parent.is_symlink():
                raise Fault(f"{path.parent.name} is a link, which nothing in a model folder may be")
            manifest = loads(durable_files.read_small(path, MANIFEST_BYTES))
        except OSError as error:
            raise durable_files.unreadable(path, error) from error
        except FormatError as error:
            raise FormatError(
                f"Version {number} of {self.path} {error}: install a newer evergrow "
                '("pip install --upgrade evergrow"), or roll back to an older version.'
            ) from error
        from .manifest_schema import Version, checked  # takes a moment to import

        checked(Version, manifest)
        if manifest["version"] != number:
            raise Fault(f"{number:06d}/manifest.json is of version {manifest['version']}")
        return manifest

    def _stored(self, number: int, manifest: dict[str, Any], learning: bool) -> Stored:
        folder, files = self._folder(number), manifest["files"]
        if absent := [name for name in (SERVING, LEARNING)[: 1 + learning] if name not in files]:
            raise Fault(f"manifest.json, files: {absent[0]} is missing")
        stored = Stored(
            number, manifest, durable_files.read_tensors(folder / SERVING, files[SERVING])
        )
        for name, entry in manifest["blobs"].items():
            stored.blobs[name] = durable_files.read_tensors(self._blob(entry), entry)
        if learning:
            stored.learning = durable_files.read_tensors(folder / LEARNING, files[LEARNING])
            if MEMORY in files:
                stored.memory = durable_files.read_table(folder / MEMORY, files[MEMORY])
            if LEDGER in files:
                stored.ledger = durable_files.read_table(folder / LEDGER, files[LEDGER])
        return stored

    def _faults(self, number: int) -> list[Exception]:
        """What is wrong with a version; nothing, if it is intact."""
        try:
            manifest = self._manifest(number)
        except (Fault, FormatError) as error:
            return [error]
        folder, files = self._folder(number), manifest["files"]
        parts = [(folder / name, files[name]) for name in FILES if name in files]
        parts += [(self._blob(entry), entry) for entry in manifest["blobs"].values()]
        faults: list[Exception] = []
        for path, entry in parts:
            try:
                durable_files.verify(path, entry)
            except Fault as fault:
                faults.append(fault)
        return faults

    def _intact(self, but: int | None = None) -> list[int]:
        """The newest versions without a fault; versions before `but` alone, if any of these is."""
        others = [v for v in self.versions()[-LOOK_BACK:] if v != but and not self._faults(v)]
        return [v for v in others if but is None or v < but] or others

    def _damaged(self, faults: Sequence[Exception], number: int | None = None) -> DamagedError:
        whole = self._intact(number)
        what = f"Version {number} of {self.path}" if number else f"The model at {self.path}"
        remedy = "Put back a copy of the folder; no other version is intact."
        if whole:
            back = f"evergrow rollback {self._quoted} --to {whole[-1]}"
            remedy = f'Intact: {_list(whole)}. Go back with "{back}".'
        return DamagedError(f"{what} is damaged: {'; '.join(map(str, faults))}. {remedy}")

    def _pruned(self, number: int) -> ModelError:
        whole = [v for v in self.versions() if (self._folder(v) / LEARNING).exists()]
        return ModelError(
            f"Version {number} of {self.path} predicts but cannot learn on: of older versions only "
            f"what predicting needs is kept. To learn on, roll back to one of {_list(whole)}."
        )

    def _foreign(self, why: str) -> ModelError:
        return ModelError(
            f"{self.path} is not a model folder: {why}. "
            "Name the folder of a model, or for a new model one that is empty or does not exist."
        )


def number_of(name: str) -> int | None:
    """The version that a folder is named for: 2 for 000002 and for 000002-5f0c; else None."""
    match = re.match(r"(\d{6,})(-|$)", name)
    return int(match[1]) if match else None


def _list(versions: Sequence[int]) -> str:
    if not versions:
        return "none"
    words = ", ".join(map(str, versions[-LOOK_BACK:]))
    return f"version{'s' * (len(versions) > 1)} {'..., ' * (len(versions) > LOOK_BACK)}{words}"
