import csv
import gzip
import json
import struct
import subprocess
import sys
import time
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse
import torch
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

from evergrow.data import image_arrays, preprocess
from evergrow.data import read as sources
from evergrow.data.read import Seen, read
from evergrow.errors import BadFilesError, DataError

N = 12
RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (N, 3, 9, 11), dtype=np.uint8)
GREY = RNG.integers(0, 256, (N, 1, 9, 11), dtype=np.uint8)
LABELS = ["cat"] * 4 + ["dog"] * 5 + ["fox"] * 3


def picture(x):
    return Image.fromarray(x[0] if len(x) == 1 else x.transpose(1, 2, 0))


def write_folder(root, x, labels=LABELS, suffix=".png"):
    paths = []
    for i, (image, label) in enumerate(zip(x, labels, strict=True)):
        path = root / label / f"{i:03}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(image).save(path)
        paths.append(path)
    return paths


def write_idx(folder, x, y):
    files = ("images-idx3-ubyte.gz", x[:, 0]), ("labels-idx1-ubyte", y)
    for name, array in files:
        head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
        data = head + array.astype(np.uint8).tobytes()
        (folder / f"train-{name}").write_bytes(gzip.compress(data) if "gz" in name else data)
    return folder


def canonical(chunk, size=None):
    records = preprocess.Prepared(chunk, preprocess.spec(chunk.seen, size))
    return records.take(torch.arange(len(chunk))).numpy()


# -- the same images, however they come ------------------------------------------------------------


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


# -- the same table, however it comes --------------------------------------------------------------


def test_the_same_table_gives_the_same_rows_however_it_comes(tmp_path):
    x, y = RNG.normal(size=(N, 3)).astype(np.float32), np.arange(N) % 4
    frame = pd.DataFrame(x.astype(float), columns=["a", "b", "c"]).assign(label=y)
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_csv(tmp_path / "a.csv.gz", index=False, sep=";")
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_json(tmp_path / "a.jsonl", orient="records", lines=True, double_precision=15)
    np.savez(tmp_path / "a.npz", x=x, y=y)
    np.save(tmp_path / "a.npy", x)
    vectors = pd.DataFrame({"embedding": list(x), "label": y})
    vectors.to_parquet(tmp_path / "b.parquet")
    vectors.assign(embedding=[row.tolist() for row in x]).to_json(
        tmp_path / "b.jsonl", orient="records", lines=True, double_precision=15
    )
    cases = [
        (x, y),
        (x.astype(float), y.tolist()),
        (x.tolist(), y.tolist()),
        (torch.from_numpy(x), torch.from_numpy(y)),
        (frame, None),
        (frame.drop(columns="label"), frame["label"]),
        (pa.Table.from_pandas(frame), None),
        (list(x), y),
        (vectors, None),
        (TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), None),
        (tmp_path / "a.npy", y),
        *((path, None) for path in sorted(tmp_path.iterdir()) if path.suffix != ".npy"),
    ]
    for X, labels in cases:
        chunk = read(X, labels)
        assert chunk.kind == "table" and chunk.labels.tolist() == y.tolist(), X
        assert chunk.seen.names in ((), ("a", "b", "c"))
        np.testing.assert_allclose(canonical(chunk), x, rtol=1e-6)
    named = [read(path).name(2) for path in (tmp_path / "a.csv", tmp_path / "a.npz")]
    assert named == ["row 2 of a.csv", "row 2 of a.npz"]


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (["1", "2", "1"], [1, 2, 1]),
        (["cat", "NA", "None"], ["cat", "NA", "None"]),
        (["007", "8", "9"], ["007", "8", "9"]),
        (["1", "cat", "2"], ["1", "cat", "2"]),
        (["1.0", "2.0", "2.0"], [1, 2, 2]),
    ],
)
def test_labels_of_a_csv_are_int_or_as_they_are_written(tmp_path, cells, labels):
    with open(tmp_path / "a.csv", "w", newline="") as file:
        csv.writer(file).writerows([["x", "label"], *([1.5, cell] for cell in cells)])
    assert read(tmp_path / "a.csv").labels.tolist() == labels


def test_texts_are_read(tmp_path):
    frame = pd.DataFrame({"text": ["one", "two"], "n": [1, 2], "label": ["a", "b"]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    for chunk in (
        read(tmp_path / "a.csv", text="text"),
        read(["one", "two"], ["a", "b"]),
        read(pd.Series(["one", "two"]), ["a", "b"]),
        read(["one", "two"], ["a", "b"], text="text"),
    ):
        assert (chunk.kind, chunk.labels.tolist()) == ("text", ["a", "b"])
        assert list(chunk.take(np.array([1]))) == ["two"]


# -- chunks ----------------------------------------------------------------------------------------


def test_chunks_and_their_subsets_hold_records_labels_and_names(tmp_path):
    paths = write_folder(tmp_path, COLOUR)
    (tmp_path / "cat" / "notes.txt").touch()
    chunk = read(tmp_path)
    part = chunk.subset(np.array([11, 2, 5])).subset(np.array([0, 2]))
    assert len(part) == 2 and part.labels.tolist() == ["fox", "dog"]
    assert part.name(1) == str(paths[5])
    np.testing.assert_array_equal(np.stack(part.take(np.array([1, 0]))), COLOUR[[5, 11]])
    assert part.notes == ["1 file of other kinds passed over (1 x .txt)"] and part.skipped == []
    assert read(COLOUR, LABELS).subset(np.array([3])).name(0) == "row 3"
    assert read(COLOUR, need_labels=False).subset(np.array([3])).labels is None


def test_what_was_seen_is_plain_json(tmp_path):
    from dataclasses import asdict

    write_folder(tmp_path, COLOUR)
    for X in (COLOUR, tmp_path, np.ones((2, 3)), pd.DataFrame({"a": [1, 2]})):
        seen = read(X, need_labels=False).seen
        back = json.loads(json.dumps(asdict(seen)))
        assert back["kind"] == seen.kind
    assert seen == Seen("table", shape=(1,), names=("a",))


def test_one_sample_and_one_class_are_valid(tmp_path):
    path = write_folder(tmp_path, COLOUR[:1], ["cat"])[0]
    for X, y in (
        (tmp_path, None),
        (path, ["cat"]),
        (picture(COLOUR[0]), ["cat"]),
        (COLOUR[:1], ["cat"]),
    ):
        chunk = read(X, y)
        assert len(chunk) == 1 and chunk.labels.tolist() == ["cat"]
    assert read(path, need_labels=False).labels is None
    assert read(np.ones((1, 1)), [0]).seen.shape == (1,)


def test_a_flat_folder_or_a_file_is_read_where_no_labels_are_needed(tmp_path):
    paths = write_folder(tmp_path, COLOUR)
    assert read(tmp_path / "cat", need_labels=False).labels is None
    assert len(read(tmp_path / "cat", need_labels=False)) == 4
    assert read(paths[0], need_labels=False).name(0) == str(paths[0])
    assert read(tmp_path, need_labels=False).labels.tolist() == LABELS


def test_no_array_of_the_users_is_changed():
    x, table = COLOUR / 255, np.ones((3, 2), np.float32)
    x.flags.writeable = table.flags.writeable = False
    canonical(read(x, LABELS), 5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        taken = canonical(read(table, [1, 2, 3]))
    taken[:] = 7
    assert table.max() == 1


def test_the_global_generators_are_as_before(tmp_path):
    write_folder(tmp_path, COLOUR)
    before = torch.random.get_rng_state(), np.random.get_state()[1].copy()
    canonical(read(tmp_path), 5)
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()


# -- bad input -------------------------------------------------------------------------------------

WRONG = [
    ("nowhere", "nowhere: no such file or folder; check the path"),
    (np.ones(3), "Reshape your data"),
    (np.float64(3), "Expected 2D array, got scalar"),
    (np.ones((0, 3)), r"0 sample\(s\)"),
    ([], r"0 sample\(s\)"),
    (pd.DataFrame({"a": []}), r"0 sample\(s\)"),
    (np.array([[np.nan, 1]] * 3), "contains NaN"),
    (np.array([[np.inf, 1]] * 3), "infinity"),
    ([[1, 2], [3], [4]], "rows of unequal length"),
    (np.ones((3, 2), complex), "Complex data not supported"),
    (scipy.sparse.eye(3).tocsr(), "Sparse data was passed for X, but dense data is required"),
    (scipy.sparse.csr_array(np.eye(3)), r"Use '.toarray\(\)'"),
    (torch.eye(3).to_sparse(), "dense data is required"),
    (np.ones((3, 3, 3, 3)), "channels may come first or last"),
    (np.ones((3, 8, 8), np.uint8), "holds only 0 and 1"),
    (np.full((3, 8, 8), 16.0), r"divide X by its largest possible value \(X / 16\?\)"),
    (np.full((3, 8, 8), 255.0), "astype"),
    (np.ones((3, 2, 2, 2, 2)), "need a backbone of your own"),
    ({"a": [1, 2, 3]}, "X is a dict; pass X and y apart"),
    (b"abc", "X is a bytes"),
    (3, "X is a int; expected an array"),
    (None, "X is a NoneType; expected an array"),
    ([1, 2, 3], "Reshape your data"),
    ([None] * 3, "sample 0"),
    ([picture(COLOUR[0]), 3, 4], "sample 1 is a int"),
    (np.ones((4, 2)), r"inconsistent numbers of samples: \[4, 3\]"),
]


@pytest.mark.parametrize(("X", "message"), WRONG, ids=range(len(WRONG)))
def test_bad_input_is_refused_with_what_to_do(X, message):
    with pytest.raises(DataError, match=message) as caught:
        read(X, [0, 1, 2])
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed, but the target y is None"),
        ([1.0, np.nan], "contains NaN"),
        ([0.5, 1.5], "continuous"),
        (["a", ""], "empty label"),
        (["a", 1], "mix of str and int"),
        ([], "0 sample"),
        ([1, 2, 3], r"inconsistent numbers of samples: \[2, 3\]"),
    ],
)
def test_bad_labels_are_refused_for_every_source(tmp_path, y, message):
    paths = write_folder(tmp_path, COLOUR[:2], ["a", "b"])
    for X in (np.ones((2, 3)), COLOUR[:2], paths, pd.DataFrame({"a": [1, 2]}).to_numpy()):
        with pytest.raises(DataError, match=message):
            read(X, y)


def write_bad(root):
    """A folder of 12 good images and 6 bad ones."""
    paths = write_folder(root, COLOUR)
    data = paths[0].read_bytes()
    bad = {
        "cat/truncated.png": data[:60],
        "cat/zero.png": b"",
        "dog/text.png": b"not an image at all",
        "dog/flipped.png": data[:80] + bytes(60) + data[140:],
        "fox/huge.png": data[:16] + struct.pack(">II", 30000, 20000) + data[24:],
    }
    for name, content in bad.items():
        (root / name).write_bytes(content)
    (root / "fox" / "gone.png").symlink_to(root / "nowhere.png")
    return sorted([*bad, "fox/gone.png"])


def test_all_bad_files_of_a_folder_are_listed_before_anything_is_learnt(tmp_path):
    bad = write_bad(tmp_path)
    with pytest.raises(BadFilesError) as caught:
        read(tmp_path)
    assert [name for name, _ in caught.value.files] == [str(tmp_path / name) for name in bad]
    message = str(caught.value)
    assert message.startswith("6 of 18 files cannot be used:")
    for words in ("is empty (0 bytes)", "is text, not an image", "no such file", "damaged"):
        assert words in message


def test_bad_files_are_passed_over_and_counted_where_asked(tmp_path):
    bad = write_bad(tmp_path)
    chunk = read(tmp_path, skip_bad=True)
    assert [name for name, _ in chunk.skipped] == [str(tmp_path / name) for name in bad]
    assert chunk.labels.tolist() == LABELS
    np.testing.assert_array_equal(canonical(chunk), COLOUR)
    paths = sorted(path for path in tmp_path.glob("*/*"))
    labels = [f"{path.parent.name}!" for path in paths]
    chunk = read(paths, labels, skip_bad=True)
    assert len(chunk.skipped) == 6 and chunk.labels.tolist() == [label + "!" for label in LABELS]


def test_files_that_go_away_while_learning_are_named(tmp_path):
    write_folder(tmp_path, COLOUR)
    chunk = read(tmp_path)
    (tmp_path / "cat" / "001.png").unlink()
    records = preprocess.Prepared(chunk, preprocess.spec(chunk.seen))
    assert records.take(torch.tensor([0, 5])).shape == (2, 3, 9, 11)
    with pytest.raises(BadFilesError, match="001.png: no such file"):
        records.take(torch.arange(N))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "holds no images"),
        (["a.png"], "one subfolder for each class was expected"),
        (["train/cat/a.png", "test/cat/b.png"], "parts of a data set"),
    ],
)
def test_folders_without_classes_are_refused(tmp_path, names, message):
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        picture(COLOUR[0]).save(tmp_path / name)
    with pytest.raises(DataError, match=message):
        read(tmp_path)
    with pytest.raises(DataError, match="and y was given as well"):
        read(tmp_path, [1])


def test_data_read_before_is_taken_as_it_is_but_needs_labels():
    chunk = read(COLOUR, need_labels=False)
    assert read(chunk, need_labels=False) is chunk
    with pytest.raises(DataError, match="requires y"):
        read(chunk)


# -- cost ------------------------------------------------------------------------------------------


def test_reading_one_clean_sample_costs_microseconds():
    x, y = np.zeros((1, 1280), np.float32), np.array([3])
    word, times = np.array(["cat"], object), []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(200):
            read(x, y)
            read(x, word)
        times.append((time.perf_counter() - start) / 400)
    assert min(times) < 300e-6  # about 20 here; a busy machine is allowed for


def test_importing_sources_needs_neither_torch_nor_pandas():
    heavy = "torch", "pandas", "pyarrow", "sklearn"
    code = f"import sys, evergrow.sources; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_public_names_are_where_others_look_for_them():
    assert {"read", "Chunk", "Seen", "clean_labels"} <= set(vars(sources))


def test_a_csv_saved_with_row_numbers_gives_the_same_table(tmp_path):
    frame = pd.DataFrame({"a": [1.0, 2.0], "label": ["x", "y"]}, index=[8, 3])
    frame.to_csv(tmp_path / "a.csv")
    chunk = read(tmp_path / "a.csv")
    assert chunk.seen.names == ("a",) and "no name" in chunk.notes[0]


def test_masked_arrays_are_not_taken_for_whole_ones():
    with pytest.raises(DataError, match="masked in 1 places"):
        read(np.ma.array([[1.0, 2.0]], mask=[[True, False]]), [1])
