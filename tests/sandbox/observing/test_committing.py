"""Committed before shown: what a store that refuses, a listener that fails and a closing sandbox do to the record."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from sandbox.observing import ActRefused, observer
from sandbox.record.entry import RecordUnavailable
from sandbox.record.picture import fold
from tests.sandbox.observing.shop import BOX, PLAN, Shop


async def test_L6_nothing_is_shown_before_it_is_committed(shop: Shop) -> None:
    await shop.begin()
    shown, kept = shop.observer.snapshot(BOX), len(shop.entries)
    shop.store.refuses = True
    shop.new_pod("late")
    await shop.turn()
    assert shop.observer.snapshot(BOX) == shown
    assert len(shop.entries) == kept
    assert shop.frames[-1]["seq"] == kept


async def test_what_the_store_refused_is_tried_again_and_nothing_is_lost(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observer, "RETRY", 0.01)
    await shop.begin()
    shop.store.refuses = True
    for number in range(20):
        shop.new_pod(f"pod-{number}")
        await shop.turn()
    shop.store.refuses, tries = False, shop.store.tries
    await asyncio.sleep(0.05)
    assert {f"uid-pod-{number}" for number in range(20)} <= {each.uid for each in shop.entries}
    assert shop.store.tries == tries + 1  # one timer, however often it refused
    assert shop.observer.snapshot(BOX)["items"] == fold(shop.entries).items


async def test_a_strict_commit_raises_and_says_so_to_the_person(shop: Shop) -> None:
    await shop.begin()
    shop.store.refuses = True
    with pytest.raises(ActRefused, match="tried again by itself") as refused:
        shop.observer.submit(BOX)
    assert refused.value.code == "record-away"
    with pytest.raises(RecordUnavailable):
        shop.observer.commit()
    assert shop.kinds("submit") == []
    shop.store.refuses = False
    shop.observer.commit()
    assert [change["by"] for change in shop.kinds("submit")] == ["student"]


async def test_one_commit_per_turn_of_the_loop(shop: Shop) -> None:
    await shop.begin()
    before = len(shop.store.batches)
    for number in range(10):
        shop.new_pod(f"pod-{number}")
    await shop.turn()
    assert len(shop.store.batches) == before + 1


async def test_each_sandbox_has_its_own_place_in_line(shop: Shop) -> None:
    """A store that refuses one sandbox's entries takes the other's."""
    await shop.begin()
    other = "f" * 32
    await shop.observer.open(
        other, type(PLAN)(**{**fields(PLAN), "id": other, "namespace": "gh-f"}), None, {}
    )
    take = shop.store.append

    def refuse(sandbox: str, entries: Any) -> None:
        if sandbox == BOX:
            raise RecordUnavailable("locked")
        take(sandbox, entries)

    shop.store.append = refuse  # type: ignore[method-assign]
    shop.say_phase("open")
    shop.observer.append(other, "phase", "", {"phase": "ready"}, "platform")
    await shop.turn()
    assert [each.kind for each in shop.store.entries[other]][-1] == "phase"
    assert shop.track.waiting


def fields(plan: Any) -> dict[str, Any]:
    return {name: getattr(plan, name) for name in plan.__dataclass_fields__}


async def test_close_writes_what_waits(shop: Shop) -> None:
    await shop.begin()
    shop.new_pod("last")
    shop.observer.close(BOX)
    assert "uid-last" in {each.uid for each in shop.entries}
    assert shop.frames[-1]["seq"] == len(shop.entries)


async def test_what_could_not_be_written_at_close_is_written_before_it_opens_again(shop: Shop) -> None:
    await shop.begin()
    shop.store.refuses = True
    shop.new_pod("last")
    shop.observer.close(BOX)
    with pytest.raises(RecordUnavailable):
        await shop.observer.open(BOX, PLAN, shop.exercise, {"replicas": 3})
    assert BOX not in shop.observer.tracks
    shop.store.refuses = False
    await shop.open()
    numbers = [each.seq for each in shop.entries]
    assert numbers == list(range(1, len(numbers) + 1))
    assert "uid-last" in {each.uid for each in shop.entries}


async def test_a_listener_that_fails_takes_nothing_from_the_others(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    await shop.begin()

    def fail(_: Any) -> None:
        raise ValueError("a browser's fault")

    shop.track.listeners.insert(0, fail)
    seen = len(shop.frames)
    with caplog.at_level(logging.CRITICAL):
        shop.new_pod("more")
        await shop.turn()
    assert len(shop.frames) > seen
    assert shop.observer.snapshot(BOX)["items"] == fold(shop.entries).items


async def test_checks_that_fail_stop_neither_the_watch_nor_the_record(
    shop: Shop, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.begin()
    engine = shop.track.engine
    assert engine is not None

    def fail(_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(engine, "feed", fail)
    monkeypatch.setattr(engine, "advance", fail)
    with caplog.at_level(logging.CRITICAL):
        shop.new_pod("more")
        await shop.wait(2)
    assert "pod/uid-more" in shop.observer.snapshot(BOX)["items"]
    assert [change["text"] for change in shop.kinds("trouble")] == ["An error of ours in the checks"]


async def test_L1_every_entry_has_its_frame_and_L7_resume_gives_the_missing_ones(shop: Shop) -> None:
    await shop.begin()
    assert [frame["seq"] for frame in shop.frames] == [each.seq for each in shop.entries]
    epoch, last = shop.observer.epoch, len(shop.entries)
    missing = shop.observer.deltas_since(BOX, epoch, last - 3)
    assert missing is not None
    assert [delta.seq for delta in missing] == [last - 2, last - 1, last]
    assert shop.observer.deltas_since(BOX, epoch, last) == []
    assert shop.observer.deltas_since(BOX, epoch, last + 1) is None
    assert shop.observer.deltas_since(BOX, epoch - 1, last) is None


async def test_L7_what_is_no_longer_in_memory_needs_a_snapshot(shop: Shop) -> None:
    await shop.begin()
    while len(shop.track.deltas) > 3:
        shop.track.deltas.popleft()
    last = len(shop.entries)
    assert shop.observer.deltas_since(BOX, shop.observer.epoch, last - 3) is not None
    assert shop.observer.deltas_since(BOX, shop.observer.epoch, last - 4) is None


async def test_memory_stays_bounded(shop: Shop) -> None:
    await shop.begin()
    for number in range(4000):
        shop.answer(200 if number % 2 else 503)
    await shop.turn()
    assert len(shop.track.deltas) == 3000
    assert len(shop.track.commands) == 0
    assert len(shop.track.versions) == 5


async def test_a_listener_that_looks_at_the_picture_sees_the_number_that_belongs_to_it(shop: Shop) -> None:
    await shop.begin()
    seen: list[tuple[int, Any]] = []

    def look(delta: Any) -> None:
        frame = shop.observer.snapshot(BOX)
        seen.append((delta.seq, frame["seq"]))

    shop.observer.listen(BOX, look)
    shop.new_pod("one")
    shop.new_pod("two")
    await shop.turn()
    assert len(seen) >= 4
    assert all(delta == frame for delta, frame in seen)


async def test_the_audit_and_probe_of_strangers_are_dropped(shop: Shop) -> None:
    await shop.begin()
    before = len(shop.entries)
    shop.observer._on_asked("nobody", "probe", "front", {"id": "front", "ok": True})
    await shop.turn()
    assert len(shop.entries) == before
