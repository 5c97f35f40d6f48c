"""A model folder as readers see it; what is damaged and kept is in test_store."""

import pytest

from evergrow.errors import DamagedError, ModelError
from evergrow.storage.folder_reader import Folder, number_of


def test_folders_are_told_by_their_numbers():
    assert number_of("000012") == number_of("000012-5f0c") == 12
    assert number_of("1234567") == 1234567
    assert number_of("rollback-5f0c") is None and number_of("00001") is None


def test_no_model_here(tmp_path):
    path = tmp_path / "my model"
    folder = Folder(path)
    for ask in (folder.current, folder.manifest, folder.read, folder.verify):
        with pytest.raises(ModelError, match="No model at .*my model: make one with") as caught:
            ask()
        assert f"\"evergrow learn '{path}' DATA\"" in str(caught.value)
    assert not folder.exists() and folder.versions() == [] and not path.exists()


def test_a_git_repository_is_not_a_damaged_model(tmp_path):
    (tmp_path / "HEAD").write_text("ref: refs/heads/main\n")
    with pytest.raises(ModelError, match="is not a model folder") as caught:
        Folder(tmp_path).read()
    assert not isinstance(caught.value, DamagedError)


def test_versions_under_way_are_none_unless_head_names_them(tmp_path):
    for place in ("versions/000001", "versions/000002-5f0c", "pending/000002-5f0c"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "HEAD").write_text("1")
    assert Folder(tmp_path).versions() == [1]
    (tmp_path / "HEAD").write_text("2")
    assert Folder(tmp_path).versions() == [1, 2] and Folder(tmp_path).current() == 2


def test_a_lost_head_beside_versions_is_damage(tmp_path):
    (tmp_path / "versions" / "000001").mkdir(parents=True)
    assert Folder(tmp_path).exists()
    with pytest.raises(DamagedError, match="HEAD is missing"):
        Folder(tmp_path).current()
