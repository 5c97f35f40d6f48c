"""What a model remembers, taken apart into JSON, tensors and samples; samples as a table."""

import io
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ..data.task import Samples

if TYPE_CHECKING:
    import pyarrow as pa

Flattened = tuple[Any, dict[str, Tensor], dict[str, Samples]]
CODE = "$"  # a JSON object whose one key starts with it stands for what JSON has no form for


def flatten(tree: Any) -> Flattened:
    """A tree as plain JSON, its tensors by name, and its `Samples` by name.

    tree: None, bool, int, float, str, Tensor or Samples, or a dict, list or tuple of trees. Floats
    come back exactly, NaN and infinities too; dicts keep their order and may have int keys.
    TypeError: there is anything else in it; nothing is pickled.

    >>> flatten({"seen": 3, "weight": torch.ones(2)})
    ({'seen': 3, 'weight': {'$tensor': 'weight'}}, {'weight': tensor([1., 1.])}, {})
    """
    tensors: dict[str, Tensor] = {}
    samples: dict[str, Samples] = {}
    return _flat(tree, "", tensors, samples), tensors, samples


def unflatten(tree: Any, tensors: dict[str, Tensor], samples: dict[str, Samples]) -> Any:
    """The tree that was taken apart.

    >>> unflatten(*flatten({"betas": (0.9, float("inf")), 7: [None]}))
    {'betas': (0.9, inf), 7: [None]}
    """
    if isinstance(tree, list):
        return [unflatten(item, tensors, samples) for item in tree]
    if not isinstance(tree, dict):
        return tree
    kind = next(iter(tree), "")
    if not kind.startswith(CODE):
        return {key: unflatten(tree[key], tensors, samples) for key in tree}
    value = tree[kind]
    if kind == "$tensor":
        return tensors[value]
    if kind == "$samples":
        return samples[value]
    if kind == "$float":
        return float(value)
    items = unflatten(value, tensors, samples)
    return tuple(items) if kind == "$tuple" else {key: item for key, item in items}


def _flat(tree: Any, path: str, tensors: dict[str, Tensor], samples: dict[str, Samples]) -> Any:
    def within(key: object, item: Any) -> Any:
        return _flat(item, f"{path}/{key}" if path else str(key), tensors, samples)

    if isinstance(tree, Tensor):
        return {"$tensor": _put(tensors, path, tree)}
    if isinstance(tree, Samples):
        return {"$samples": _put(samples, path, tree)}
    if isinstance(tree, dict):
        if all(isinstance(key, str) and not key.startswith(CODE) for key in tree):
            return {key: within(key, tree[key]) for key in tree}
        return {"$dict": [[_key(key, path), within(key, tree[key])] for key in tree]}
    if isinstance(tree, list | tuple):
        items = [within(i, item) for i, item in enumerate(tree)]
        return items if isinstance(tree, list) else {"$tuple": items}
    if isinstance(tree, np.generic):
        tree = tree.item()
    if isinstance(tree, float):
        return tree if np.isfinite(tree) else {"$float": str(tree)}
    if tree is None or isinstance(tree, bool | int | str):
        return tree
    raise TypeError(f"{path or 'the state'} is a {type(tree).__name__}; a state has {_KINDS}")


_KINDS = "tensors, Samples, numbers, strings and None, in dicts, lists and tuples"


def _key(key: object, path: str) -> object:
    if isinstance(key, str | int):
        return key
    raise TypeError(f"{path or 'the state'} has {key!r} as a key; keys of a state are str or int")


def _put(place: dict[str, Any], path: str, leaf: Any) -> str:
    """Keep a leaf under a name that says where it was and that no other has.  Returns it."""
    base = path.encode("utf-8", "replace").decode() or "state"
    name, count = base, 1
    while name in place or name == "__metadata__":  # safetensors keeps this one for itself
        count += 1
        name = f"{base}~{count}"
    place[name] = leaf
    return name


def to_table(samples: dict[str, Samples]) -> "pa.Table | None":
    """Samples by name as one table, None if there are none at all: a row a sample, in order.

    Columns: part (name), column (the sample's y), x and logits (bytes). x is a PNG file where the
    samples are uint8 images of 1 or 3 channels; else, as logits always, the tensor's own bytes,
    whose dtype and shape stand in the table's metadata.
    """
    if not samples:
        return None
    import pyarrow as pa

    rows: dict[str, list[Any]] = {"part": [], "column": [], "x": [], "logits": []}
    parts = {}
    for name, part in samples.items():
        png = _holds_images(part.x)
        parts[name] = {"x": _form(part.x), "png": png, "y": _form(part.y)}
        logits: list[Any] = [None] * len(part.y)
        if part.logits is not None:
            parts[name]["logits"] = _form(part.logits)
            logits = _to_bytes(part.logits)
        rows["part"] += [name] * len(part.y)
        rows["column"] += part.y.tolist()
        rows["x"] += to_png(part.x) if png else _to_bytes(part.x)
        rows["logits"] += logits
    types = {"part": pa.string(), "column": pa.int64(), "x": pa.large_binary()}
    schema = pa.schema([*types.items(), ("logits", pa.large_binary())])
    return pa.table(rows, schema.with_metadata({"evergrow": json.dumps(parts)}))


def from_table(table: "pa.Table | None") -> dict[str, Samples]:
    """The samples that a table was made of, bit for bit."""
    if table is None:
        return {}
    samples, start = {}, 0
    for name, part in json.loads(table.schema.metadata[b"evergrow"]).items():
        rows = table.slice(start, part["y"]["shape"][0])
        start += len(rows)
        data = rows["x"].to_pylist()
        x = from_png(data, part["x"]["shape"]) if part["png"] else _from_bytes(data, part["x"])
        y = torch.from_numpy(rows["column"].to_numpy().copy()).to(_dtype(part["y"]))
        logits = None
        if "logits" in part:
            logits = _from_bytes(rows["logits"].to_pylist(), part["logits"])
        samples[name] = Samples(x, y, logits)
    return samples


def _holds_images(x: Tensor) -> bool:
    """Whether PNG can hold these samples."""
    return x.dtype == torch.uint8 and x.ndim == 4 and x.shape[1] in (1, 3) and min(x.shape[2:]) > 0


def to_png(x: Tensor) -> list[bytes]:
    """uint8 images (n, 1 or 3, height, width) as n PNG files, without loss."""
    channels_last = x.cpu().permute(0, 2, 3, 1).numpy()
    return [_png(image) for image in channels_last]


def _png(image: "np.ndarray[Any, Any]") -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image).save(file, "PNG")
    return file.getvalue()


def from_png(files: Sequence[bytes], shape: Sequence[int]) -> Tensor:
    """The images that `to_png` was given, of the shape (n, 1 or 3, height, width).

    >>> x = torch.arange(48, dtype=torch.uint8).reshape(1, 3, 4, 4)
    >>> torch.equal(from_png(to_png(x), x.shape), x)
    True
    """
    from PIL import Image

    x = torch.empty(*shape, dtype=torch.uint8)
    for i, file in enumerate(files):
        with Image.open(io.BytesIO(file), formats=["PNG"]) as image:
            pixels = torch.from_numpy(np.array(image))  # (height, width) or (height, width, 3)
        x[i] = pixels if pixels.ndim == 2 else pixels.permute(2, 0, 1)
    return x


def _form(t: Tensor) -> dict[str, Any]:
    return {"dtype": str(t.dtype).removeprefix("torch."), "shape": list(t.shape)}


def _to_bytes(t: Tensor) -> list[bytes]:
    """The bytes of each row."""
    if not t.numel():
        return [b""] * len(t)
    rows = t.detach().cpu().contiguous().reshape(len(t), -1).view(torch.uint8)
    return [row.tobytes() for row in rows.numpy()]


def _from_bytes(rows: Sequence[bytes], form: dict[str, Any]) -> Tensor:
    data, dtype = bytearray(b"".join(rows)), _dtype(form)
    if not data:
        return torch.empty(form["shape"], dtype=dtype)
    return torch.frombuffer(data, dtype=dtype).reshape(form["shape"])


def _dtype(form: dict[str, Any]) -> torch.dtype:
    dtype = getattr(torch, form["dtype"], None)
    if not isinstance(dtype, torch.dtype):
        raise TypeError(f"{form['dtype']} is no dtype of torch")
    return dtype
