"""The model folder: versions side by side, one of them current, changed all or not at all.

It knows manifests, tensors and tables, and no classifier; nothing is code, nothing is pickled.
A version is staged in pending/, moved to its place, then named by HEAD. So a version that a folder
in pending/ is named for, and HEAD is not on, is one whose commit never ended: readers pass over it,
the next writer sweeps it away.
"""

import contextlib
import logging
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DamagedError, FormatError, ModelError, SettingError
from . import durable_files
from .durable_files import Fault, FileEntry
from .folder_reader import LEARNING, LEDGER, MEMORY, SERVING, Folder, Stored, number_of
from .lock import Lock
from .manifest import dump, make

if TYPE_CHECKING:
    import pyarrow as pa
    from torch import Tensor

# What the store itself makes in pending/, and alone may take away there.
log = logging.getLogger(__name__)
STAGE = re.compile(r"(\d{6,}|rollback)-[0-9a-f]{8}|learn-\d{6,}")
__all__ = ["ModelFolder", "Stored"]


class ModelFolder(Folder):
    """A model on disk.  Readers never wait; writing is for one process at a time.

    keep: how many of the newest versions keep what learning on needs; older ones still predict.

    >>> import tempfile, torch
    >>> folder = ModelFolder(tempfile.mkdtemp())
    >>> with folder.writer():
    ...     folder.commit({"classes": ["cat"]}, serving={"weight": torch.ones(1)}, learning={})
    1
    >>> folder.read().serving["weight"].item(), folder.manifest()["classes"], folder.versions()
    (1.0, ['cat'], [1])
    """

    def __init__(self, path: str | os.PathLike[str], keep: int = 10):
        super().__init__(path)
        if keep < 1:
            raise SettingError(f"keep is {keep}; at least 1 version keeps its learning part.")
        self.keep = keep
        self._lock = Lock(self.path)

    @property
    def unfinished(self) -> Path:
        """Where a learn may leave how far it is; swept once the current version is another.

        What is there is no part of the model, and outlives the process.
        """
        return self.path / "pending" / f"learn-{self._named() or 0:06d}"

    @contextlib.contextmanager
    def writer(self, timeout: float = 0.0) -> Iterator["ModelFolder"]:
        """Be the one writer: hold it from reading a version to committing the next.

        timeout: seconds to wait for another writer.  LockedError: that one is still there.
        May be entered again by the thread that holds it. A folder that holds no model when it is
        left is as it was: not there, or empty, but for what is in `unfinished`.
        """
        if self._lock.held:
            yield self
            return
        self.exists()  # what is not ours is refused before anything is touched
        self._lock.acquire(timeout)
        try:
            for part in ("pending", "versions", "blobs"):
                if (self.path / part).is_dir():
                    self._refuse_links((self.path / part).iterdir())
            self._sweep()
            yield self
        finally:
            if not (self.path / "HEAD").exists() and not self.versions():
                for part in ("pending", "versions", "blobs"):
                    with contextlib.suppress(OSError):
                        (self.path / part).rmdir()
                self._lock.discard()
            self._lock.release()

    def commit(
        self,
        manifest: Mapping[str, Any],
        serving: Mapping[str, "Tensor"],
        learning: Mapping[str, "Tensor"],
        memory: "pa.Table | None" = None,
        ledger: "pa.Table | None" = None,
        blobs: Mapping[str, Mapping[str, "Tensor"]] | None = None,
    ) -> int:
        """Make a new version the current one.  Returns its number, one more than any before.

        serving: tensors that predicting needs.  learning, memory, ledger: what learning on needs.
        blobs: large groups of tensors by name, kept once however many versions have them.
        All or nothing: ModelError where the disk does not take it, and everything is as it was.
        """
        if not self._lock.held:
            raise RuntimeError("commit inside `with folder.writer():`, lest a version be lost")
        parent = self._head()
        if parent:
            self.manifest(parent)  # nothing is built on what is damaged, or newer than we are
        number = max(self._numbers("versions") | {parent}) + 1
        with self._staged(f"{number:06d}") as stage:
            tables = {MEMORY: memory, LEDGER: ledger}
            files = self._write(stage / "version", {SERVING: serving, LEARNING: learning}, tables)
            shared = {name: self._share(stage, group) for name, group in (blobs or {}).items()}
            content = {**manifest, "pruned": False, "files": files, "blobs": shared}
            complete = make(number, parent or None, content)
            durable_files.write_file(stage / "version" / "manifest.json", dump(complete))
            for folder in (stage / "version", stage, stage.parent):
                durable_files.sync(folder)
            durable_files.rename(stage / "version", self._folder(number))
            self._point(number, stage)
        with contextlib.suppress(OSError, Fault):  # tidying never fails a commit
            self._prune(stage)
            self._sweep()
        log.info("version %d is current in %s", number, self.path)
        return number

    def rollback(self, to: int | None = None, timeout: float = 0.0) -> int:
        """Make the current version's parent, or `to`, current once it is verified.  Returns it.

        Nothing is deleted: `to` may also be newer. Away from a damaged version, whose parent is not
        known, it goes to the newest one that is intact.  ModelError: there is none to go to.
        """
        if not self.exists():
            self.current()  # says so
        with self.writer(timeout):
            self._sweep()
            target = self._parent() if to is None else to
            self.verify(target)
            with self._staged("rollback") as stage:
                self._point(target, stage)
            durable_files.remove(stage)
            log.info("version %d is current in %s again", target, self.path)
            return target

    @contextlib.contextmanager
    def _staged(self, name: str) -> Iterator[Path]:
        """A folder in pending/ to make a change in; should the change fail, all is as it was."""
        stage = self.path / "pending" / f"{name}-{secrets.token_hex(4)}"
        try:
            for folder in (self.path / "versions", self.path / "blobs", stage):
                durable_files.make_folder(folder)
            durable_files.sync(self.path)
            if not (self.path / "HEAD").exists():
                durable_files.sync(self.path.parent)
            yield stage
        except BaseException as error:
            self._undo(stage)
            if not isinstance(error, OSError):
                raise
            raise ModelError(
                f"{self.path} could not be written to: {error.strerror or error}. The model is as "
                "it was before; make room or mend the cause, then try again."
            ) from error

    def _write(
        self,
        version: Path,
        tensors: Mapping[str, Mapping[str, "Tensor"]],
        tables: "Mapping[str, pa.Table | None]",
    ) -> dict[str, FileEntry]:
        """Fill the folder of a version.  Returns the entries of its files."""
        durable_files.make_folder(version)
        files = {
            name: durable_files.write_tensors(version / name, tensors[name]) for name in tensors
        }
        there = {name: table for name, table in tables.items() if table is not None}
        return files | {
            name: durable_files.write_table(version / name, there[name]) for name in there
        }

    def _share(self, stage: Path, tensors: Mapping[str, "Tensor"]) -> FileEntry:
        """Have a group of tensors among the blobs.  Returns its entry."""
        entry = durable_files.describe(tensors)
        try:
            durable_files.verify(self._blob(entry), entry)
        except Fault:  # not there, or damaged
            durable_files.write_tensors(stage / "blob", tensors)
            durable_files.rename(stage / "blob", self._blob(entry))
        return entry

    def _point(self, number: int, stage: Path) -> None:
        """Have HEAD name a version; the old HEAD stays in the stage, so undoing takes no space."""
        head = self.path / "HEAD"
        durable_files.write_file(stage / "HEAD", f"{number}\n".encode())
        durable_files.write_file(stage / "before", head.read_bytes() if head.exists() else b"")
        durable_files.rename(stage / "HEAD", head)

    def _undo(self, stage: Path) -> None:
        head, before = self.path / "HEAD", stage / "before"
        with contextlib.suppress(OSError):
            if before.exists() and not (stage / "HEAD").exists():  # HEAD was replaced
                if before.stat().st_size:
                    os.replace(before, head)
                else:
                    head.unlink()
        self._sweep()

    def _parent(self) -> int:
        """The version before the current one, as far as that is known."""
        try:
            head = self.current()
            parent: int | None = self._manifest(head)["parent"]
        except (Fault, DamagedError) as error:
            if whole := self._intact(but=self._named()):
                return whole[-1]
            raise self._damaged([error]) from error
        if parent is None:
            raise ModelError(f"Version {head} of {self.path} is the first: none came before.")
        return parent

    def _sweep(self) -> None:
        """Take away what commits that never ended left, and learns on top of other versions."""
        pending, unfinished = self.path / "pending", self.unfinished
        there = pending.iterdir() if pending.is_dir() else ()
        stages = [p for p in there if p != unfinished and STAGE.fullmatch(p.name)]
        head = self._named()
        lost = head is None or (head == 0 and self.versions())
        if lost or not stages:
            return  # a damaged HEAD is no reason to delete anything
        for stage in stages:
            number = number_of(stage.name)
            if number is not None and number != head:
                durable_files.remove(self._folder(number))
                if self._folder(number).exists():
                    continue  # the stage says that this version is none
            durable_files.remove(stage)
        self._collect()

    def _collect(self) -> None:
        """Take away the blobs that no version refers to."""
        used: set[str] = set()
        for number in self.versions():
            try:
                entries = self._manifest(number)["blobs"].values()
            except (Fault, FormatError):
                return  # what it refers to is not known
            used |= {entry["sha256"] for entry in entries}
        blobs = self.path / "blobs"
        for blob in blobs.iterdir() if blobs.is_dir() else ():
            if re.fullmatch("[0-9a-f]{64}", blob.name) and blob.name not in used:
                durable_files.remove(blob)

    def _prune(self, stage: Path) -> None:
        """Take the learning part from all but the newest versions; their manifests say so first."""
        for number in self.versions()[: -self.keep]:
            folder = self._folder(number)
            parts = [folder / name for name in (LEARNING, MEMORY, LEDGER)]
            if not any(part.exists() for part in parts):
                continue
            with contextlib.suppress(Fault, FormatError, OSError):  # tidying never fails a commit
                manifest = self._manifest(number)
                files = {SERVING: manifest["files"][SERVING]}
                changed = dump({**manifest, "pruned": True, "files": files})
                durable_files.write_file(stage / f"{number:06d}.json", changed)
                durable_files.rename(stage / f"{number:06d}.json", folder / "manifest.json")
                for part in parts:
                    durable_files.remove(part)
