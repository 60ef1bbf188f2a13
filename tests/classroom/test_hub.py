"""The server's half of the live protocol: rules L1 to L11 as far as the hub keeps them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classroom.live.hub import Hub
from classroom.live.viewer import MOST_WAITING, Viewer
from sandbox.record.delta import Delta
from tests.classroom.fakes import FakeObserver

BOX = "box"


def resting() -> dict[str, Any]:
    return {
        "epoch": 0,
        "seq": 0,
        "at": 1.0,
        "items": {"sandbox/self": {"t": "sandbox", "phase": "requested"}},
    }


async def observed() -> tuple[Hub, FakeObserver]:
    hub, observer = Hub(), FakeObserver()
    await observer.open(BOX, None, None, {})
    hub.attach(observer)
    return hub, observer


def joined(hub: Hub) -> Viewer:
    viewer = Viewer()
    hub.join(BOX, viewer, resting())
    return viewer


def frames(viewer: Viewer) -> list[dict[str, Any]]:
    return [json.loads(encoded) for encoded in viewer.take()]


def note(observer: FakeObserver, number: int) -> None:
    observer.append(BOX, "phase", "", {"phase": "ready", "text": f"entry {number}"}, "test")


async def test_nothing_is_sent_before_the_browser_asked() -> None:
    hub, observer = await observed()
    viewer = joined(hub)
    note(observer, 1)
    assert frames(viewer) == []


async def test_L1_each_entry_is_one_frame_without_holes() -> None:
    hub, observer = await observed()
    viewer = joined(hub)
    hub.resume(BOX, viewer, 0, 0)
    for number in range(1, 6):
        note(observer, number)
    got = frames(viewer)
    assert [frame["f"] for frame in got] == ["snapshot"] + ["delta"] * 5
    assert [frame["seq"] for frame in got] == [0, 1, 2, 3, 4, 5]
    assert all("from" not in frame for frame in got)


async def test_L7_resume_sends_what_was_missed() -> None:
    hub, observer = await observed()
    for number in range(1, 8):
        note(observer, number)
    viewer = joined(hub)
    hub.resume(BOX, viewer, observer.epoch, 4)
    assert [(frame["f"], frame["seq"]) for frame in frames(viewer)] == [
        ("delta", 5),
        ("delta", 6),
        ("delta", 7),
    ]
    note(observer, 8)
    assert [frame["seq"] for frame in frames(viewer)] == [8]


@pytest.mark.parametrize(("epoch", "seq"), [(0, 0), (6, 4), (7, 99)])
async def test_L7_L11_gap_triggers_snapshot(epoch: int, seq: int) -> None:
    hub, observer = await observed()
    for number in range(1, 8):
        note(observer, number)
    viewer = joined(hub)
    hub.resume(BOX, viewer, epoch, seq)
    got = frames(viewer)
    assert [(frame["f"], frame["epoch"], frame["seq"]) for frame in got] == [("snapshot", 7, 7)]


async def test_resuming_twice_repeats_nothing_wrong() -> None:
    hub, observer = await observed()
    viewer = joined(hub)
    hub.resume(BOX, viewer, 0, 0)
    frames(viewer)
    note(observer, 1)
    hub.resume(BOX, viewer, observer.epoch, 0)
    assert [frame["seq"] for frame in frames(viewer)] == [1]


async def test_L8_a_slow_socket_gets_merged_deltas_and_no_deletion_is_lost() -> None:
    viewer = Viewer()
    for seq in range(1, MOST_WAITING + 1):
        delta = Delta(epoch=1, seq=seq, at=float(seq), set={f"pod/{seq}": {"t": "pod", "n": seq}}, first=seq)
        viewer.offer(delta, b"{}")
    gone = Delta(epoch=1, seq=MOST_WAITING + 1, at=0.0, set={}, gone=("pod/1",), first=MOST_WAITING + 1)
    viewer.offer(gone, b"{}")
    (frame,) = frames(viewer)
    assert (frame["from"], frame["seq"]) == (1, MOST_WAITING + 1)
    assert frame["del"] == ["pod/1"]
    assert "pod/1" not in frame["set"]
    assert len(frame["set"]) == MOST_WAITING - 1


async def test_L8_a_socket_that_stays_full_for_ten_seconds_is_too_slow() -> None:
    now = 0.0
    viewer = Viewer(clock=lambda: now)
    for seq in range(1, MOST_WAITING + 3):
        viewer.offer(Delta(epoch=1, seq=seq, at=0.0, set={}, first=seq), b"{}")
    now = 9.9
    assert not viewer.too_slow
    now = 10.1
    assert viewer.too_slow
    viewer.take()
    assert not viewer.too_slow


async def test_a_flood_of_beats_is_bounded() -> None:
    viewer = Viewer()
    for _ in range(100):
        viewer.say(b"{}")
    assert len(viewer.take()) <= 2


async def test_L10_beats_tell_how_far_behind_and_since_when_stale() -> None:
    hub, observer = await observed()
    viewer = joined(hub)
    observer.stale_since = 90.0
    hub.beat(now=100.0)
    assert frames(viewer) == [{"f": "beat", "behind": 0.1, "at": 100.0, "stale_since": 90.0}]


async def test_without_an_observer_the_resting_picture_is_shown_and_beats_say_so() -> None:
    hub = Hub()
    viewer = joined(hub)
    hub.resume(BOX, viewer, 0, 0)
    hub.beat(now=1.0)
    snapshot, beat = frames(viewer)
    beat, snapshot = sorted((snapshot, beat), key=lambda frame: frame["f"])
    assert snapshot["items"] == resting()["items"]
    assert beat["behind"] is None


async def test_the_picture_turns_live_when_the_observer_opens_the_sandbox() -> None:
    hub, observer = Hub(), FakeObserver()
    hub.attach(observer)
    viewer = joined(hub)
    hub.resume(BOX, viewer, 0, 0)
    assert frames(viewer)[0]["epoch"] == 0
    await observer.open(BOX, None, None, {})
    hub.opened(BOX)
    note(observer, 1)
    assert [(frame["f"], frame["epoch"], frame["seq"]) for frame in frames(viewer)] == [
        ("snapshot", 7, 0),
        ("delta", 7, 1),
    ]


async def test_a_new_observer_gives_everybody_a_snapshot_of_its_epoch() -> None:
    hub, observer = await observed()
    viewer = joined(hub)
    hub.resume(BOX, viewer, 0, 0)
    hub.detach()
    note(observer, 1)
    newer = FakeObserver(epoch=8)
    await newer.open(BOX, None, None, {})
    hub.attach(newer)
    hub.opened(BOX)
    assert [(frame["f"], frame["epoch"]) for frame in frames(viewer)] == [("snapshot", 8)]


async def test_those_who_left_are_forgotten() -> None:
    hub, observer = await observed()
    viewer = joined(hub)
    hub.leave(BOX, viewer)
    assert hub.rooms == {}
    assert observer.tracks[BOX].listeners == []
    hub.leave(BOX, viewer)


@given(st.data())
async def test_L2_snapshot_and_deltas_give_the_later_snapshot(data: st.DataObject) -> None:
    """Whatever a viewer does (reads now and then, resumes, asks again), its merge ends at the server's picture."""
    hub, observer = await observed()
    viewer = joined(hub)
    items: dict[str, Any] = {}
    epoch = seq = 0

    def merge(got: list[dict[str, Any]]) -> None:
        nonlocal items, epoch, seq
        for frame in got:
            if frame["f"] == "snapshot":
                items, epoch, seq = frame["items"], frame["epoch"], frame["seq"]
            elif (
                frame["f"] == "delta"
                and frame["epoch"] == epoch
                and frame.get("from", frame["seq"]) == seq + 1
            ):
                for key in frame["del"]:
                    items.pop(key, None)
                for key, fields in frame["set"].items():
                    items[key] = {**items.get(key, {}), **fields}
                seq = frame["seq"]
            elif frame["f"] == "delta" and frame["epoch"] == epoch:
                assert frame["seq"] <= seq, "a gap that the server should not have made"

    hub.resume(BOX, viewer, 0, 0)
    for step in data.draw(
        st.lists(st.sampled_from(["entry", "burst", "read", "resume", "snapshot"]), max_size=12)
    ):
        if step == "entry":
            note(observer, observer.tracks[BOX].seq)
        elif step == "burst":
            for _ in range(MOST_WAITING + 3):
                note(observer, observer.tracks[BOX].seq)
        elif step == "read":
            merge(frames(viewer))
        elif step == "resume":
            merge(frames(viewer))
            hub.resume(BOX, viewer, epoch, seq)
        else:
            hub.resume(BOX, viewer, 0, 0)
    merge(frames(viewer))
    final = json.loads(json.dumps(observer.snapshot(BOX)["items"]))
    assert (items, seq) == (final, observer.tracks[BOX].seq)
