"""Features of a frozen network on disk, for a later process that brings the same samples.

They are derived from the samples: what they show can be guessed from them in part. They lie in the
user's cache folder, or in the folder that EVERGROW_CACHE names; empty or "0", and there are none.
"""

import hashlib
import json
import os
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from ..storage import environment
from ..storage.disk_cache import SqliteCache
from ..storage.durable_files import describe
from .network import Network

CACHE_VARIABLE = "EVERGROW_CACHE"
FILE = "features-2.sqlite"  # the number goes up when keys or values mean something else
BEFORE = ("features-1.sqlite",)  # files of such numbers, which nothing reads any more
WORTH = 1e-3  # seconds that a row must take to compute; to hash and read one back takes a tenth


def cache_folder() -> Path | None:
    """The folder that features are kept in; None where there is to be none."""
    value = os.environ.get(CACHE_VARIABLE)
    if value is not None:
        return None if value in ("", "0") else Path(value).expanduser()
    import platformdirs

    return platformdirs.user_cache_path("evergrow", appauthor=False)


class Cacheable(Protocol):
    """What the cache needs of a model; see `model.Model`."""

    backbone: Any
    backbone_name: str
    learner: Any
    schema: dict[str, Any] | None
    keep_no_samples: bool

    @property
    def net(self) -> Network: ...


@contextmanager
def opened(model: Cacheable) -> Iterator[list[str]]:
    """While a model learns, its method finds features here.  Gives what its user should know.

    Not where its folder is to hold no samples, nor for a backbone that evergrow did not write:
    code that others change tells nobody.
    """
    ours = type(model.backbone).__module__.startswith("evergrow.backbones.")
    known = ours and model.backbone_name != "own" and model.net.backbone.pretrained
    if model.keep_no_samples or not known or (folder := cache_folder()) is None:
        yield []
        return
    settings = {k: v for k, v in model.backbone.settings().items() if k != "pretrained"}
    remove_old(folder)
    shelf = SqliteCache(folder / FILE)
    origin = [model.backbone_name, settings, model.schema]
    model.learner.level = FeatureStore(shelf, model.net, origin)
    try:
        yield shelf.notes
    finally:
        model.learner.level = None
        shelf.close()


def remove_old(folder: Path) -> None:
    """Remove the files of before from the cache folder."""
    for name in BEFORE:
        for end in ("", "-wal", "-shm"):
            with suppress(OSError):
                Path(f"{folder / name}{end}").unlink(missing_ok=True)


class FeatureStore:
    """The features that a network gives, as it is now, on a shelf.

    Nothing can be stale. A row is found by the content of its sample's canonical tensor, the
    strictest identity that a file can have, and by the name of what computed it, see `name`.
    A value is the float32 bytes of one row; one of another length is passed over.

    origin: JSON of what the network was built from: backbone, settings, form of the inputs.
    """

    def __init__(self, shelf: SqliteCache, net: Network, origin: Any):
        self.shelf, self.net, self.origin = shelf, net, origin
        self._name = b""

    def renew(self) -> None:
        """The network has changed: other features from here on."""
        self._name = name(self.net, self.origin)

    def find(self, keys: Sequence[bytes]) -> dict[bytes, Tensor]:
        """(width,) features of those samples that are there, by key."""
        rows = self.shelf.find([self._name + key for key in keys])
        size, start = 4 * self.net.width, len(self._name)
        return {
            key[start:]: torch.frombuffer(bytearray(value), dtype=torch.float32).to(self.net.device)
            for key, value in rows.items()
            if len(value) == size
        }

    def put(self, rows: dict[bytes, Tensor], seconds: float) -> None:
        """Keep these, (width,) on the CPU, where they took long enough.  seconds: for all."""
        if seconds >= WORTH * len(rows) and all(r.dtype == torch.float32 for r in rows.values()):
            self.shelf.put({self._name + key: row.numpy().tobytes() for key, row in rows.items()})


def name(net: Network, origin: Any) -> bytes:
    """32 bytes that differ wherever a bit of the features of a network at rest may differ.

    Of what it is made of (origin, weights, input stage, precision), and of what computes them: the
    code of evergrow, versions and build of the libraries, processor, device. And of threads, where
    they share a sum: a network that gives each thread blocks of its own is the same with any
    number.
    """
    body, device = net.backbone, net.device
    facts = [
        origin,
        describe(body.state_dict())["sha256"],
        net.inputs.spec(),
        str(net.precision),
        [body.width, body.block_rows, 0 if body.thread_safe else torch.get_num_threads()],
        [environment.code(), *map(environment.version, environment.FEATURES)],
        [torch.__config__.show(), torch.get_float32_matmul_precision()],
        [platform.machine(), environment.cpu(), device.type],
        torch.cuda.get_device_name(device) if device.type == "cuda" else "",
    ]
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).digest()
