import pytest

from evergrow.data.readers.path_cells import are_paths
from evergrow.errors import DataError


def test_texts_are_paths_if_all_are_files_or_end_as_images_do(tmp_path):
    for name in ("a.png", "b.dat", "c.dat"):
        (tmp_path / name).touch()
    assert are_paths(["b.dat", "c.dat"], tmp_path, "X")
    assert are_paths(["gone.png", "a.png"], tmp_path, "X")
    assert not are_paths(["b.dat", "words"], tmp_path, "X")
    assert not are_paths(["a.png", "a long title in words"], tmp_path, "X")
    assert not are_paths(["words\0", "b.dat"], tmp_path, "X") and not are_paths([], tmp_path, "X")
    assert not are_paths(["x" * 5000], tmp_path, "X")
    with pytest.raises(DataError, match=r"column 'file' .*'gone.png'.*looked for in .*--text"):
        are_paths(["gone.png", "lost.jpg"], tmp_path, "column 'file'")
