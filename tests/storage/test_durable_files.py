"""Files that survive a crash: entries, faults, steps. What a crash leaves is in tests/faults."""

import hashlib
import subprocess
import sys

import pyarrow as pa
import pytest
import torch

from evergrow.storage import durable_files
from evergrow.storage.durable_files import Fault, Sink


def test_an_entry_is_the_hash_and_size_of_what_was_written(tmp_path, monkeypatch):
    monkeypatch.setattr(durable_files, "CHUNK", 3)
    entry = durable_files.write_file(tmp_path / "a", b"hello world")
    assert entry == {"sha256": hashlib.sha256(b"hello world").hexdigest(), "bytes": 11}
    assert durable_files.read_file(tmp_path / "a", entry) == b"hello world"
    with pytest.raises(FileExistsError):
        durable_files.write_file(tmp_path / "a", b"again")


def test_it_is_on_the_disk_once_it_is_closed(tmp_path, monkeypatch):
    steps = []
    monkeypatch.setattr(
        durable_files, "disk_step", lambda action, path: steps.append((action, path.name))
    )
    with Sink(tmp_path / "a") as sink:
        sink.write(b"ab")
        assert not sink.closed and sink.tell() == 2
    assert sink.closed and steps == [("write", "a"), ("sync", "a")]
    with pytest.raises(KeyError), Sink(tmp_path / "b"):
        raise KeyError
    assert steps[2:] == [], "what failed is not worth syncing"


@pytest.mark.parametrize("ask", [durable_files.read_file, durable_files.verify])
def test_a_file_that_is_not_as_written_is_named_with_what_is_wrong(tmp_path, ask):
    path = tmp_path / "part"
    entry = durable_files.write_file(path, b"hello")
    assert ask(path, entry) in (b"hello", None)
    for content, said in ((b"hallo", "match its hash"), (b"hell", "has 4 bytes where 5 were")):
        path.write_bytes(content)
        with pytest.raises(Fault, match=f"{tmp_path.name}/part .*{said}"):
            ask(path, entry)
    path.unlink()
    with pytest.raises(Fault, match="part is missing"):
        ask(path, entry)


def test_tensors_and_tables_come_back_and_are_described_without_writing(tmp_path):
    shared = torch.arange(6.0).reshape(2, 3)
    tensors = {"a": shared, "b": shared.T, "c": torch.tensor(True)}
    entry = durable_files.write_tensors(tmp_path / "t", tensors)
    assert entry == durable_files.describe(dict(reversed(tensors.items())))
    back = durable_files.read_tensors(tmp_path / "t", entry)
    assert all(torch.equal(back[name], tensor) for name, tensor in tensors.items())
    table = pa.table({"x": [b"png", None]})
    assert (
        durable_files.read_table(tmp_path / "p", durable_files.write_table(tmp_path / "p", table))
        == table
    )


def test_what_has_no_form_is_refused():
    with pytest.raises(TypeError, match="named w of complex128"):
        durable_files.describe({"w": torch.zeros(1, dtype=torch.complex128)})


def test_a_rename_replaces_and_a_removal_takes_links_and_not_what_they_name(tmp_path):
    durable_files.make_folder(tmp_path / "a" / "b")
    durable_files.write_file(tmp_path / "a" / "b" / "x", b"12345")
    durable_files.write_file(tmp_path / "y", b"1")
    assert durable_files.folder_bytes(tmp_path) == 6
    durable_files.rename(tmp_path / "y", tmp_path / "a" / "b" / "x")
    assert (tmp_path / "a" / "b" / "x").read_bytes() == b"1" and not (tmp_path / "y").exists()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    durable_files.remove(tmp_path / "link")
    assert (tmp_path / "a" / "b" / "x").exists() and not (tmp_path / "link").exists()
    durable_files.remove(tmp_path / "a")
    durable_files.remove(tmp_path / "a")  # nothing is there any more
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_reads_a_table_and_ends_is_not_aborted(grown):
    code = (
        "import sys; from evergrow.storage.model_folder import ModelFolder\n"
        "stored = ModelFolder(sys.argv[1]).read(); assert stored.memory is not None"
    )
    for _ in range(3):
        subprocess.run([sys.executable, "-c", code, str(grown.path)], check=True)
