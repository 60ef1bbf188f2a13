from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from classroom.live.storage import READ_AT_ONCE, SqliteRecordStore
from sandbox.record.entry import Entry, RecordUnavailable


def entries(first: int, last: int, epoch: int = 1) -> list[Entry]:
    return [
        Entry(
            epoch=epoch,
            seq=n,
            at=100.0 + n,
            source="watch",
            kind="object",
            uid=f"u{n}",
            change={"n": n, "ü": [1]},
        )
        for n in range(first, last + 1)
    ]


@pytest.fixture
def store(tmp_path: Path) -> SqliteRecordStore:
    return SqliteRecordStore(tmp_path / "record.sqlite3")


def test_what_was_appended_is_read_back_in_order(store: SqliteRecordStore) -> None:
    store.append("a", entries(1, 3))
    store.append("a", entries(4, 5, epoch=2))
    store.append("b", entries(1, 1))
    assert list(store.read("a")) == [*entries(1, 3), *entries(4, 5, epoch=2)]
    assert [entry.seq for entry in store.read("a", after=2, until=4)] == [3, 4]
    assert (store.last_seq("a"), store.last_seq("b"), store.last_seq("nobody")) == (5, 1, 0)


def test_long_records_are_read_in_pages(store: SqliteRecordStore) -> None:
    store.append("a", entries(1, READ_AT_ONCE * 2 + 7))
    assert [entry.seq for entry in store.read("a")] == list(range(1, READ_AT_ONCE * 2 + 8))


def test_a_batch_is_kept_whole_or_not_at_all(store: SqliteRecordStore) -> None:
    store.append("a", entries(1, 2))
    with pytest.raises(RecordUnavailable):
        store.append("a", [*entries(3, 4), *entries(2, 2)])
    assert store.last_seq("a") == 2
    store.append("a", entries(3, 3))


def test_L11_epochs_only_rise_also_for_other_processes(store: SqliteRecordStore) -> None:
    first = store.next_epoch()
    other = SqliteRecordStore(store.path)
    assert first < other.next_epoch() < store.next_epoch()
    with sqlite3.connect(store.path) as raw:
        raw.execute("DELETE FROM epochs")
    assert SqliteRecordStore(store.path).next_epoch() > first + 2


def test_threads_share_the_store(store: SqliteRecordStore) -> None:
    failures: list[BaseException] = []

    def write(name: str) -> None:
        try:
            for n in range(1, 21):
                store.append(name, entries(n, n))
        except BaseException as error:
            failures.append(error)
        finally:
            store.close()

    threads = [threading.Thread(target=write, args=(f"s{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert [store.last_seq(f"s{n}") for n in range(4)] == [20] * 4


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordUnavailable, match="cannot be opened"):
        SqliteRecordStore(tmp_path / "missing" / "record.sqlite3")


def test_kinds_are_found_without_reading_everything(store: SqliteRecordStore) -> None:
    store.append("a", entries(1, 5))
    handover = Entry(
        epoch=1, seq=6, at=1.0, source="observer", kind="handover", uid="1", change={"attempt": 1}
    )
    store.append("a", [handover])
    assert store.read_kind("a", "handover") == [handover]
