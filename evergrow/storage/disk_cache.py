"""Bytes by key in one file that any process may find again: bounded, and never a reason to fail."""

import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from math import ceil
from pathlib import Path
from typing import TypeVar

FILE_BYTES = 2 * 10**9  # bytes of the file, at most
DISK_SHARE = 0.1  # of the free disk, that it may take up at most
EMPTIED = 0.8  # of its room, that stays in use when it makes room
LOCK_SECONDS = 5.0  # seconds to wait for another process that writes
MARK = 16  # bytes of the hash before a value
FRESH = 3600  # seconds within which a second use is not noted
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

T = TypeVar("T")


class SqliteCache:
    """Values by key, raw bytes with a hash of both, in an SQLite file; those not used go first.

    path: of the file, which is made where it is missing.  room: bytes that it may have.
    notes: why nothing is kept any more, for the user: after a first error it is left alone, finds
    nothing and takes nothing. A file that turns out to be damaged is removed.

    >>> import tempfile
    >>> shelf = SqliteCache(Path(tempfile.mkdtemp()) / "some.sqlite")
    >>> shelf.put({b"a": b"first"})
    >>> shelf.find([b"a", b"b"]), shelf.notes
    ({b'a': b'first'}, [])
    >>> shelf.close()
    """

    def __init__(self, path: Path, room: int = FILE_BYTES):
        self.path, self.room = path, room
        self.notes: list[str] = []
        self._db: sqlite3.Connection | None = None

    def find(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Those of the values that are there and whole, by key."""
        return self._tried(lambda db: self._find(db, keys), {})

    def put(self, values: Mapping[bytes, bytes]) -> None:
        """Keep these values, in place of older ones of the same keys."""
        self._tried(lambda db: self._put(db, values), None)

    def close(self) -> None:
        """Let the file go; it is opened again when it is needed."""
        db, self._db = self._db, None
        if db is not None:
            db.close()

    def _tried(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        if self.notes:
            return otherwise
        try:
            return work(self._opened())
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)
            return otherwise

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            if self.path.exists() and not self.path.is_file():  # reading a pipe would wait
                raise OSError("it is not a file")
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            db = self._db = sqlite3.connect(self.path, timeout=LOCK_SECONDS)
            db.text_factory = bytes  # whatever has become of a value, it is read as bytes
            db.execute("PRAGMA synchronous=NORMAL")
            if not _number(db, "SELECT COUNT(*) FROM sqlite_master WHERE name = 'shelf'"):
                _begin(db)
        return self._db

    def _find(self, db: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        values, old, now = {}, [], int(time.time())
        for key in keys:
            row = db.execute("SELECT used, value FROM shelf WHERE key = ?", (key,)).fetchone()
            value = None if row is None else _checked(key, row[1])
            if value is not None:
                values[key] = value
                fresh = isinstance(row[0], int) and row[0] >= now - FRESH
                old += [] if fresh else [(now, key)]
        if old:
            with db:
                db.executemany("UPDATE shelf SET used = ? WHERE key = ?", old)
        return values

    def _put(self, db: sqlite3.Connection, values: Mapping[bytes, bytes]) -> None:
        now = int(time.time())
        rows = [(key, now, _marked(key, value)) for key, value in values.items()]
        if self._make_room(db, sum(len(row[0]) + len(row[2]) for row in rows)):
            with db:
                db.executemany("INSERT OR REPLACE INTO shelf VALUES (?, ?, ?)", rows)

    def _make_room(self, db: sqlite3.Connection, size: int) -> bool:
        """Whether there is room for `size` bytes more, after what was not used for longest went."""
        page, pages = (_number(db, f"PRAGMA {name}") for name in ("page_size", "page_count"))
        size = 2 * (size + page)  # whole pages, and an index
        free = shutil.disk_usage(self.path.parent).free + page * pages
        room = int(min(self.room, DISK_SHARE * free))
        if size > EMPTIED * room:
            return False
        while (used := page * (pages - _number(db, "PRAGMA freelist_count"))) + size > room:
            rows = _number(db, "SELECT COUNT(*) FROM shelf")
            if not rows:
                return False
            least = "SELECT rowid FROM shelf ORDER BY used, rowid LIMIT ?"
            goes = ceil(rows * max(1 - EMPTIED * (room - size) / used, 0.01))
            with db:
                db.execute(f"DELETE FROM shelf WHERE rowid IN ({least})", (goes,))
            pages = _number(db, "PRAGMA page_count")
        if page * pages > room:
            db.execute("PRAGMA incremental_vacuum").fetchall()
        return True

    def _give_up(self, error: Exception) -> None:
        damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGED
        done = "was damaged and is removed" if damaged else "cannot be used"
        self.notes.append(
            f"the feature cache {self.path} {done} ({error}): features are computed anew, nothing "
            "else is affected; EVERGROW_CACHE names another folder for it, or 0 for none."
        )
        try:
            self.close()
            if damaged:
                for end in ("", "-wal", "-shm"):
                    Path(f"{self.path}{end}").unlink(missing_ok=True)
        except (sqlite3.Error, OSError):
            pass  # it is left alone as it is


def _begin(db: sqlite3.Connection) -> None:
    """Make the table, and let readers and a writer work at the same time.

    Another process that does the same at this moment makes it fail at once, so it is tried again.
    """
    until = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            db.execute("PRAGMA auto_vacuum=INCREMENTAL")
            db.execute("PRAGMA journal_mode=WAL")
            db.execute(
                "CREATE TABLE IF NOT EXISTS shelf "
                "(key BLOB PRIMARY KEY, used INTEGER NOT NULL, value BLOB NOT NULL)"
            )
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _number(db: sqlite3.Connection, question: str) -> int:
    return int(db.execute(question).fetchone()[0])


def _marked(key: bytes, value: bytes) -> bytes:
    return blake2b(key + value, digest_size=MARK).digest() + value


def _checked(key: bytes, marked: object) -> bytes | None:
    """What was marked under this key; None where either has changed since."""
    if not isinstance(marked, bytes):
        return None
    value = marked[MARK:]
    return value if _marked(key, value) == marked else None
