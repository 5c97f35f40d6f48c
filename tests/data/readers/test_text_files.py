"""Text files, read by class, alone, or in a list; all that cannot be read are named."""

import pytest
from PIL import Image

from evergrow.data.read import read
from evergrow.errors import BadFilesError, DataError


def texts_in(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_a_folder_of_text_files_is_read_by_class(tmp_path):
    texts_in(tmp_path, {"sky/b.txt": b"\xef\xbb\xbfthe sun\n", "sky/a.TXT": b"rain"})
    texts_in(tmp_path, {"pets/deep/c.txt": "ein Kätzchen".encode(), "sky/d.pdf": b"%PDF"})
    chunk = read(tmp_path)
    assert chunk.kind == "text" and chunk.labels.tolist() == ["pets", "sky", "sky"]
    assert chunk.take([0, 1, 2]) == ["ein Kätzchen", "rain", "the sun"]
    assert chunk.name(2).endswith("sky/b.txt")
    assert chunk.notes == ["1 file of other kinds passed over (1 x .pdf)"]


def test_text_files_beside_images_are_passed_over(tmp_path):
    texts_in(tmp_path, {"a/notes.txt": b"words"})
    Image.new("L", (4, 4)).save(tmp_path / "a" / "x.png")
    chunk = read(tmp_path)
    assert chunk.kind == "image"
    assert chunk.notes == ["1 file of other kinds passed over (1 x .txt)"]


def test_single_text_files_and_lists_of_them_are_read(tmp_path):
    texts_in(tmp_path, {"a.txt": b"one", "b.txt": b"two"})
    assert read(tmp_path / "a.txt", need_labels=False).take([0]) == ["one"]
    with pytest.raises(DataError, match="a.txt is one text without a label; put text files"):
        read(tmp_path / "a.txt")
    both = [tmp_path / "b.txt", str(tmp_path / "a.txt")]
    assert read(list(map(str, both)), ["x", "y"]).take([0, 1]) == ["two", "one"]
    assert read(tmp_path, need_labels=False).labels is None


def test_text_files_that_cannot_be_used_are_all_named(tmp_path):
    files = {"a/good.txt": b"words", "a/empty.txt": b" \n", "b/latin.txt": b"K\xe4tzchen"}
    texts_in(tmp_path, files)
    with pytest.raises(BadFilesError, match="2 of 3 files") as error:
        read(tmp_path)
    assert "empty.txt: is empty" in str(error.value)
    assert "latin.txt: cannot be read as UTF-8" in str(error.value)
    chunk = read(tmp_path, skip_bad=True)
    assert chunk.labels.tolist() == ["a"] and len(chunk.skipped) == 2
    with pytest.raises(
        DataError, match="one subfolder for each class was expected, but .* 2 texts"
    ):
        texts_in(tmp_path / "flat", {"x.txt": b"x", "y.txt": b"y"})
        read(tmp_path / "flat")
