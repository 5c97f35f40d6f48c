"""A lock for an object, kept beside it and not in it: pickles, copies and equality know nothing."""

import os
import threading
from weakref import WeakKeyDictionary

_locks: WeakKeyDictionary[object, threading.RLock] = WeakKeyDictionary()
_guard = threading.Lock()
_forks_seen_to = False


def lock_of(thing: object) -> threading.RLock:
    """The lock of this object: the same for as long as the object lives; one thread may nest it.

    A process that forks leaves its locks behind: a thread that held one is not in the child.

    >>> class Model: pass
    >>> model = Model()
    >>> lock_of(model) is lock_of(model), lock_of(model) is lock_of(Model())
    (True, False)
    """
    global _forks_seen_to
    with _guard:
        if not _forks_seen_to and hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_begin_anew)
            _forks_seen_to = True
        return _locks.setdefault(thing, threading.RLock())


def _begin_anew() -> None:
    global _guard
    _guard = threading.Lock()
    _locks.clear()
