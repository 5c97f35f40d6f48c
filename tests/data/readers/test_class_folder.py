import os
import unicodedata

import pytest
from PIL import Image

from evergrow.data.readers.class_folder import label_of, list_files, printable
from evergrow.errors import DataError


def tree(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if name.endswith("/") else path.touch()
    return root


def listed(root, **options):
    found = list_files(root, **options)
    return [str(file.relative_to(root)) for file in found.files], found.labels, found.notes


def test_images_are_listed_by_class_and_name(tmp_path):
    tree(tmp_path, "dog/b.png", "dog/a.JPG", "cat/9.webp", "cat/10.gif", "cat/1.bmp")
    files, labels, notes = listed(tmp_path)
    assert files == ["cat/1.bmp", "cat/10.gif", "cat/9.webp", "dog/a.JPG", "dog/b.png"]
    assert labels == ["cat", "cat", "cat", "dog", "dog"]
    assert notes == []


def test_images_at_any_depth_belong_to_the_top_folder(tmp_path):
    tree(tmp_path, "cat/a.png", "cat/indoor/b.png", "cat/outdoor/garden/c.png")
    files, labels, _ = listed(tmp_path)
    assert files == ["cat/a.png", "cat/indoor/b.png", "cat/outdoor/garden/c.png"]
    assert labels == ["cat"] * 3


def test_hidden_files_and_clutter_are_not_even_counted(tmp_path):
    names = ".git/x.png", "cat/.hidden.png", "cat/Thumbs.db", "cat/.DS_Store", "__MACOSX/cat/a.png"
    tree(tmp_path, "cat/a.png", "cat/desktop.ini", *names)
    assert listed(tmp_path) == (["cat/a.png"], ["cat"], [])


def test_other_files_are_counted_and_empty_folders_named(tmp_path):
    tree(tmp_path, "cat/a.png", "cat/README.txt", "cat/b.heic", "cat/LICENSE", "dog/")
    _, labels, notes = listed(tmp_path)
    assert labels == ["cat"]
    assert notes[0] == "the folder dog holds no images: passed over"
    assert notes[1].startswith("3 files of other kinds passed over (")
    assert "1 x .heic" in notes[1] and "1 x no extension" in notes[1]


def test_images_beside_the_class_folders_are_noted(tmp_path):
    tree(tmp_path, "cat/a.png", "stray.png")
    files, labels, notes = listed(tmp_path)
    assert (files, labels) == (["cat/a.png"], ["cat"])
    assert notes == ["1 image beside the class folders passed over (no class)"]


def test_numbers_are_names(tmp_path):
    assert listed(tree(tmp_path, "10/a.png", "9/a.png"))[1] == ["10", "9"]


def test_without_labels_all_images_are_listed(tmp_path):
    tree(tmp_path, "a.png", "cat/b.png")
    assert listed(tmp_path, need_labels=False) == (["a.png", "cat/b.png"], None, [])
    (tmp_path / "a.png").unlink()
    assert listed(tmp_path, need_labels=False) == (["cat/b.png"], ["cat"], [])


def test_an_accent_is_the_same_label_however_it_is_written(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    assert composed != decomposed
    tree(tmp_path, f"{decomposed}/a.png", f"{composed}/b.png")
    assert listed(tmp_path)[1] == [composed, composed]
    assert label_of(tree(tmp_path, "日本/a.png") / "日本") == "日本"


def test_links_are_followed_but_not_in_circles(tmp_path):
    tree(tmp_path, "far/1.png", "near/cat/a.png")
    (tmp_path / "near/dog").symlink_to(tmp_path / "far")
    (tmp_path / "near/cat/loop").symlink_to(tmp_path / "near/cat")
    (tmp_path / "near/cat/b.png").symlink_to(tmp_path / "far/1.png")
    files, labels, _ = listed(tmp_path / "near")
    assert files == ["cat/a.png", "cat/b.png", "dog/1.png"]
    assert labels == ["cat", "cat", "dog"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], r"holds no images \(it is empty\); images end in .bmp"),
        (["cat/"], r"holds no images \(it is empty\)"),
        (["cat/a.txt", "b.txt"], r"holds no images \(2 x .txt\)"),
        (
            ["a.png", "b.png"],
            "one subfolder for each class was expected.*holds 2 images and no subfolder",
        ),
        (["train/cat/a.png", "test/cat/a.png"], r"parts of a data set \(test, train\).*/train"),
        (["Train/a.png", "val/a.png"], "parts of a data set"),
        (["train/cat/a.png"], r"parts of a data set \(train\).*/train"),
    ],
)
def test_a_folder_without_classes_is_refused(tmp_path, names, message):
    with pytest.raises(DataError, match=message):
        list_files(tree(tmp_path, *names))


def test_a_lone_class_may_be_called_train(tmp_path):
    assert listed(tree(tmp_path, "train/a.png"))[1] == ["train"]
    assert listed(tree(tmp_path, "bus/a.png"))[1] == ["bus", "train"]


def test_a_name_that_is_not_utf_8_cannot_be_a_label_but_can_be_shown(tmp_path):
    name = os.fsdecode(b"caf\xe9")
    try:
        tree(tmp_path, f"{name}/a.png")
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    with pytest.raises(DataError, match="caf\ufffd is not UTF-8"):
        list_files(tmp_path)
    assert printable(tmp_path / name).encode()


@pytest.mark.parametrize(
    ("parts", "others", "advised"),
    [
        (["train", "val"], ["annotations"], "train"),
        (["seg_train", "seg_test", "seg_pred"], [], "seg_train"),
        (["train2017", "val2017"], ["masks/cat"], "train2017"),
        (["seg_train/seg_train", "seg_test/seg_test"], [], "seg_train/seg_train"),
        (["training-images"], [], "training-images"),
    ],
)
def test_parts_of_a_data_set_are_refused_with_the_folder_to_pass(tmp_path, parts, others, advised):
    for place in [*(f"{part}/{k}" for part in parts for k in ("cat", "dog")), *others]:
        (tmp_path / place).mkdir(parents=True)
        if place != "annotations":
            Image.new("L", (4, 4)).save(tmp_path / place / "1.png")
    with pytest.raises(DataError, match=f"such as {tmp_path / advised}[.]"):
        list_files(tmp_path)
    assert set(list_files(tmp_path / advised).labels) == {"cat", "dog"}


def test_classes_may_be_named_like_parts(tmp_path):
    for name in ("test kit", "dev kit", "train"):
        (tmp_path / name).mkdir()
        Image.new("L", (4, 4)).save(tmp_path / name / "1.png")
    assert list_files(tmp_path).labels == ["dev kit", "test kit", "train"]
