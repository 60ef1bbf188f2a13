"""An attempt from its first entry to the hand-over, as the observer writes it."""

from __future__ import annotations

import itertools
import json

import msgspec
import pytest

from sandbox.observing import ActRefused
from sandbox.record.exercise import Exercise
from sandbox.record.marking import work_out
from tests.sandbox.observing.shop import BOX, Clock, Shop
from tests.sandbox.record import build
from tests.sandbox.record.lesson14 import exercise as lesson14


async def solved(shop: Shop) -> None:
    """The reference solution, up to its kill."""
    await shop.begin()
    shop.deploy("a", "b", "c")
    await shop.wait(3)
    shop.observer.predict(BOX, "who-returns", "new")
    shop.api.on_delete = shop.heal
    await shop.observer.start_fault(BOX, "kill")
    await shop.wait(2)


async def finished(shop: Shop) -> None:
    for _ in range(30):
        if shop.handed:
            return
        await shop.wait(5)
    pytest.fail("it was never handed over")


def outcomes(shop: Shop) -> dict[str, str]:
    last: dict[str, str] = {}
    for change in shop.kinds("verdict"):
        last[change["check"]] = change["state"]
    return last


async def test_a_solution_runs_its_windows_out_is_tested_once_and_handed_over_once(shop: Shop) -> None:
    await solved(shop)
    await finished(shop)
    await shop.wait(60)
    assert [change["by"] for change in shop.kinds("submit")] == ["checks"]
    assert [phase for phase in shop.phases("again") if phase == "started"] == ["started"]
    assert len(shop.kinds("handover")) == 1
    (told,) = shop.handed
    start = next(each for each in shop.entries if each.kind == "start")
    handover = next(each for each in shop.entries if each.kind == "handover")
    assert told == (BOX, 1, start.seq, handover.seq, "checks")
    assert set(outcomes(shop).values()) == {"pass"}


async def test_windows_run_out_before_our_own_test_begins(shop: Shop) -> None:
    await solved(shop)
    ended = next(each for each in shop.entries if each.uid == "kill" and each.change.get("phase") == "ended")
    shop.observer.submit(BOX)
    await shop.wait(20)
    assert "started" not in shop.phases("again")
    await finished(shop)
    started = next(
        each for each in shop.entries if each.uid == "again" and each.change.get("phase") == "started"
    )
    assert started.at - ended.at >= 30.0  # `settle` of kill


async def test_a_replay_gives_what_was_shown_live(shop: Shop) -> None:
    await solved(shop)
    await finished(shop)
    result = work_out(shop.exercise, {"replicas": 3}, shop.entries)
    assert (result.points, result.of, result.provisional) == (14, 14, False)
    assert {each.check: each.state for each in result.verdicts} == outcomes(shop)


async def test_a_replay_after_a_start_of_the_process_gives_the_same(shop: Shop) -> None:
    await solved(shop)
    extra = [build.service(), build.deployment(3, ready=3)]
    await shop.start_process()
    for obj in extra:
        shop.see("ADDED", obj)
    shop.endpoints()
    await shop.open()
    await shop.wait(40)
    shop.observer.submit(BOX)  # what fell into the gap cannot pass, so it does not close by itself
    await finished(shop)
    result = work_out(shop.exercise, {"replicas": 3}, shop.entries)
    assert {each.check: each.state for each in result.verdicts} == outcomes(shop)
    assert len(shop.kinds("handover")) == 1


async def test_findings_are_entries_once(shop: Shop) -> None:
    await solved(shop)
    await finished(shop)
    told = [
        json.dumps([each["check"], each["state"], each["line"], each["points"]])
        for each in shop.kinds("verdict")
    ]
    assert all(one != other for one, other in itertools.pairwise(told))
    observed = [change for change in shop.kinds("prediction") if "observed" in change]
    assert observed == [{"id": "who-returns", "observed": ["new"], "right": True}]
    assert shop.phases("kill").count("ended") == 1


async def test_an_unfinished_attempt_is_handed_over_at_once(shop: Shop) -> None:
    await shop.begin()
    shop.observer.submit(BOX)
    await shop.wait(1)
    assert len(shop.handed) == 1
    assert shop.api.deleted == []  # there is nothing that our test could still show
    result = work_out(shop.exercise, {"replicas": 3}, shop.entries)
    assert {each.state for each in result.verdicts} == {"fail"}
    assert {each.check: each.state for each in result.verdicts} == outcomes(shop)


async def test_time_is_up(clock: Clock) -> None:
    shop = Shop(clock, msgspec.structs.replace(lesson14(), time=20.0))
    await shop.begin()
    await shop.wait(25)
    assert [change["by"] for change in shop.kinds("submit")] == ["time"]
    assert [told[4] for told in shop.handed] == ["time"]


async def test_our_test_without_a_target_is_no_fault_of_ours(shop: Shop) -> None:
    await solved(shop)
    await shop.wait(20)
    shop.observer.submit(BOX)
    for uid in list(shop.pods):
        shop.end_pod(uid.removeprefix("uid-"))
    await finished(shop)
    failed = [
        change for change in shop.kinds("fault") if change["id"] == "again" and change["phase"] == "failed"
    ]
    assert [change["ours"] for change in failed] == [False]
    assert outcomes(shop)["tested"] == "fail"


async def test_our_test_meets_a_silent_cluster_and_is_asked_for_again(shop: Shop) -> None:
    await solved(shop)
    shop.observer.submit(BOX)
    await shop.wait(25)
    shop.api.away = True
    await shop.wait(8)
    assert "started" not in shop.phases("again")
    shop.api.away = False
    await finished(shop)
    assert shop.phases("again").count("started") == 1
    assert outcomes(shop)["tested"] == "pass"


async def test_a_hand_over_is_told_only_once_it_is_in_the_record(shop: Shop) -> None:
    await shop.begin()
    shop.store.refuses = True
    with pytest.raises(ActRefused, match="tried again by itself"):
        shop.observer.submit(BOX)
    await shop.wait(1)
    assert shop.track.is_over
    assert shop.handed == []
    shop.store.refuses = False
    shop.observer.commit()
    assert [told[3] for told in shop.handed] == [each.seq for each in shop.entries if each.kind == "handover"]


async def test_nobody_asks_for_an_attempt_that_is_over(shop: Shop) -> None:
    await shop.begin()
    shop.observer.submit(BOX)
    await shop.wait(1)
    running = shop.observer.asking.prober._running
    assert not running
    shop.say_phase("open")
    shop.observer.asking.start(shop.track)
    await shop.start_process()
    await shop.open()
    assert not shop.observer.asking.prober._running
    assert len(shop.kinds("handover")) == 1


async def test_a_reset_in_the_middle_of_a_window_voids_it(shop: Shop) -> None:
    await solved(shop)
    until = shop.kinds("start")[0]["until"]
    shop.api.on_delete = lambda _path: None
    await shop.observer.reset(BOX, [])
    for uid in list(shop.pods):
        shop.end_pod(uid.removeprefix("uid-"))
    await shop.wait(40)
    assert shop.kinds("handover") == []
    shop.new_pod("storefront", owner=None)
    shop.answer()
    await shop.turn()
    first, second = shop.kinds("start")
    assert (first["attempt"], second["attempt"], second["until"]) == (1, 1, until)
    assert set(outcomes(shop).values()) <= {"waiting", "your-turn"}
    with pytest.raises(ActRefused, match="First: The wanted number"):
        await shop.observer.start_fault(BOX, "kill")
    assert not shop.track.predictions


async def test_start_again_is_the_next_attempt_with_all_its_time(shop: Shop) -> None:
    await shop.begin()
    await shop.wait(100)
    assert await shop.observer.restart(BOX, []) == 2
    shop.end_pod("storefront")
    shop.new_pod("storefront", owner=None)
    await shop.turn()
    shop.answer()
    await shop.turn()
    first, second = shop.kinds("start")
    assert (first["attempt"], second["attempt"]) == (1, 2)
    assert second["until"] > first["until"]
    assert second["until"] == shop.clock.now + shop.exercise.time


# --- rule L12 ----------------------------------------------------------------------------------------
CANARIES = (
    "canary-token",
    "canary-data",
    "canary-annotation",
    "canary-hint",
    "canary-why",
    "canary-choice-wrong",
)


def with_canaries() -> Exercise:
    spec = lesson14()
    prediction = msgspec.structs.replace(
        spec.predictions[0], why={"same": "canary-why"}, misconceptions={"same": "canary-choice-wrong"}
    )
    hints = tuple(msgspec.structs.replace(hint, say=f"canary-hint {hint.say}") for hint in spec.hints)
    return msgspec.structs.replace(spec, predictions=(prediction,), hints=hints)


async def test_L12_no_frame_holds_what_must_not_be_seen(clock: Clock) -> None:
    shop = Shop(clock, with_canaries())
    await shop.begin()
    secret = build.named("Secret", "s", data={"key": "canary-data"}, stringData={"key": "canary-data"})
    noted = {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "canary-annotation"}}
    shop.see("ADDED", {**secret, "metadata": {**secret["metadata"], **noted}})
    shop.see("ADDED", build.named("ConfigMap", "c", data={"key": "canary-data"}))
    await shop.wait(100)  # a hint is offered, and not opened
    shop.deploy("a", "b", "c")
    await shop.wait(3)
    shop.observer.predict(BOX, "who-returns", "new")
    shop.api.on_delete = shop.heal
    await shop.observer.start_fault(BOX, "kill")
    await shop.wait(2)
    early = json.dumps(shop.frames) + json.dumps(shop.observer.snapshot(BOX))
    assert '"observed": ["new"]' not in early  # not before it is due
    assert shop.exercise.predictions[0].observed not in early
    await finished(shop)
    assert shop.observer.snapshot(BOX)["items"]["prediction/who-returns"]["observed"] == ["new"]
    everything = json.dumps(shop.frames) + json.dumps(shop.observer.snapshot(BOX))
    assert [word for word in CANARIES if word in everything] == []
    assert next(change["phase"] for change in shop.kinds("hint")) == "offered"
    kept = json.dumps([each.change for each in shop.entries])
    assert [word for word in ("canary-token", "canary-annotation") if word in kept] == []
    assert '"s"' in kept
    secrets = [each.change["object"] for each in shop.entries if each.change.get("kind") == "Secret"]
    assert "canary-data" not in json.dumps(secrets)


async def test_L12_an_opened_hint_is_the_only_one_in_the_frames(clock: Clock) -> None:
    shop = Shop(clock, with_canaries())
    await shop.begin()
    await shop.wait(3)
    said = shop.observer.open_hint(BOX)
    assert said is not None
    everything = json.dumps(shop.frames, ensure_ascii=False)
    assert said in everything
    assert everything.count("canary-hint") == 1


async def test_what_is_told_with_the_hand_in_is_in_the_record_and_not_in_the_frames(clock: Clock) -> None:
    shop = Shop(clock, msgspec.structs.replace(lesson14(), feedback="on-submit"))
    await solved(shop)
    assert shop.kinds("start")[0]["feedback"] == "on-submit"
    assert outcomes(shop)["enough"] == "pass"
    sent = json.dumps(shop.frames)
    assert '"state": "pass"' not in sent
    assert '"kind": "verdict"' not in sent
    items = shop.observer.snapshot(BOX)["items"]
    states = {item["state"] for item in items.values() if item["t"] == "check"}
    assert states == {"waiting"}
    shop.observer.submit(BOX)
    await shop.turn()
    assert shop.observer.snapshot(BOX)["items"]["check/enough"]["state"] == "pass"
    await finished(shop)
    assert set(outcomes(shop).values()) == {"pass"}
