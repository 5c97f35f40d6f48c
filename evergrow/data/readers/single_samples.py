"""One sample after another -> records of one kind: images of all sorts, rows, tensors, texts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL.Image import Image

from ...errors import DataError
from .. import image_arrays, image_decoding, quiet_warnings
from . import arrays


@dataclass
class Gathered:
    """Records of one kind, gathered one at a time.

    own: see `arrays.records`.  keep: images and tensors; rows and texts are kept anyway.
    kind: of all of them.  values: those kept.  labels: of each.  shapes, dtype: of the records.
    from_files: whether any came as an image of PIL or a file, not as an array.
    highest: level of uint8 arrays.  deep: highest level of images of 16 bits.
    """

    own: bool = False
    keep: bool = True
    kind: str = ""
    dtype: str = ""
    from_files: bool = False
    highest: int = 0
    deep: int = 0
    values: list[Any] = field(default_factory=list)
    labels: list[Any] = field(default_factory=list)
    shapes: set[tuple[int, ...]] = field(default_factory=set)

    def add(self, value: Any, label: Any = None) -> None:
        """Take one sample in.  Raises DataError where it is of no use, or unlike the first."""
        where = f"sample {len(self.labels)}"
        kind, record, is_image = read_one(value, self.own, where)
        dtype, shape = str(getattr(record, "dtype", "str")), np.shape(record)
        if not self.kind:
            self.kind, self.dtype = kind, dtype
        self.from_files |= is_image
        self.shapes.add(shape)
        self.labels.append(label)
        like = kind == self.kind and (kind == "image" or dtype == self.dtype)
        if not like or (kind != "image" and len(self.shapes) > 1):
            raise DataError(
                f"{where} is {kind} data ({dtype}, shape {shape}), unlike those before it "
                f"({self.kind}, {self.dtype}, {_other(self.shapes, shape)}); pass samples of one "
                "kind and shape."
            )
        if kind == "image" and self.highest < 2:
            levels = str(getattr(value, "dtype", "")).endswith("uint8")
            self.highest = max(self.highest, int(record.max())) if levels else 255
        if dtype == "uint16" and kind == "image":
            self.deep = max(self.deep, int(record.max()))
        if self.keep or kind in ("table", "text"):
            self.values.append(record)

    def finish(self) -> "Gathered":
        """Check what only the whole can show.  Raises DataError."""
        if not self.labels:
            raise DataError(
                "Found array with 0 sample(s) while a minimum of 1 is required: X is empty."
            )
        image_arrays.refuse_two_levels(self.highest)
        return self


def gather_items(values: Iterable[Any], own: bool = False) -> Gathered:
    """Records of samples that are in memory already.  Raises DataError."""
    gathered = Gathered(own)
    for value in values:
        gathered.add(value)
    return gathered.finish()


def read_one(value: Any, own: bool = False, where: str = "X") -> tuple[str, Any, bool]:
    """Kind and record of one sample, and whether it came as an image of PIL or a file.

    where: its name, in DataError.
    """
    if isinstance(value, str):
        return "text", value, False
    image = _image(value, where)
    if image is not None:
        return "image", image, True
    tensor = hasattr(value, "detach")
    try:
        x = arrays.from_torch(value) if tensor else np.asarray(value)
    except ValueError as error:
        raise DataError(
            f"{where} holds rows of unequal length ({error}); pass as many numbers in each."
        ) from error
    if x.ndim == 0:
        raise DataError(
            f"{where} is a {type(value).__name__}, expected an image or a row of numbers. "
            "Reshape your data: a single sample is X[None] or [x]."
        )
    try:
        kind, records = arrays.records(x[None], own, channels_first=tensor)
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
    return kind, records[0], False


def _image(value: Any, where: str) -> np.ndarray | None:
    """(C, H, W) pixels of a PIL image or an encoded one; None for anything else."""
    encoded = as_encoded(value)
    if encoded is None and not is_pil(value):
        return None
    try:
        with quiet_warnings.quiet():
            if encoded is None:
                return image_decoding.pixels(value)
            return image_decoding.decode(encoded)
    except (image_decoding.Unreadable, OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{where}: the image cannot be used: it {error}.") from error


def as_encoded(value: Any) -> image_decoding.Encoded | None:
    """A path, the bytes of an image, or Hugging Face's {"bytes", "path"}; None for all else."""
    if isinstance(value, Path | bytes):
        return value
    if isinstance(value, dict) and value and value.keys() <= {"bytes", "path"}:
        content = value.get("bytes")
        return Path(value["path"]) if content is None else content
    return None


def is_pair(value: Any) -> bool:
    """Whether it is (input, label), so that a list of such pairs is a data set.

    >>> is_pair((np.zeros(3), "cat")), is_pair(("a.png", "cat")), is_pair((1.0, 2.0))
    (True, True, False)
    """
    return isinstance(value, tuple) and len(value) == 2 and is_input(value[0])


def is_input(value: Any) -> bool:
    """Whether it may be a sample by itself: anything but a number."""
    return isinstance(value, str) or not np.isscalar(value)


def is_pil(value: Any) -> bool:
    """Whether it is a PIL image."""
    return isinstance(value, Image)


def _other(shapes: set[tuple[int, ...]], shape: tuple[int, ...]) -> str:
    return f"shape {next((other for other in shapes if other != shape), shape)}"
