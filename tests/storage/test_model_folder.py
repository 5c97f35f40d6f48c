"""The model folder: what comes back, what is refused, what is damaged, what is kept."""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pytest
import torch

from evergrow.errors import DamagedError, FormatError, LockedError, ModelError, SettingError
from evergrow.storage import durable_files
from evergrow.storage.model_folder import ModelFolder

DTYPES = [torch.int64, torch.bfloat16, torch.bool, torch.uint8, torch.float16, torch.float64]
DTYPES += [torch.float32, torch.int8, torch.int16, torch.int32, torch.uint16, torch.uint32]
DTYPES += [torch.uint64, torch.complex64, torch.float8_e4m3fn, torch.float8_e5m2]


def content(value: int) -> dict:
    """Everything that a version can hold, told apart by `value`; the body is shared by all."""
    return {
        "manifest": {"classes": ["cat", value]},
        "serving": {"weight": torch.full((2,), value)},
        "learning": {"sums": torch.full((3,), value)},
        "memory": pa.table({"x": [b"png", bytes([value])]}),
        "ledger": pa.table({"hash": [b"abc"], "column": [value]}),
        "blobs": {"body": {"w": torch.ones(5)}, "own": {"w": torch.full((4,), value)}},
    }


def commit(folder: ModelFolder, *values: int) -> ModelFolder:
    with folder.writer():
        for value in values:
            folder.commit(**content(value))
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three versions, the third current."""
    return commit(ModelFolder(tmp_path_factory.mktemp("made") / "model"), 1, 2, 3).path


@pytest.fixture
def model(made: Path, tmp_path: Path) -> ModelFolder:
    """A copy of it."""
    return ModelFolder(shutil.copytree(made, tmp_path / "model"))


def files(path: Path) -> dict[str, bytes | None]:
    """Everything in a folder; the lock's text, which names a process and a time, left out."""
    return {
        str(p.relative_to(path)): p.read_bytes() if p.is_file() and p.name != "lock" else None
        for p in path.rglob("*")
    }


def assert_is(folder: ModelFolder, value: int, version: int | None = None) -> None:
    stored = folder.read(version)
    assert stored.manifest["classes"] == ["cat", value]
    assert stored.serving["weight"].tolist() == [value, value]
    assert stored.learning is not None and stored.learning["sums"].tolist() == [value] * 3
    assert stored.memory is not None and stored.memory["x"].to_pylist() == [b"png", bytes([value])]
    assert stored.ledger is not None and stored.ledger["column"].to_pylist() == [value]
    assert stored.blobs["body"]["w"].tolist() == [1.0] * 5
    assert stored.blobs["own"]["w"].tolist() == [value] * 4


# What comes back


def test_versions_follow_one_another_and_each_is_read_as_it_was_committed(model):
    assert model.exists() and model.current() == 3 and model.versions() == [1, 2, 3]
    for version in (1, 2, 3):
        assert_is(model, version, version)
        model.verify(version)
    assert [model.manifest(v)["parent"] for v in (1, 2, 3)] == [None, 1, 2]


def test_the_folder_is_laid_out_as_documented(model):
    assert {p.name for p in model.path.iterdir()} == {
        "HEAD",
        "versions",
        "blobs",
        "pending",
        "lock",
    }
    assert (model.path / "HEAD").read_text() == "3\n"
    assert sorted(p.name for p in (model.path / "versions").iterdir()) == [
        "000001",
        "000002",
        "000003",
    ]
    assert {p.name for p in (model.path / "versions" / "000003").iterdir()} == {
        "manifest.json",
        "serving.safetensors",
        "learning.safetensors",
        "memory.parquet",
        "ledger.parquet",
    }
    assert list((model.path / "pending").iterdir()) == []


def test_a_manifest_describes_its_version(model):
    text = (model.path / "versions" / "000003" / "manifest.json").read_text()
    manifest = json.loads(text)
    assert text.startswith('{\n  "format": 1,\n  "version": 3,\n  "parent": 2,\n  "time": "20')
    assert manifest["packages"]["torch"] and manifest["packages"]["python"]
    for name, entry in manifest["files"].items():
        data = (model.path / "versions" / "000003" / name).read_bytes()
        assert entry == {
            "sha256": durable_files.hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
        }
    for entry in manifest["blobs"].values():
        assert (model.path / "blobs" / entry["sha256"]).stat().st_size == entry["bytes"]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_tensors_of_every_dtype_and_shape_come_back_bit_for_bit(tmp_path, dtype):
    noise = torch.randint(0, 2, (4, 6), generator=torch.Generator().manual_seed(0)).to(dtype)
    tensors = {
        "matrix": noise,
        "number": noise[0, 0],
        "empty": noise[:0],
        "column": noise[:, 1],
        "turned": noise.T,
        "parameter/é": noise,
    }
    folder = ModelFolder(tmp_path)
    with folder.writer():
        folder.commit({}, tensors, {})
    back = folder.read().serving
    assert list(sorted(back)) == sorted(tensors)
    for name, tensor in tensors.items():
        assert back[name].dtype == dtype and back[name].shape == tensor.shape
        same = back[name].contiguous().view(-1).view(torch.uint8)
        assert torch.equal(same, tensor.contiguous().view(-1).view(torch.uint8))


def test_nan_payloads_and_parameters_survive(tmp_path):
    odd = torch.tensor([0x7FC00001, -1, 1], dtype=torch.int32).view(torch.float32)
    folder = ModelFolder(tmp_path)
    with folder.writer():
        folder.commit({}, {"odd": torch.nn.Parameter(odd)}, {})
    assert folder.read().serving["odd"].view(torch.int32).tolist() == [0x7FC00001, -1, 1]


def test_what_safetensors_has_no_form_for_is_refused_and_nothing_changes(model):
    before = files(model.path)
    for name, tensor in (("z", torch.zeros(1, dtype=torch.complex128)), ("__metadata__", odd())):
        with model.writer(), pytest.raises(TypeError, match=name):
            model.commit({}, {name: tensor}, {})
    assert files(model.path) == before


def odd() -> torch.Tensor:
    return torch.zeros(1)


def test_the_safetensors_package_reads_the_files_that_we_write(model):
    from safetensors import safe_open

    path = model.path / "versions" / "000003" / "serving.safetensors"
    with safe_open(path, framework="pt") as file:
        assert file.get_tensor("weight").tolist() == [3, 3]


def test_tensors_lie_where_their_dtype_may_be_mapped(tmp_path):
    odd = torch.ones(3, dtype=torch.uint8)
    entry = durable_files.write_tensors(
        tmp_path / "t", {"a": odd, "b": odd.double(), "c": odd.bfloat16()}
    )
    data = (tmp_path / "t").read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    starts = {k: v["data_offsets"][0] for k, v in json.loads(data[8:end]).items()}
    assert end % 8 == 0 and starts == {"b": 0, "c": 24, "a": 30}
    assert durable_files.describe({"c": odd.bfloat16(), "b": odd.double(), "a": odd}) == entry


def test_tensors_outlive_their_files(model):
    stored = model.read(1)
    shutil.rmtree(model.path)
    assert stored.serving["weight"].tolist() == [1, 1]
    stored.blobs["body"]["w"] += 1


def test_serving_alone_leaves_out_what_only_learning_needs(model):
    for path in (model.path / "versions" / "000003").iterdir():
        if path.name not in ("manifest.json", "serving.safetensors"):
            path.unlink()
    stored = model.read(learning=False)
    assert stored.serving["weight"].tolist() == [3, 3] and stored.blobs["body"]
    assert stored.learning is None and stored.memory is None and stored.ledger is None


def test_tables_and_blobs_may_be_left_out(tmp_path):
    folder = ModelFolder(tmp_path)
    with folder.writer():
        folder.commit({}, {}, {})
    stored = folder.read()
    assert (stored.serving, stored.learning, stored.blobs) == ({}, {}, {})
    assert stored.memory is None and stored.ledger is None


def test_a_manifest_that_was_read_may_be_committed_again(model):
    with model.writer():
        stored = model.read()
        again = {"serving": stored.serving, "learning": stored.learning, "blobs": stored.blobs}
        assert (
            model.commit(
                {**stored.manifest, "classes": ["dog"], "pruned": True, "version": 99}, **again
            )
            == 4
        )
    assert model.manifest()["classes"] == ["dog"] and model.manifest()["parent"] == 3
    assert model.manifest()["pruned"] is False
    model.verify()


def test_bytes_are_those_on_the_disk(model):
    assert model.bytes() == sum(p.stat().st_size for p in model.path.rglob("*") if p.is_file())
    own = [p.stat().st_size for p in (model.path / "versions" / "000002").iterdir()]
    blobs = [entry["bytes"] for entry in model.manifest(2)["blobs"].values()]
    assert model.bytes(2) == sum(own) + sum(blobs)


def test_show_needs_no_heavy_library(model):
    code = f"""
import sys
from evergrow.storage.model_folder import ModelFolder
folder = ModelFolder({str(model.path)!r})
assert folder.manifest()["classes"] == ["cat", 3] and folder.versions() == [1, 2, 3]
assert folder.bytes() > folder.bytes(3) > 0
heavy = {{"torch", "numpy", "pyarrow", "pandas", "safetensors", "filelock"}} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# What is refused


def test_there_is_nothing_to_roll_back_where_no_model_is(tmp_path):
    with pytest.raises(ModelError, match="No model at"):
        ModelFolder(tmp_path / "none").rollback()
    assert not (tmp_path / "none").exists()


def test_an_empty_folder_may_become_a_model(tmp_path):
    folder = ModelFolder(tmp_path)
    assert not folder.exists()
    commit(folder, 1)
    assert_is(folder, 1)


def test_a_folder_of_something_else_is_refused_and_not_touched(tmp_path):
    (tmp_path / "thesis.tex").write_text("...")
    folder = ModelFolder(tmp_path)
    for ask in (folder.exists, folder.read, folder.rollback, folder.writer().__enter__):
        with pytest.raises(ModelError, match="is not a model folder.*thesis.tex"):
            ask()
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_is_not_a_model(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"")
    for path in (tmp_path / "model.pt", tmp_path / "model.pt" / "inner"):
        with pytest.raises(ModelError, match="is not a folder"):
            ModelFolder(path).read()
        with pytest.raises(ModelError, match="is not a folder"), ModelFolder(path).writer():
            pass


def test_a_version_that_is_not_there(model):
    for ask in (model.manifest, model.read, model.verify, model.rollback):
        with pytest.raises(ModelError, match="no version 7; it has versions 1, 2, 3"):
            ask(7)


def test_a_commit_needs_the_lock(model):
    with pytest.raises(RuntimeError, match="writer"):
        model.commit({}, {}, {})


def test_at_least_one_version_keeps_its_learning_part(tmp_path):
    with pytest.raises(SettingError, match="keep is 0"):
        ModelFolder(tmp_path, keep=0)


def test_a_folder_is_unmade_if_nothing_was_committed(tmp_path):
    with ModelFolder(tmp_path / "new").writer():
        assert (tmp_path / "new" / "lock").exists()
    assert not (tmp_path / "new").exists()
    (tmp_path / "empty").mkdir()
    with pytest.raises(KeyError), ModelFolder(tmp_path / "empty").writer():
        raise KeyError
    assert list((tmp_path / "empty").iterdir()) == []


def reseal(path: Path, **changes: object) -> None:
    """Change a manifest as a program would that knows how it is sealed."""
    from evergrow.storage.manifest import dump

    path.write_bytes(dump({**json.loads(path.read_text()), **changes}))


def test_a_newer_format_is_refused_with_both_numbers(model):
    path = model.path / "versions" / "000003" / "manifest.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 7'))
    for ask in (model.manifest, model.read, model.verify, model.rollback):
        with pytest.raises(FormatError, match="Version 3 .*format 7 .*format 1.*newer evergrow"):
            ask()
    with model.writer(), pytest.raises(FormatError):
        model.commit({}, {}, {})
    assert model.rollback(to=2) == 2
    commit(model, 4)
    assert model.versions() == [1, 2, 3, 4]
    assert (model.path / "blobs" / json.loads(path.read_text())["blobs"]["own"]["sha256"]).exists()


# What is damaged


def spoil(path: Path, how: str) -> None:
    data = path.read_bytes()
    middle = len(data) // 2
    if how == "flip":
        path.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
    elif how == "cut":
        path.write_bytes(data[:middle])
    elif how == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()


PARTS = ["manifest.json", "serving.safetensors", "learning.safetensors"]
PARTS += ["memory.parquet", "ledger.parquet", "blob"]


@pytest.mark.parametrize("how", ["flip", "cut", "empty", "delete"])
@pytest.mark.parametrize("part", PARTS)
def test_damage_is_named_and_rolled_away_from(model, part, how):
    blob = model.path / "blobs" / model.manifest()["blobs"]["own"]["sha256"]
    path = blob if part == "blob" else model.path / "versions" / "000003" / part
    spoil(path, how)
    for ask in (model.read, model.verify):
        with pytest.raises(DamagedError) as caught:
            ask()
        said = str(caught.value)
        assert "Version 3 of" in said and path.name in said and "Intact: versions 1, 2." in said
        assert f"evergrow rollback {model.path} --to 2" in said
        if how in ("cut", "empty") and part != "manifest.json":
            assert "bytes where" in said
    assert model.exists()
    assert model.rollback() == 2
    assert_is(model, 2)
    commit(model, 5)
    assert_is(model, 5)
    assert model.versions() == [1, 2, 3, 4]


@pytest.mark.parametrize("text", ["", "three\n", "-1", "\x00\xff", None])
def test_a_damaged_head_deletes_nothing_and_is_mended_by_rollback(model, text):
    head = model.path / "HEAD"
    if text is None:
        head.unlink()
    else:
        head.write_text(text)
    before = files(model.path)
    assert model.exists() and model.versions() == [1, 2, 3]
    with pytest.raises(DamagedError, match="HEAD .*Intact: versions 1, 2, 3"):
        model.read()
    with model.writer(), pytest.raises(DamagedError):
        model.commit({}, {}, {})
    assert files(model.path) == before
    assert_is(model, 2, 2)  # a version that is asked for by its number needs no HEAD
    assert model.rollback() == 3
    assert_is(model, 3)


def test_a_head_that_names_no_version_is_damage(model):
    (model.path / "HEAD").write_text("8\n")
    with pytest.raises(DamagedError, match="Version 8 .*manifest.json is missing"):
        model.read()
    assert model.rollback() == 3
    commit(model, 4)
    assert model.current() == 4


def test_a_lost_head_deletes_nothing_even_where_a_commit_was_not_tidied_up(model):
    (model.path / "pending" / "000003-ab").mkdir()
    (model.path / "HEAD").unlink()
    with model.writer():
        pass
    assert (model.path / "versions" / "000003").exists()
    assert model.rollback() == 2


def test_what_a_learn_left_is_kept_while_its_version_is_current(model):
    left = model.unfinished
    left.mkdir()
    (left / "sums").write_text("half of them")
    (model.path / "pending" / "learn-000001").mkdir()
    with model.writer():
        assert (left / "sums").exists()
        assert not (model.path / "pending" / "learn-000001").exists()
    assert_is(model, 3)
    commit(model, 4)
    assert model.unfinished != left and not left.exists()


def test_a_folder_without_a_version_keeps_what_a_learn_left(tmp_path):
    model = ModelFolder(tmp_path / "model")
    with model.writer():
        model.unfinished.mkdir(parents=True)
        (model.unfinished / "sums").write_text("half of them")
    assert (model.unfinished / "sums").exists() and not model.exists()
    commit(model, 1)
    assert model.versions() == [1] and not list((model.path / "pending").iterdir())


@pytest.mark.parametrize(
    "changes",
    [
        {"files": None},
        {"blobs": {"own": {"sha256": "../../secret", "bytes": 3}}},
        {"blobs": {"own": {"sha256": "ab" * 32}}},
        {"blobs": {"own": "ab" * 32}},
    ],
)
def test_a_forged_manifest_reaches_no_file_elsewhere(model, changes):
    reseal(model.path / "versions" / "000003" / "manifest.json", **changes)
    with pytest.raises(DamagedError, match="manifest.json, (files|blobs)"):
        model.read()


def test_damage_of_what_only_learning_needs_does_not_stop_predicting(model):
    spoil(model.path / "versions" / "000003" / "learning.safetensors", "flip")
    assert model.read(learning=False).serving["weight"].tolist() == [3, 3]


def test_rollback_passes_over_damaged_versions_and_refuses_them_by_name(model):
    for version in ("000002", "000003"):
        spoil(model.path / "versions" / version / "manifest.json", "empty")
    with pytest.raises(DamagedError, match="Version 2 .*Intact: version 1"):
        model.rollback(to=2)
    assert model.current() == 3
    assert model.rollback() == 1


def test_the_way_out_of_damage_is_an_older_version_if_one_is_intact(model):
    model.rollback()
    spoil(model.path / "versions" / "000002" / "manifest.json", "flip")
    with pytest.raises(DamagedError, match="Intact: version 1. Go back with .* --to 1"):
        model.read()
    spoil(model.path / "versions" / "000001" / "manifest.json", "flip")
    with pytest.raises(DamagedError, match="Intact: version 3. Go back with .* --to 3"):
        model.read()
    assert model.rollback() == 3


def test_nothing_intact_is_said_as_such(model):
    for version in ("000001", "000002", "000003"):
        spoil(model.path / "versions" / version / "serving.safetensors", "flip")
    with pytest.raises(DamagedError, match="no other version is intact"):
        model.read()
    for to in (None, 1):
        with pytest.raises(DamagedError, match="Put back a copy"):
            model.rollback(to)
    assert model.current() == 3


def test_a_manifest_changed_by_hand_is_damage(model):
    path = model.path / "versions" / "000003" / "manifest.json"
    path.write_text(path.read_text().replace('"cat"', '"cut"'))
    with pytest.raises(DamagedError, match="manifest.json does not match its own hash"):
        model.read()


def test_a_manifest_of_another_version_is_damage(model):
    versions = model.path / "versions"
    shutil.copy(versions / "000002" / "manifest.json", versions / "000003" / "manifest.json")
    with pytest.raises(DamagedError, match="is of version 2"):
        model.read()


@pytest.mark.parametrize("text", ["[]", "null", "[" * 100_000, '{"format": "x"}', '{"a": 1}'])
def test_json_that_is_no_manifest_is_damage(model, text):
    (model.path / "versions" / "000003" / "manifest.json").write_text(text)
    with pytest.raises(DamagedError, match="manifest.json"):
        model.read()


def test_a_damaged_blob_is_written_anew_by_the_next_commit_that_has_it(model):
    body = model.path / "blobs" / model.manifest()["blobs"]["body"]["sha256"]
    spoil(body, "flip")
    commit(model, 4)
    for version in (1, 2, 3, 4):
        model.verify(version)


# Going back


def test_rollback_goes_to_the_parent_and_numbers_are_not_used_again(model):
    assert model.rollback() == 2 and model.current() == 2
    assert_is(model, 2)
    assert model.versions() == [1, 2, 3]
    commit(model, 9)
    assert model.current() == 4 and model.manifest()["parent"] == 2
    assert model.rollback() == 2 and model.rollback() == 1
    with pytest.raises(ModelError, match="Version 1 .* is the first"):
        model.rollback()
    assert model.rollback(to=4) == 4
    assert_is(model, 9)
    assert_is(model, 3, 3)


def test_rollback_may_be_called_while_writing(model):
    with model.writer():
        model.commit(**content(4))
        assert model.rollback() == 3
        assert model.commit(**content(5)) == 5
    assert model.versions() == [1, 2, 3, 4, 5]
    assert_is(model, 4, 4)


def test_nothing_is_rolled_back_while_another_writes(model):
    with ModelFolder(model.path).writer(), pytest.raises(LockedError):
        model.rollback()
    assert model.current() == 3


# What is kept


def test_only_the_newest_versions_keep_what_learning_needs(tmp_path):
    folder = commit(ModelFolder(tmp_path, keep=2), 1, 2, 3, 4)
    assert [len(list((tmp_path / "versions" / f"00000{v}").iterdir())) for v in (1, 2, 3, 4)] == [
        2,
        2,
        5,
        5,
    ]
    assert [folder.manifest(v)["pruned"] for v in (1, 2, 3, 4)] == [True, True, False, False]
    assert list(folder.manifest(1)["files"]) == ["serving.safetensors"]
    assert folder.bytes(1) < folder.bytes(4)
    for version in (1, 2, 3, 4):
        folder.verify(version)
    assert folder.read(1, learning=False).serving["weight"].tolist() == [1, 1]
    with pytest.raises(ModelError, match="cannot learn on.*one of versions 3, 4"):
        folder.read(1)
    assert folder.rollback(to=1) == 1
    assert folder.read(learning=False).blobs["own"]["w"].tolist() == [1.0] * 4


@pytest.mark.parametrize("version", [None, 1])
def test_a_version_that_is_pruned_while_it_is_read_is_not_called_damaged(
    tmp_path, monkeypatch, version
):
    folder = commit(ModelFolder(tmp_path, keep=1), 1)
    read = durable_files.read_tensors

    def slowly(path: Path, entry: durable_files.FileEntry) -> dict[str, torch.Tensor]:
        monkeypatch.setattr(durable_files, "read_tensors", read)
        commit(ModelFolder(tmp_path, keep=1), 2)
        return read(path, entry)

    monkeypatch.setattr(durable_files, "read_tensors", slowly)
    if version is None:
        assert_is(folder, 2)
    else:
        with pytest.raises(ModelError, match="cannot learn on"):
            folder.read(version)


def test_pruning_that_was_cut_short_is_finished_by_the_next_commit(tmp_path, monkeypatch):
    folder = commit(ModelFolder(tmp_path, keep=1), 1)

    def fail(action: str, path: Path) -> None:
        if action == "remove" and path.suffix == ".parquet":
            raise PermissionError

    monkeypatch.setattr(durable_files, "disk_step", fail)
    commit(folder, 2)
    monkeypatch.undo()
    assert (tmp_path / "versions" / "000001" / "memory.parquet").exists()
    folder.verify(1)
    commit(folder, 3)
    assert not (tmp_path / "versions" / "000001" / "memory.parquet").exists()


def test_ten_versions_keep_it_by_default(tmp_path):
    folder = ModelFolder(tmp_path)
    with folder.writer():
        for _ in range(12):
            folder.commit({}, {}, {})
    assert [v for v in folder.versions() if not folder.manifest(v)["pruned"]] == list(range(3, 13))


def test_a_damaged_manifest_stops_neither_commits_nor_the_pruning_of_others(tmp_path):
    folder = commit(ModelFolder(tmp_path, keep=1), 1)
    blobs = {p.name for p in (tmp_path / "blobs").iterdir()}
    spoil(tmp_path / "versions" / "000001" / "manifest.json", "empty")
    (tmp_path / "HEAD").write_text("1\n")
    with folder.writer(), pytest.raises(DamagedError):
        folder.commit(**content(2))
    assert {p.name for p in (tmp_path / "blobs").iterdir()} == blobs


def test_blobs_are_shared_and_written_once(model, monkeypatch):
    assert len(list((model.path / "blobs").iterdir())) == 4  # one body, three of their own
    body = model.path / "blobs" / model.manifest()["blobs"]["body"]["sha256"]
    stamp = body.stat().st_mtime_ns, body.stat().st_ino
    commit(model, 3)
    assert (body.stat().st_mtime_ns, body.stat().st_ino) == stamp
    assert len(list((model.path / "blobs").iterdir())) == 4


def test_blobs_that_no_version_refers_to_are_collected_and_other_files_left(model):
    lost = model.path / "blobs" / ("ab" * 32)
    lost.write_bytes(b"x")
    (model.path / "blobs" / "notes.txt").write_text("mine")
    commit(model, 4)
    assert not lost.exists() and (model.path / "blobs" / "notes.txt").exists()
    for version in model.versions():
        model.verify(version)


# One writer at a time, readers at any


HOLD = """
import sys, time
from evergrow.storage.model_folder import ModelFolder
with ModelFolder(sys.argv[1]).writer():
    print("held", flush=True)
    sys.stdin.readline()
"""


def holder(path: Path) -> subprocess.Popen:
    """A process that has the lock until it ends."""
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None and other.stdout.readline() == "held\n"
    return other


def test_a_second_writer_is_refused_with_the_first_ones_name_or_waits(model):
    with holder(model.path) as other:
        with pytest.raises(LockedError, match=f"process {other.pid} on .*predicting works"):
            commit(model, 4)
        assert_is(model, 3)
        timer = threading.Timer(0.3, other.kill)
        timer.start()
        with model.writer(timeout=10):
            assert model.commit(**content(4)) == 4
        timer.join()
    assert_is(model, 4)


def test_the_lock_of_a_killed_process_is_free(model):
    with holder(model.path) as other:
        other.kill()
    commit(model, 4)


def test_two_objects_and_two_threads_exclude_each_other_as_two_processes_do(model):
    refused = []

    def write() -> None:
        with pytest.raises(LockedError) as caught:
            commit(model, 4)
        refused.append(caught.value)

    with model.writer(), model.writer():
        with pytest.raises(LockedError):
            commit(ModelFolder(model.path), 4)
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    assert len(refused) == 1
    commit(model, 4)


def test_two_who_start_the_same_model_do_not_trip_over_each_other(tmp_path):
    path = tmp_path / "new"
    errors = []

    def give_up_or_commit(value: int) -> None:
        try:
            for i in range(15):
                with ModelFolder(path).writer(timeout=20):
                    pass
                if i == 7:
                    with ModelFolder(path).writer(timeout=20) as folder:
                        folder.commit(**content(value))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=give_up_or_commit, args=[v]) for v in (1, 2, 3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):  # a reader sees no model, or a whole one
        if ModelFolder(path).exists():
            ModelFolder(path).verify()
    for thread in threads:
        thread.join()
    assert errors == [] and ModelFolder(path).versions() == [1, 2, 3]


def test_readers_see_whole_versions_while_others_are_written(tmp_path):
    folder = commit(ModelFolder(tmp_path, keep=1), 1)
    errors, seen, done = [], set(), threading.Event()

    def read() -> None:
        reader = ModelFolder(tmp_path)
        try:
            while not done.is_set():
                stored = reader.read()
                value = stored.manifest["classes"][1]
                assert stored.serving["weight"].tolist() == [value, value]
                assert stored.learning is not None
                assert stored.learning["sums"].tolist() == [value] * 3
                assert value in range(1, 31) and stored.version in reader.versions()
                seen.add(value)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    commit(folder, *range(2, 31))
    done.set()
    for thread in threads:
        thread.join()
    assert errors == [] and len(seen) > 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_to_is_read_all_the_same(model):
    model.path.chmod(0o500)
    try:
        assert_is(model, 3)
    finally:
        model.path.chmod(0o700)
