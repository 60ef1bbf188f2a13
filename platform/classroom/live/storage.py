"""The record in SQLite, a file of its own: appended by the observer, read by the worker.

WAL and `synchronous=NORMAL`: a commit costs about 0.1 ms. A power cut may lose the last commits but never
tears one; the epoch then tells browsers that saw more than was kept to take a snapshot.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from sandbox.record.entry import Entry, RecordUnavailable

SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
  sandbox TEXT NOT NULL, seq INTEGER NOT NULL, epoch INTEGER NOT NULL, at REAL NOT NULL,
  source TEXT NOT NULL, kind TEXT NOT NULL, uid TEXT NOT NULL, change BLOB NOT NULL,
  PRIMARY KEY (sandbox, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS epochs (epoch INTEGER PRIMARY KEY AUTOINCREMENT, begun REAL NOT NULL);
"""
READ_AT_ONCE = 500
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict).decode


class SqliteRecordStore:
    """A `sandbox.record.entry.RecordStore`. One connection per thread; threads may share the object."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        connection = self._connection()
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(SCHEMA)

    def append(self, sandbox: str, entries: Iterable[Entry]) -> None:
        """All or none. Raises RecordUnavailable: disk full, locked for 5 s, or a `seq` that is there already."""
        rows = [(sandbox, e.seq, e.epoch, e.at, e.source, e.kind, e.uid, _encode(e.change)) for e in entries]
        if not rows:
            return
        connection = self._connection()
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise RecordUnavailable(f"The record refused {len(rows)} entries: {error}") from error

    def read(self, sandbox: str, *, after: int = 0, until: int | None = None) -> Iterator[Entry]:
        """In pages, so that a long record neither fills memory nor holds back the write-ahead log."""
        last = until if until is not None else 2**62
        while True:
            try:
                rows = (
                    self._connection()
                    .execute(
                        "SELECT epoch, seq, at, source, kind, uid, change FROM entries"
                        " WHERE sandbox = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
                        (sandbox, after, last, READ_AT_ONCE),
                    )
                    .fetchall()
                )
            except sqlite3.Error as error:
                raise RecordUnavailable(f"The record could not be read: {error}") from error
            for epoch, seq, at, source, kind, uid, change in rows:
                yield Entry(
                    epoch=epoch, seq=seq, at=at, source=source, kind=kind, uid=uid, change=_decode(change)
                )
            if len(rows) < READ_AT_ONCE:
                return
            after = rows[-1][1]

    def read_kind(self, sandbox: str, kind: str) -> list[Entry]:
        """All entries of one kind, in order: for the few rare kinds (handover, mark), not for objects."""
        rows = self._connection().execute(
            "SELECT epoch, seq, at, source, kind, uid, change FROM entries"
            " WHERE sandbox = ? AND kind = ? ORDER BY seq",
            (sandbox, kind),
        )
        return [
            Entry(
                epoch=row[0],
                seq=row[1],
                at=row[2],
                source=row[3],
                kind=row[4],
                uid=row[5],
                change=_decode(row[6]),
            )
            for row in rows
        ]

    def last_seq(self, sandbox: str) -> int:
        row = (
            self._connection()
            .execute("SELECT max(seq) FROM entries WHERE sandbox = ?", (sandbox,))
            .fetchone()
        )
        return int(row[0] or 0)

    def next_epoch(self) -> int:
        """AUTOINCREMENT never gives a number twice, not even after rows were deleted."""
        connection = self._connection()
        with connection:
            cursor = connection.execute("INSERT INTO epochs (begun) VALUES (?)", (time.time(),))
        return int(cursor.lastrowid or 0)

    def close(self) -> None:
        """Close this thread's connection."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            del self._local.connection

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            try:
                connection = sqlite3.connect(self.path, timeout=5.0, isolation_level=None)
            except sqlite3.Error as error:
                raise RecordUnavailable(f"The record {self.path.name} cannot be opened: {error}") from error
            connection.execute("PRAGMA synchronous=NORMAL")
            self._local.connection = connection
        return connection
