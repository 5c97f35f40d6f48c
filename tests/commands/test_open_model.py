"""Models out of their folders, to be asked, and back as one new version."""

import pytest

from evergrow.commands import learn, open_model
from evergrow.errors import ModelError, SettingError
from evergrow.model.options import How
from evergrow.storage.model_folder import ModelFolder

from .points import points, saved


def test_the_version_that_is_asked_for_is_loaded(model, tmp_path):
    learn.learn(model, saved(tmp_path / "second.npz", "c"))
    folder = ModelFolder(model)
    assert open_model.load(folder, open_model.CURRENT).classes.tolist() == ["a", "b", "c"]
    older = open_model.load(folder, open_model.OpenOptions(version=1))
    assert older.classes.tolist() == ["a", "b"]
    assert open_model.described(older, 1) == {
        "version": 1,
        "classes": ["a", "b"],
        "method": "lda",
        "backbone": "none",
        "reason": older.reason,
    }


def test_a_model_that_is_committed_is_the_next_version_with_what_is_said_of_it(model):
    folder = ModelFolder(model)
    loaded = open_model.restored(folder, folder.read(), open_model.CURRENT, learning=True)
    with folder.writer():
        version = open_model.commit(folder, loaded, {"data": "of a test"})
    assert version == 2 == folder.current()
    assert folder.manifest()["data"] == "of a test"


def test_a_device_that_is_not_there_is_a_setting_at_fault(model):
    with pytest.raises(SettingError, match="none-such"):
        open_model.load(ModelFolder(model), open_model.OpenOptions(device="none-such"))


def test_a_model_with_a_method_of_ones_own_says_that_it_needs_it(tmp_path, monkeypatch):
    code = "from evergrow.methods import NCM\n\n\nclass Mine(NCM):\n    'NCM by another name.'\n"
    (tmp_path / "method_to_open.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    how = How({"backbone": "none", "method": "method_to_open:Mine"})
    learn.learn(tmp_path / "mine", points("a", "b"), how)
    folder = ModelFolder(tmp_path / "mine")
    with pytest.raises(ModelError, match="method"):
        open_model.load(folder, open_model.CURRENT)
    named = open_model.OpenOptions("method_to_open:Mine")
    assert open_model.load(folder, named).method_name == "method_to_open:Mine"
