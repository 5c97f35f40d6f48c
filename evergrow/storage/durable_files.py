"""Files that survive a crash: hashed as they are written, synced, and replaced in one step."""

import contextlib
import hashlib
import json
import os
import shutil
import stat
import struct
from collections.abc import Iterator, Mapping
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa
    from torch import Tensor

FileEntry = dict[str, Any]  # {"sha256": hex, "bytes": int}: what a manifest says of a file
CHUNK = 1 << 22  # bytes written or hashed at a time
DTYPES = {  # the names that the safetensors format has for torch's
    **{f"float{bits}": f"F{bits}" for bits in (16, 32, 64)},
    **{f"int{bits}": f"I{bits}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"U{bits}" for bits in (8, 16, 32, 64)},
    "bfloat16": "BF16",
    "bool": "BOOL",
    "complex64": "C64",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2",
}


class Fault(Exception):
    """A file is not what its entry says: the message names it and tells how."""


def disk_step(action: str, path: Path) -> None:
    """Called before each write, sync, rename and removal; does nothing: tests kill or fail here."""


class Sink:
    """A new file that hashes what it is given; once closed it is on the disk, as `entry` says."""

    def __init__(self, path: Path):
        self.path, self.file = path, open(path, "xb")
        self.hash, self.size = hashlib.sha256(), 0

    @property
    def closed(self) -> bool:
        return self.file.closed

    @property
    def entry(self) -> FileEntry:
        return {"sha256": self.hash.hexdigest(), "bytes": self.size}

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        for start in range(0, len(view), CHUNK):
            disk_step("write", self.path)
            piece = view[start : start + CHUNK]
            self.file.write(piece)
            self.hash.update(piece)
        self.size += len(view)
        return len(view)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self.file.flush()

    def close(self) -> None:
        """Sync and close.  OSError is raised where the disk could not take all of it."""
        if not self.closed:
            with self.file:
                self.file.flush()
                disk_step("sync", self.path)
                os.fsync(self.file.fileno())

    def __enter__(self) -> "Sink":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.file.close()


def write_file(path: Path, data: bytes) -> FileEntry:
    """A new file holding `data`, synced.  Returns its entry."""
    with Sink(path) as sink:
        sink.write(data)
    return sink.entry


def write_tensors(path: Path, tensors: Mapping[str, "Tensor"]) -> FileEntry:
    """A new safetensors file, the same bytes for the same tensors.  Returns its entry.

    Written here and not by the safetensors package, because that hashes nothing, copies all tensors
    once or twice, and refuses those which share memory. Reading is left to the package.
    """
    with Sink(path) as sink:
        for piece in _pieces(tensors):
            sink.write(piece)
    return sink.entry


def describe(tensors: Mapping[str, "Tensor"]) -> FileEntry:
    """The entry that `write_tensors` would return, without writing."""
    digest, size = hashlib.sha256(), 0
    for piece in _pieces(tensors):
        digest.update(piece)
        size += len(piece)
    return {"sha256": digest.hexdigest(), "bytes": size}


def _pieces(tensors: Mapping[str, "Tensor"]) -> Iterator[Any]:
    """The header, then each tensor's bytes; widest dtypes first, which keeps all aligned."""
    header, order, end = {}, sorted(tensors, key=lambda name: (-tensors[name].itemsize, name)), 0
    for name in order:
        tensor = tensors[name]
        kind = str(tensor.dtype).removeprefix("torch.")
        if kind not in DTYPES or name == "__metadata__":
            raise TypeError(f"a tensor named {name} of {kind} cannot be written to a model folder")
        start, end = end, end + tensor.numel() * tensor.itemsize
        shape = list(tensor.shape)
        header[name] = {"dtype": DTYPES[kind], "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    yield struct.pack("<Q", len(text)) + text
    for name in order:
        yield _raw(tensors[name])


def _raw(tensor: "Tensor") -> Any:
    """(numel * itemsize,) uint8 array; over the tensor's own memory if that is dense and here."""
    import torch

    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()


def write_table(path: Path, table: "pa.Table") -> FileEntry:
    """A new Parquet file.  Returns its entry."""
    import pyarrow.parquet as pq

    with Sink(path) as sink:
        pq.write_table(table, sink, compression="zstd", use_dictionary=False)
    return sink.entry


def open_regular(path: Path) -> BufferedReader:
    """A file, open to be read.  Raises Fault for a link, a pipe or a device; and OSError."""
    if path.is_symlink():
        raise Fault(f"{_name(path)} is a link, which nothing in a model folder may be")
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    file = os.fdopen(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise Fault(f"{_name(path)} is no regular file")
    return file


def read_small(path: Path, most: int) -> bytes:
    """The content of a file of `most` bytes or fewer.  Raises Fault where it has more; OSError."""
    with open_regular(path) as file:
        length = os.fstat(file.fileno()).st_size
        if length > most:
            raise Fault(f"{_name(path)} has {length:,} bytes where {most:,} are the most")
        return file.read(most)


def read_file(path: Path, entry: FileEntry) -> bytes:
    """The content of a file.  Fault is raised where it is not the content that was written.

    Its size is compared before a byte of it is read.
    """
    try:
        with open_regular(path) as file:
            _compare_size(path, entry, os.fstat(file.fileno()).st_size)
            data = file.read(entry["bytes"])
    except OSError as error:
        raise unreadable(path, error) from error
    _compare_hash(path, entry, hashlib.sha256(data).hexdigest())
    return data


def verify(path: Path, entry: FileEntry) -> None:
    """Read a file, a piece at a time.  Fault is raised where it is not what was written."""
    try:
        with open_regular(path) as file:
            _compare_size(path, entry, os.fstat(file.fileno()).st_size)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(path, error) from error
    _compare_hash(path, entry, digest)


def _compare_size(path: Path, entry: FileEntry, length: int) -> None:
    if length != entry["bytes"]:
        raise Fault(f"{_name(path)} has {length:,} bytes where {entry['bytes']:,} were written")


def _compare_hash(path: Path, entry: FileEntry, digest: str) -> None:
    if digest != entry["sha256"]:
        raise Fault(f"{_name(path)} does not match its hash")


def unreadable(path: Path, error: OSError) -> Fault:
    """The fault of a file that could not be read."""
    missing = isinstance(error, FileNotFoundError)
    why = "is missing" if missing else f"cannot be read ({error.strerror})"
    return Fault(f"{_name(path)} {why}")


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def folder_bytes(folder: Path) -> int:
    """Bytes of all files in a folder, those within folders in it included."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # a writer may be tidying up
                total += os.lstat(os.path.join(place, name)).st_size
    return total


def read_tensors(path: Path, entry: FileEntry) -> dict[str, "Tensor"]:
    """The tensors of a safetensors file, in memory of their own.  Fault as `read`."""
    from safetensors.torch import load

    return load(read_file(path, entry))


def read_table(path: Path, entry: FileEntry) -> "pa.Table":
    """The table of a Parquet file.  Fault as `read`.

    In one thread: a process that has torch too and ends soon after is aborted by Arrow's threads.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    return pq.ParquetFile(pa.BufferReader(read_file(path, entry))).read(use_threads=False)


def make_folder(folder: Path) -> None:
    """A folder, and those it lies in; it may be there."""
    if not folder.is_dir():
        disk_step("make", folder)
        folder.mkdir(parents=True, exist_ok=True)


def sync(folder: Path) -> None:
    """Make the names in a folder as lasting as the files they name."""
    disk_step("sync", folder)
    if os.name != "nt":  # Windows has no handle for a folder to sync
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def rename(source: Path, target: Path) -> None:
    """Move a file or folder to its place in one step and for good; a file there is replaced."""
    disk_step("rename", target)
    os.replace(source, target)
    sync(target.parent)


def remove(path: Path) -> None:
    """Delete a file, or a folder and all in it, as far as the system lets us."""
    with contextlib.suppress(OSError):
        disk_step("remove", path)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
