"""One writer at a time; the store's tests have processes and threads that compete."""

import threading
import time

import pytest

from evergrow.errors import LockedError, ModelError
from evergrow.storage.lock import Lock


def test_who_is_refused_learns_who_writes_and_waiting_ends_with_the_timeout(tmp_path):
    first, second = Lock(tmp_path), Lock(tmp_path)
    first.acquire(0)
    assert first.held and not second.held
    began = time.monotonic()
    with pytest.raises(LockedError, match="written to by process .* on .* since 20.*UTC"):
        second.acquire(0.2)
    assert time.monotonic() - began > 0.15, "it did not wait"
    first.release()
    second.acquire(0)
    assert second.held and not first.held
    second.release()


def test_another_thread_does_not_hold_it_by_the_same_object(tmp_path):
    lock, held = Lock(tmp_path), []
    lock.acquire(0)
    thread = threading.Thread(target=lambda: held.append(lock.held))
    thread.start()
    thread.join()
    assert held == [False] and lock.held
    lock.release()


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_made_for_the_lock_is_unmade_with_it_and_no_other(tmp_path, there):
    place = tmp_path / "model"
    if there:
        place.mkdir()
    lock = Lock(place)
    lock.acquire(0)
    assert (place / "lock").exists()
    lock.release()
    lock.discard()
    assert place.exists() is there and not (place / "lock").exists()


def test_a_place_where_no_folder_can_be_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="cannot be written to"):
        Lock(tmp_path / "file" / "model").acquire(0)
