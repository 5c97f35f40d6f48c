"""A lock for an object: one for as long as it lives, and none that a fork leaves held."""

import os
import threading

import pytest

from evergrow.nn.thread_locks import lock_of


class Thing:
    pass


def test_an_object_has_one_lock_and_another_object_another():
    thing = Thing()
    assert lock_of(thing) is lock_of(thing) and lock_of(thing) is not lock_of(Thing())
    with lock_of(thing), lock_of(thing):
        assert vars(thing) == {}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_lock_that_another_thread_held_is_free_in_a_forked_process():
    thing, held, done = Thing(), threading.Event(), threading.Event()

    def hold():
        with lock_of(thing):
            held.set()
            done.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(60)
    child = os.fork()
    if not child:
        os._exit(0 if lock_of(thing).acquire(blocking=False) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    done.set()
    holder.join()
