"""A model folder of a stranger: nothing is followed out of it, and nothing of yours is deleted."""

import os
import shutil

import pytest

from evergrow import load
from evergrow.commands import versions
from evergrow.errors import DamagedError, EvergrowError, ModelError
from evergrow.storage.model_folder import ModelFolder

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")


@pytest.fixture
def model(grown, tmp_path):
    return shutil.copytree(grown.path, tmp_path / "model")


@pytest.fixture
def mine(tmp_path):
    """A folder of the user's own, with files that look like the store's and others."""
    for name in ("000001-5f0c5f0c", "learn-000001", "photos"):
        (tmp_path / "mine" / name).mkdir(parents=True)
        (tmp_path / "mine" / name / "dear.txt").write_text("dear")
    (tmp_path / "mine" / ("a" * 64)).write_text("dear")
    return tmp_path / "mine"


def tree(folder):
    return {p.relative_to(folder): p.is_dir() or p.read_text() for p in folder.rglob("*")}


@pytest.mark.parametrize("part", ["pending", "versions", "blobs", "lock", "HEAD"])
def test_a_part_that_is_a_link_is_refused_and_its_target_untouched(model, mine, part):
    before = tree(mine)
    place = model / part
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
    place.symlink_to(mine if part in ("pending", "versions", "blobs") else mine / ("a" * 64))
    for ask in (versions.rollback, versions.show, load):
        with pytest.raises(ModelError, match=rf"{part} is a link"):
            ask(model)
    with pytest.raises(ModelError, match="is a link"), ModelFolder(model).writer():
        pass
    assert tree(mine) == before


@pytest.mark.parametrize(
    "place", ["pending/learn-000003", "pending/000009-00000000", "blobs/" + "b" * 64]
)
def test_a_link_deeper_inside_stops_whoever_would_write(model, mine, place):
    before = tree(mine)
    (model / place).parent.mkdir(exist_ok=True)
    (model / place).symlink_to(mine)
    with pytest.raises(ModelError, match="is a link"):
        versions.rollback(model)
    assert tree(mine) == before and (model / place).is_symlink()


def test_what_the_store_did_not_make_stays_where_it_lies(model):
    (model / "pending" / "thesis").mkdir(parents=True)
    (model / "pending" / "thesis" / "chapter.tex").write_text("all of it")
    (model / "pending" / "000009-00000000").mkdir()
    versions.rollback(model)
    assert (model / "pending" / "thesis" / "chapter.tex").read_text() == "all of it"
    assert not (model / "pending" / "000009-00000000").exists(), "that of a commit that never ended"


def test_a_version_or_a_file_that_is_a_link_is_damage(model, mine):
    serving = model / "versions" / "000003" / "serving.safetensors"
    serving.rename(mine / "serving")
    serving.symlink_to(mine / "serving")
    with pytest.raises(DamagedError, match=r"serving.safetensors is a link.*rollback"):
        load(model)
    shutil.move(model / "versions" / "000002", mine / "two")
    (model / "versions" / "000002").symlink_to(mine / "two")
    with pytest.raises(EvergrowError, match="is a link"):
        versions.rollback(model, 2)


@pytest.mark.parametrize("part", ["HEAD", "versions/000003/manifest.json"])
def test_pipes_and_devices_are_not_waited_for(model, part):
    (model / part).unlink()
    os.mkfifo(model / part)
    with pytest.raises(ModelError, match="no regular file"):
        versions.show(model)


def test_sizes_are_compared_before_anything_is_read(model):
    head, manifest = model / "HEAD", model / "versions" / "000003" / "manifest.json"
    with manifest.open("r+b") as file:
        file.truncate(1 << 40)  # a sparse file: it takes no room
    with pytest.raises(DamagedError, match="1,099,511,627,776 bytes"):
        versions.show(model)
    with head.open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(ModelError, match="1,099,511,627,776 bytes"):
        versions.show(model)


def test_a_model_by_way_of_a_link_is_a_model(model, tmp_path):
    (tmp_path / "latest").symlink_to(model)
    assert versions.show(tmp_path / "latest")["version"] == 3
    x = load(model).net_.width
    assert load(tmp_path / "latest").net_.width == x
