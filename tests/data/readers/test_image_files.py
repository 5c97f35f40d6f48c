import numpy as np
import pytest
from PIL import Image

from evergrow.data.readers import image_files
from evergrow.data.readers.image_files import check_all, in_threads
from evergrow.errors import BadFilesError


def write(folder, n=9):
    paths = [folder / f"{i}.png" for i in range(n)]
    for i, path in enumerate(paths):
        Image.new("L" if i % 2 else "RGB", (4 + i, 3), i).save(path)
    return paths


def test_each_file_is_looked_at_and_taken_in_the_order_asked_for(tmp_path):
    paths = write(tmp_path)
    store, bad = check_all(paths)
    assert store.rows.tolist() == list(range(9)) and bad == []
    assert store.kinds == {(1 if i % 2 else 3, (3, 4 + i)) for i in range(9)}
    taken = store.take(np.array([8, 1, 1, 5, 7, 0]))
    assert [image.shape for image in taken] == [(3, 3, 12)] + [(1, 3, 5)] * 2 + [
        (1, 3, 9),
        (1, 3, 11),
        (3, 3, 4),
    ]
    assert [image.max() for image in store.take(np.array([3]), then=lambda x: x * 2)] == [6]
    assert store.take(np.array([], int)) == []


def test_all_bad_files_are_listed_at_once(tmp_path):
    paths = write(tmp_path)
    paths[2].write_bytes(b"")
    paths[5].write_text("words")
    paths.append(tmp_path / "missing.png")
    with pytest.raises(BadFilesError) as caught:
        check_all(paths)
    assert [name for name, _ in caught.value.files] == [str(paths[i]) for i in (2, 5, 9)]
    message = str(caught.value)
    assert message.startswith(f"3 of 10 files cannot be used:\n  {paths[2]}: is empty (0 bytes)\n")
    assert "missing.png: no such file" in message and "skip_bad" in message


def test_bad_files_are_passed_over_where_asked_unless_none_is_left(tmp_path):
    paths = write(tmp_path, 3)
    paths[1].write_bytes(b"")
    store, bad = check_all(paths, skip_bad=True)
    assert (len(store), store.rows.tolist()) == (2, [0, 2])
    assert bad == [(str(paths[1]), "is empty (0 bytes)")]
    assert store.name(1) == str(paths[2])
    with pytest.raises(BadFilesError, match="1 of 1 files"):
        check_all(paths[1:2], skip_bad=True)


def test_files_that_vanish_or_change_after_the_check_are_all_named(tmp_path):
    paths = write(tmp_path)
    store, _ = check_all(paths)
    paths[3].unlink()
    paths[4].write_bytes(paths[5].read_bytes() + b"x")
    with pytest.raises(BadFilesError) as caught:
        store.take(np.arange(9))
    assert caught.value.files == [
        (str(paths[3]), "no such file"),
        (str(paths[4]), "has changed since it was checked"),
    ]
    assert len(store.take(np.array([0, 5]))) == 2


def test_at_most_8_images_are_in_memory_at_once_while_checking(tmp_path, monkeypatch):
    paths = write(tmp_path, 3) * 40
    real, alive, most = image_files.inspect, [], []

    def watched(path):
        alive.append(path)
        most.append(len(alive))
        found = real(path)
        alive.pop()
        return found

    monkeypatch.setattr(image_files, "inspect", watched)
    check_all(paths)
    assert len(most) == 120 and max(most) <= 8


def test_order_is_kept_over_blocks_and_errors_come_through():
    assert list(in_threads(lambda x: -x, list(range(50)), block=7)) == [-x for x in range(50)]
    with pytest.raises(ZeroDivisionError):
        list(in_threads(lambda x: 1 // x, [1, 2, 3, 4, 5, 0]))
