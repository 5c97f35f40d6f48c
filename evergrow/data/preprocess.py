"""Samples -> canonical tensors: uint8 images of one size and colour, mixed tables encoded."""

import hashlib
import json
from collections.abc import Hashable

import numpy as np
import torch
from torch import Tensor

from . import resize
from .dataset import Chunk, Seen
from .resize import Canvas
from .schema import Form
from .schema import canonical_size as canonical_size
from .schema import encoded as encoded
from .schema import fitted as fitted
from .schema import note_unseen as note_unseen
from .schema import range_notes as range_notes
from .schema import spec as spec
from .schema_check import check_fits as check_fits
from .schema_check import of_another_length as of_another_length
from .task import Records

# Bytes of canonical images that a chunk may keep; later epochs decode nothing.
IMAGE_CACHE_BYTES = 1 << 28


class Prepared:
    """A chunk's samples as canonical tensors: what methods learn from (`task.Records`).

    Images that have the canonical form in memory are indexed, and nothing else. Others are decoded,
    recoloured and resized when they are asked for, and kept in that form where all images of the
    chunk take at most `KEPT` bytes. Their content hash is noted then, so that nothing is decoded
    again for it.

    key: tells this form from others that the chunk may be brought to.

    >>> from .read import read
    >>> chunk = read(np.zeros((3, 8, 8)), need_labels=False)
    >>> Prepared(chunk, spec(chunk.seen, image_size=4)).take(torch.tensor([0, 2])).shape
    torch.Size([2, 1, 4, 4])
    """

    def __init__(self, chunk: Chunk, prepare: Form):
        self.chunk = chunk
        self.rows = encoded(prepare, chunk) if "encode" in prepare else None
        self.columns = None if self.rows is not None else _columns(prepare, chunk.seen)
        self.key: Hashable = ("rows", json.dumps([self.columns, prepare.get("encode")]))
        self.canvas: Canvas | None = None  # that images are brought to
        self.kept: _Kept | None = None
        if chunk.kind == "image":
            form = resize.canvas_of(prepare)
            values = getattr(chunk.store, "values", None)
            there = isinstance(values, np.ndarray) and (values.dtype, values.shape[1:])
            if there != (np.uint8, form.shape):
                self.canvas, self.kept, self.key = form, _kept(chunk, form), form

    def __len__(self) -> int:
        return len(self.chunk)

    @property
    def decoded(self) -> bool:
        """Whether taking rows is work, which can be done ahead."""
        return self.canvas is not None and not (self.kept is not None and self.kept.there.all())

    def take(self, rows: Tensor) -> Tensor:
        """(len(rows), ...) canonical tensors.  Raises BadFilesError where files have changed."""
        index = rows.numpy()
        if self.rows is not None:
            return torch.from_numpy(self.rows[self.chunk.at(index)])
        if self.canvas is None:
            return torch.from_numpy(self._as_they_are(index))
        if self.kept is None:
            return torch.from_numpy(self._noted(index, self.canvas))
        at = self.chunk.at(index)
        missing = ~self.kept.there[at]
        if missing.any():
            self.kept.images[at[missing]] = self._noted(index[missing], self.canvas)
            self.kept.there[at[missing]] = True
        return torch.from_numpy(self.kept.images[at])

    def _noted(self, index: np.ndarray, form: Canvas) -> np.ndarray:
        """Images in this form, their hashes noted."""
        images = self._brought(index, form)
        hashed = hashes_of(self.chunk, self.key)
        if hashed is not None:
            hashed.note(self.chunk.at(index), images)
        return images

    def _as_they_are(self, index: np.ndarray) -> np.ndarray:
        seen, x = self.chunk.seen, self.chunk.take(index)
        x = np.asarray(x, seen.dtype).reshape(-1, *seen.shape) if type(x) is list else x
        return x if self.columns is None else x[:, self.columns]

    def _brought(self, index: np.ndarray, form: Canvas) -> np.ndarray:
        """Images in this form: all at once where they are one array, else each as it is decoded."""
        images = self.chunk.take(index, then=form)
        if isinstance(images, np.ndarray):
            return form.bring(images)
        return np.array(images, np.uint8).reshape(-1, *form.shape)


class _Kept:
    """Canonical images of a whole store.  images: (n, C, H, W) uint8.  there: (n,) those kept."""

    def __init__(self, n: int, shape: tuple[int, ...]):
        self.images = np.empty((n, *shape), np.uint8)
        self.there = np.zeros(n, bool)


class Hashed:
    """Content hashes of a whole store in one form.  hashes: (n, 16) uint8.  there: (n,) known."""

    def __init__(self, n: int):
        self.hashes = np.zeros((n, 16), np.uint8)
        self.there = np.zeros(n, bool)

    def note(self, at: np.ndarray, x: np.ndarray) -> None:
        """Remember the hashes of the canonical tensors of these rows of the store."""
        self.hashes[at], self.there[at] = _hash(x), True


def hashes_of(chunk: Chunk, key: Hashable) -> Hashed | None:
    """What is known of the hashes of a chunk's store in this form; None where they may change."""
    if not chunk.store.stable:
        return None
    hashed: Hashed = chunk.cache.setdefault(("hashes", key), Hashed(len(chunk.store)))
    return hashed


def _kept(chunk: Chunk, form: Canvas) -> _Kept | None:
    """What is kept of this chunk's store in this form; None where nothing may be."""
    if not chunk.store.stable or len(chunk.store) * int(np.prod(form.shape)) > IMAGE_CACHE_BYTES:
        return None
    if form not in chunk.cache:
        chunk.cache[form] = _Kept(len(chunk.store), form.shape)
    return chunk.cache[form]  # type: ignore[no-any-return]


def _columns(prepare: Form, seen: Seen) -> list[int] | None:
    """Where each of the model's columns stands in the chunk; None where it stands there already."""
    names = tuple(prepare.get("names", ()))
    if not names or not seen.names or names == seen.names:
        return None
    return [seen.names.index(name) for name in names]


def hashes(records: Records, block: int = 1024) -> np.ndarray:
    """(n, 16) uint8: a BLAKE2b hash of each canonical tensor's bytes.

    Worked out once for a chunk whose store is stable, whoever asks and for whatever subset.

    >>> from .task import Tensors
    >>> hashes(Tensors(torch.zeros(3, 2))).shape
    (3, 16)
    """
    rows = torch.arange(len(records))
    chunk: Chunk | None = getattr(records, "chunk", None)
    hashed = None if chunk is None else hashes_of(chunk, getattr(records, "key", None))
    if chunk is not None and hashed is not None:
        at = chunk.at(rows.numpy())
        missing = rows[torch.from_numpy(~hashed.there[at])]
        for part in missing.split(block) if len(missing) else ():
            x = records.take(part)
            if not hashed.there[at[part]].all():  # else they were noted when they were decoded
                hashed.note(at[part], x.numpy())
        known: np.ndarray = hashed.hashes[at]
        return known
    parts = [_hash(records.take(part).contiguous().numpy()) for part in rows.split(block)]
    return np.concatenate(parts)


def _hash(x: np.ndarray) -> np.ndarray:
    """(n, 16) uint8 hashes of n tensors."""
    digests = bytearray()
    for row in x:
        digests += hashlib.blake2b(np.ascontiguousarray(row).data, digest_size=16).digest()
    return np.frombuffer(digests, np.uint8).reshape(-1, 16)
