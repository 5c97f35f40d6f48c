"""What a learn that is interrupted leaves in the model folder, for the next one to go on from."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .. import methods
from ..data import preprocess
from ..data.dataset import Chunk, Frame, Rows
from ..data.readers.image_files import Files
from ..data.resize import Canvas
from ..errors import STOPPED, FormatError
from ..model import serialize
from ..model.model import Model
from ..model.options import Tell
from ..storage import durable_files, environment, flatten, manifest
from ..storage.durable_files import Fault
from ..storage.folder_reader import MANIFEST_BYTES
from ..storage.stored_values import part
from ..training.protocols import Checkpoint

EVERY = 60.0  # seconds of work between checkpoints
WORK_PER_WRITE = 100  # times as long as writing the last one took, if that is more
MADE, NEW = "checkpoint.json", "checkpoint.new"
PACKAGES = environment.LEARNING


class Unfinished:
    """Checkpoints of one learn, in a folder of their own; see `protocols.Checkpoints`.

    The folder holds JSON, sealed by its own hash, and the tensors that it names: the method's
    state, and the content hashes of files decoded so far. One replaces the one before in one step.
    It counts for a learn whose leading rows are the same, and whose version before, backbone with
    its weights, form of inputs, method, parameters, classes and packages are.

    place: the folder.  parent: the manifest of the version before, None in a new model.
    tell: is given, as advice, how much was taken over.
    resumed: samples taken over.  kept: samples of the last checkpoint there is.
    notes: what the user should know.
    """

    def __init__(self, place: Path, parent: dict[str, Any] | None, tell: Tell | None = None):
        self.place, self.parent, self.tell = place, parent, tell
        self.resumed, self.kept, self.notes = 0, 0, list[str]()
        self._due = 0.0
        self._found = _read(place)

    def recall(self, chunk: Chunk) -> None:
        """Know the content hashes of files that are as they were when they were decoded."""
        before = self._found or {}
        if "hashes" not in before or not isinstance(chunk.store, Files):
            return
        if before["packages"] != environment.packages(PACKAGES):
            return  # others may decode otherwise
        at = {mark.tobytes(): i for i, mark in enumerate(before["marks"].numpy())}
        rows = np.array([at.get(mark.tobytes(), -1) for mark in chunk.store.marks], np.int64)
        known = preprocess.hashes_of(chunk, Canvas(**before["canvas"]))
        assert known is not None
        known.hashes[rows >= 0] = before["hashes"].numpy()[rows[rows >= 0]]
        known.there[rows >= 0] = True

    def of(self, model: Model, chunk: Chunk) -> "Unfinished":
        """These checkpoints, for this model when it learns this chunk."""
        self.model, self.chunk = model, chunk
        return self

    def last(self) -> Checkpoint | None:
        """Where the same learn was left off; what another one left is taken away."""
        self._due = time.monotonic() + EVERY
        before, self._found = self._found, None
        if before is None:
            return None
        rows, total = before["rows"], len(self.chunk)
        if not self._possible or rows >= total or before["key"] != self._key(rows):
            durable_files.remove(self.place)
            return None
        self.resumed = self.kept = rows
        text = (
            f"a learn that was interrupted had added up {rows:,} of {total:,} samples; this one "
            "goes on from there."
        )
        if self.tell is not None:
            plain: dict[str, Any] = {"forecast": None, "remedies": [], "of": ""}
            self.tell([{"rule": "resumed", "text": text, **plain}])
        return Checkpoint(rows, before["scale"], before["state"], before["beside"])

    def reached(self, checkpoint: Callable[[], Checkpoint]) -> None:
        """Write a checkpoint if it is time; a disk that does not take it is no reason to stop."""
        if time.monotonic() < self._due or not self._possible:
            return
        self._key(0)  # what takes long the first time alone does not count
        began = time.monotonic()
        try:
            self.write(checkpoint())
        except OSError as error:
            self.notes = [
                f"a checkpoint could not be written ({error.strerror or error}), and learning went "
                "on without it."
            ]
            _tidy(self.place)
        now = time.monotonic()
        self._due = now + max(EVERY, WORK_PER_WRITE * (now - began))

    def stopped(self) -> str:
        """What to tell a user who interrupts."""
        if not self.kept:
            return STOPPED
        there = f"{self.kept:,} of {len(self.chunk):,} samples"
        return f"{STOPPED}, and the same command goes on after {there}"

    def write(self, checkpoint: Checkpoint) -> None:
        rows, key = checkpoint.rows, self._key(checkpoint.rows)
        content = {"rows": rows, "scale": checkpoint.scale, "key": key}
        content |= {"state": checkpoint.state, "beside": checkpoint.beside} | self._known()
        tree, tensors, samples = flatten.flatten(content)
        if samples:
            return  # raw samples may have to stay out of the folder
        durable_files.make_folder(self.place)
        sums, new = self.place / f"{checkpoint.rows}.safetensors", self.place / NEW
        durable_files.remove(sums)
        durable_files.remove(new)
        files = {sums.name: durable_files.write_tensors(sums, tensors)}
        sealed = {"format": manifest.FORMAT, "files": files, "blobs": {}, "content": tree}
        durable_files.write_file(new, manifest.dump(sealed))
        durable_files.rename(new, self.place / MADE)
        self.kept = checkpoint.rows
        _tidy(self.place)

    def _known(self) -> dict[str, Any]:
        """Content hashes of the files that are decoded already, and what tells these files."""
        store = self.chunk.store
        records = self.model.records(self.chunk) if isinstance(store, Files) else None
        if not isinstance(store, Files) or not isinstance(records, preprocess.Prepared):
            return {}
        hashed = preprocess.hashes_of(self.chunk, records.canvas)
        if records.canvas is None or hashed is None:
            return {}
        there = hashed.there.copy()  # files are decoded ahead meanwhile
        marks, hashes = store.marks[there], hashed.hashes[there]
        tensors = {"marks": torch.from_numpy(marks), "hashes": torch.from_numpy(hashes)}
        form = asdict(records.canvas)
        return {"canvas": form, "packages": environment.packages(PACKAGES), **tensors}

    @property
    def _possible(self) -> bool:
        """Whether all that shapes the sums can be told: no code of others, data that stays."""
        ours = self.model.method_name in {entry.name for entry in methods.ENTRIES}
        stays = isinstance(self.chunk.store, Files | Rows | Frame)
        return ours and stays and self.model.backbone_name != "own"

    def _key(self, rows: int) -> str:
        """sha256 of all that shapes the sums of the chunk's first rows."""
        columns = self._columns[:rows].astype("<i8")
        digest = hashlib.sha256(self._frame)
        for array in (self._marks[:rows], columns):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    @cached_property
    def _frame(self) -> bytes:
        """All that shapes the sums but the rows."""
        model, net = self.model, self.model.net
        frame = {
            "parent": self.parent,
            "packages": environment.packages(PACKAGES),
            "weights": durable_files.describe(net.backbone.state_dict()),
            "device": str(net.device),
            "classes": model.classes.tolist(),
            **serialize.shape(model),
        }
        del frame["backbone"]["scale"]  # it follows from the rest
        del frame["parameters"]["num_workers"]
        return json.dumps(frame, sort_keys=True).encode()

    @cached_property
    def _marks(self) -> np.ndarray:
        """(n, 16) uint8: what tells each sample from others."""
        store, rows = self.chunk.store, np.arange(len(self.chunk))
        if isinstance(store, Files):
            hashes: np.ndarray = store.marks[self.chunk.at(rows)]
        else:
            hashes = preprocess.hashes(self.model.records(self.chunk))
        return hashes

    @cached_property
    def _columns(self) -> np.ndarray:
        return self.model.columns_of(self.chunk.labels).numpy()


def _read(place: Path) -> dict[str, Any] | None:
    """What a checkpoint holds; None where there is none, or none that is intact."""
    try:
        sealed = manifest.loads(durable_files.read_small(place / MADE, MANIFEST_BYTES))
        ((name, entry),) = sealed["files"].items()
        tensors = durable_files.read_tensors(place / Path(name).name, entry)
        with part("content"):
            content: dict[str, Any] = flatten.unflatten(sealed["content"], tensors, {})
    except (OSError, Fault, FormatError, ValueError):
        return None
    return content


def _tidy(place: Path) -> None:
    """Take away files of the folder that do not belong to the checkpoint in it."""
    try:
        sealed = manifest.loads(durable_files.read_small(place / MADE, MANIFEST_BYTES))
    except (OSError, Fault, FormatError):
        return durable_files.remove(place)
    for path in place.iterdir():
        if path.name not in {MADE, *sealed["files"]}:
            durable_files.remove(path)
