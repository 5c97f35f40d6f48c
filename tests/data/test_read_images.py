"""The same images, however they come, are one chunk."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

from evergrow.data import image_arrays
from evergrow.data.read import read
from evergrow.errors import DataError

from .animals import COLOUR, GREY, LABELS, N, canonical, picture, write_folder, write_idx


def ways(x, root):
    """Name -> (X, y, options): the images x and LABELS in every form."""
    pictures, paths = [picture(image) for image in x], write_folder(root / "folder", x)
    grey = x.shape[1] == 1
    np.savez(root / "a.npz", x=x, y=np.array(LABELS))
    np.savez_compressed(root / "b.npz", images=x.transpose(0, 2, 3, 1), kind=np.array(LABELS))
    rows = [
        {"file": str(p.relative_to(root)), "label": la} for p, la in zip(paths, LABELS, strict=True)
    ]
    frame = pd.DataFrame(rows)
    frame.to_csv(root / "a.csv", index=False)
    frame.to_csv(root / "a.tsv", index=False, sep="\t")
    frame.to_json(root / "a.jsonl", orient="records", lines=True)
    encoded = [{"bytes": p.read_bytes(), "path": p.name} for p in paths]
    pd.DataFrame({"image": encoded, "label": LABELS}).to_parquet(root / "a.parquet")
    absolute = pd.DataFrame({"path": [str(p) for p in paths], "label": LABELS})
    pairs = list(zip(pictures, LABELS, strict=True))
    found = {
        "folder": (root / "folder", None),
        "folder as str": (str(root / "folder"), None),
        "array": (x, LABELS),
        "channels last": (x.transpose(0, 2, 3, 1), LABELS),
        "float": (x / 255, LABELS),
        "float32 tensor": (torch.from_numpy(x / 255).float(), LABELS),
        "tensor": (torch.from_numpy(x), np.array(LABELS)),
        "list of arrays": (list(x.transpose(0, 2, 3, 1)), LABELS),
        "list of tensors": (list(torch.from_numpy(x)), LABELS),
        "PIL": (pictures, pd.Series(LABELS)),
        "tuple of PIL": (tuple(pictures), LABELS),
        "object array of PIL": (np.array([*pictures, None], object)[:-1], LABELS),
        "paths": (paths, LABELS),
        "paths as str": ([str(p) for p in paths], LABELS),
        "array of str": (np.array([str(p) for p in paths]), LABELS),
        "bytes": ([p.read_bytes() for p in paths], LABELS),
        "pairs": (pairs, None),
        "pairs of paths": (list(zip(paths, LABELS, strict=True)), None),
        "npz": (root / "a.npz", None),
        "npz with a named label": (root / "b.npz", None, {"label": "kind"}),
        "csv": (root / "a.csv", None),
        "tsv": (root / "a.tsv", None),
        "jsonl": (root / "a.jsonl", None),
        "parquet": (root / "a.parquet", None),
        "frame of paths": (absolute, None),
        "series of paths": (absolute["path"], LABELS),
        "arrow": (pa.Table.from_pandas(absolute), None),
        "frame of PIL": (pd.DataFrame({"image": pictures, "label": LABELS}), None),
        "(X, y)": ((x, LABELS), None),
        "data set": (TensorDataset(torch.from_numpy(x), torch.arange(N)), LABELS),
        "loader": (DataLoader(list(zip(x, LABELS, strict=True)), batch_size=5), None),
        "chunk": (read(x, LABELS), None),
    }
    if grey:
        found["(n, H, W)"] = (x[:, 0], LABELS)
    return {name: (*case, {})[:3] for name, case in found.items()}


@pytest.mark.parametrize("x", [COLOUR, GREY], ids=["colour", "grey"])
@pytest.mark.parametrize("size", [None, 7])
def test_the_same_images_give_the_same_tensors_however_they_come(tmp_path, x, size):
    expected = None
    for name, (X, y, options) in ways(x, tmp_path).items():
        chunk = read(X, y, **options)
        assert chunk.kind == "image" and len(chunk) == N, name
        assert chunk.labels.tolist() == LABELS, name
        assert (chunk.seen.channels, chunk.seen.sizes) == (x.shape[1], ((9, 11),)), name
        found = canonical(chunk, size)
        expected = found if expected is None else expected
        np.testing.assert_array_equal(found, expected, err_msg=name)
    assert expected.shape == (N, x.shape[1], *((9, 11) if size is None else (7, 7)))
    if size is None:
        np.testing.assert_array_equal(expected, x)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".gif", ".webp", ".jpg", ".tiff"])
def test_folders_of_every_format_are_read(tmp_path, suffix):
    write_folder(tmp_path, GREY, suffix=suffix)
    chunk = read(tmp_path)
    assert len(chunk) == N and chunk.seen.from_files
    expected = []
    for i in range(N):
        with Image.open(chunk.name(i)) as image:
            expected.append(np.asarray(image.convert("L")))
    found = canonical(chunk)
    found = found if found.shape[1] == 1 else image_arrays.recolour(found, 1)
    np.testing.assert_array_equal(found[:, 0], expected)


def test_folders_of_mixed_pictures_are_brought_to_one_form(tmp_path):
    modes = ["L", "RGB", "RGBA", "P", "1", "I;16", "LA", "CMYK"]
    for i, mode in enumerate(modes):
        path = tmp_path / "cat" / f"{i}{'.tiff' if mode == 'CMYK' else '.png'}"
        path.parent.mkdir(exist_ok=True)
        Image.new(mode, (20 + i, 30)).save(path)
    chunk = read(tmp_path)
    assert (chunk.seen.channels, chunk.seen.sizes) == (3, ((30, 20), (30, 27)))
    assert canonical(chunk).shape == (8, 3, 32, 32)
    assert {image.shape[0] for image in chunk.take(np.arange(8))} == {1, 3}


def test_idx_files_are_read_from_their_folder_or_either_name(tmp_path):
    y = np.arange(N) % 3
    write_idx(tmp_path, GREY, y)
    images, labels = sorted(tmp_path.iterdir())
    for X in (tmp_path, str(tmp_path), tmp_path / "train", images, labels, (images, labels)):
        chunk = read(X)
        assert chunk.labels.tolist() == y.tolist()
        np.testing.assert_array_equal(canonical(chunk), GREY)
        assert chunk.name(3) == "row 3 of train-images-idx3-ubyte.gz"
    labels.unlink()
    assert read(images, need_labels=False).labels is None
    assert read(images, y).labels.tolist() == y.tolist()
    with pytest.raises(DataError, match="the file with their labels is not beside it"):
        read(images)
    write_idx(tmp_path, GREY, y[:-1])
    with pytest.raises(DataError, match="12 images, .*labels-idx1-ubyte 11 labels"):
        read(images)
