"""The shelf: any process finds what is there, it is bounded, and never a reason to fail."""

import os
import sqlite3
import subprocess
import sys

import pytest

from evergrow.storage import disk_cache as module
from evergrow.storage.disk_cache import SqliteCache


@pytest.fixture
def make(tmp_path):
    """Shelves on one file, closed at the end."""
    made = []

    def shelf(**how):
        made.append(SqliteCache(tmp_path / "cache" / "some.sqlite", **how))
        return made[-1]

    yield shelf
    for each in made:
        each.close()


def test_what_one_puts_another_finds(make):
    first = make()
    first.put({b"a": b"one", b"b": b""})
    assert make().find([b"b", b"a", b"c"]) == {b"a": b"one", b"b": b""}
    first.put({b"a": b"two"})
    assert make().find([b"a"]) == {b"a": b"two"} and first.notes == []


SWAPPED = "(SELECT value FROM shelf WHERE key = x'62')"  # whole, and another key's
CHANGES = ["value || x'00'", "substr(value, 1, 9)", "zeroblob(12)", "x''", "7", "'text'", SWAPPED]


@pytest.mark.parametrize("used", ["used", "'now'", "x'00'", "1e300"])
def test_damage_of_the_time_of_use_is_no_matter(make, used):
    make().put({b"a": b"as it was"})
    found = make()
    db = sqlite3.connect(found.path)
    with db:
        db.execute(f"UPDATE shelf SET used = {used}")
    db.close()
    assert found.find([b"a"]) == {b"a": b"as it was"} and found.notes == []


def test_a_pipe_is_not_waited_for(make):
    shelf = make()
    shelf.path.parent.mkdir()
    os.mkfifo(shelf.path)
    assert shelf.find([b"a"]) == {} and "it is not a file" in shelf.notes[0]


@pytest.mark.parametrize("change", CHANGES)
def test_a_value_that_changed_on_the_disk_is_not_given(make, change):
    make().put({b"a": b"as it was", b"b": b"fine"})
    found = make()
    db = sqlite3.connect(found.path)
    with db:
        db.execute(f"UPDATE shelf SET value = {change} WHERE key = x'61'")
    db.close()
    assert found.find([b"a", b"b"]) == {b"b": b"fine"}
    found.put({b"a": b"again"})
    assert found.find([b"a"]) == {b"a": b"again"}


@pytest.fixture
def clock(monkeypatch):
    now = [1_000_000.0]
    monkeypatch.setattr(module.time, "time", lambda: now[0])
    return now


def test_it_keeps_to_its_room_and_what_was_not_used_for_longest_goes_first(make, clock):
    shelf = make(room=400_000)
    for i in range(100):
        clock[0] += 2 * module.FRESH
        shelf.put({bytes([i]): bytes(8000)})
        assert shelf.find([b"\0"]), "used all the time"
    kept = [i for i in range(100) if shelf.find([bytes([i])])]
    assert kept[0] == 0 and kept[1:] == list(range(kept[1], 100)) and len(kept) > 20
    shelf.close()
    assert shelf.path.stat().st_size <= 400_000


def test_a_room_that_has_shrunk_makes_the_file_shrink(make):
    make().put({bytes([i]): bytes(8000) for i in range(100)})
    small = make(room=200_000)
    small.put({b"new": bytes(8000)})
    assert small.find([b"new"])
    small.close()
    assert small.path.stat().st_size <= 200_000


def test_what_would_not_fit_at_all_is_not_kept(make):
    shelf = make(room=50_000)
    shelf.put({b"a": b"small"})
    shelf.put({b"b": bytes(60_000)})
    assert shelf.find([b"a", b"b"]) == {b"a": b"small"} and shelf.notes == []


def test_it_takes_a_share_of_the_free_disk_at_most(make, monkeypatch):
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: Free(500_000))
    shelf = make()
    shelf.put({b"a": bytes(40_000)})
    assert shelf.find([b"a"]) == {}, "a tenth of the free disk is 50,000 bytes"


class Free:
    def __init__(self, free):
        self.free = free


def test_a_damaged_file_is_removed_with_one_note_and_the_next_begins_anew(make):
    first = make()
    first.put({bytes([i]): bytes(8000) for i in range(20)})
    first.close()
    content = first.path.read_bytes()
    first.path.write_bytes(content[:100] + os.urandom(len(content) - 100))
    second = make()
    assert second.find([b"\0"]) == {}
    second.put({b"a": b"b"})
    assert second.find([b"a"]) == {}
    assert len(second.notes) == 1 and "damaged and is removed" in second.notes[0]
    assert not second.path.exists()
    third = make()
    third.put({b"a": b"b"})
    assert third.find([b"a"]) == {b"a": b"b"} and third.notes == []


def test_a_file_that_is_no_database_is_no_error(make):
    shelf = make()
    shelf.path.parent.mkdir()
    shelf.path.write_text("something else altogether, longer than a header of a hundred bytes" * 9)
    assert shelf.find([b"a"]) == {} and len(shelf.notes) == 1


def test_a_place_that_cannot_be_written_is_noted_once(tmp_path):
    (tmp_path / "file").touch()
    shelf = SqliteCache(tmp_path / "file" / "some.sqlite")
    for _ in range(2):
        shelf.put({b"a": b"b"})
        assert shelf.find([b"a"]) == {}
    assert len(shelf.notes) == 1 and "EVERGROW_CACHE" in shelf.notes[0]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_read_only_folder_is_noted_once(make):
    shelf = make()
    shelf.path.parent.mkdir(mode=0o500)
    shelf.put({b"a": b"b"})
    assert shelf.find([b"a"]) == {} and len(shelf.notes) == 1


def test_a_writer_that_does_not_end_is_waited_for_only_so_long(make, monkeypatch):
    monkeypatch.setattr(module, "LOCK_SECONDS", 0.05)
    make().put({b"a": b"b"})
    shelf = make()
    other = sqlite3.connect(shelf.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert shelf.find([b"a"]) == {b"a": b"b"}, "reading does not wait"
    shelf.put({b"c": b"d"})
    other.close()
    assert len(shelf.notes) == 1 and "locked" in shelf.notes[0]


SCRIPT = """
import sys
from pathlib import Path
from evergrow.storage.disk_cache import SqliteCache
shelf = SqliteCache(Path(sys.argv[1]))
for i in range(100):
    shelf.put({f"{sys.argv[2]} {i}".encode(): bytes(8000), f"both {i}".encode(): b"same"})
    assert shelf.find([f"{sys.argv[2]} {i}".encode()])
shelf.close()
assert not shelf.notes, shelf.notes
"""


def test_several_processes_begin_and_fill_it_at_once(make):
    shelf = make()
    running = [
        subprocess.Popen([sys.executable, "-c", SCRIPT, str(shelf.path), name]) for name in "abc"
    ]
    assert [process.wait() for process in running] == [0, 0, 0]
    keys = [f"{name} {i}".encode() for name in ("a", "b", "c", "both") for i in range(100)]
    assert len(shelf.find(keys)) == 400


def test_the_folder_is_the_users_own(make):
    shelf = make()
    shelf.put({b"a": b"b"})
    assert os.name == "nt" or shelf.path.parent.stat().st_mode & 0o077 == 0
