"""What enters a record, and how one goes on after a start of the process."""

from __future__ import annotations

from typing import Any

from sandbox.observing import acting
from sandbox.observing.observer import CATCHING_UP
from tests.sandbox.observing.shop import BOX, PLAN, Shop
from tests.sandbox.record import build


async def test_other_namespaces_and_furniture_never_enter(shop: Shop) -> None:
    await shop.begin()
    before = len(shop.entries)
    shop.see("ADDED", build.pod("stranger"), namespace="gh-other")
    shop.see("ADDED", build.pod("system"), namespace="kube-system")
    shop.see("ADDED", build.named("ResourceQuota", "guard"))
    shop.see("ADDED", build.named("ConfigMap", "kube-root-ca.crt"))
    await shop.turn()
    assert len(shop.entries) == before


async def test_an_event_is_told_once_however_often_it_repeats(shop: Shop) -> None:
    await shop.begin()
    before = len(shop.entries)
    told = build.named("Event", "e", reason="Unhealthy", involvedObject={"uid": "uid-p1"}, count=1)
    shop.see("ADDED", told)
    for count in range(2, 20):
        shop.see("MODIFIED", {**told, "count": count})
    shop.see("DELETED", told)
    await shop.turn()
    new = [entry.change for entry in shop.entries[before:]]
    assert [(change["op"], change["kind"]) for change in new] == [("ADDED", "Event")]
    assert "count" not in new[0]["object"]
    assert not [key for key in shop.observer.snapshot(BOX)["items"] if "uid-Event" in key]


async def test_heartbeats_of_nodes_do_not_grow_the_record(shop: Shop) -> None:
    await shop.begin()
    before = len(shop.entries)
    for beat in range(50):
        node = build.node("worker-1")
        node["status"]["conditions"][0]["lastHeartbeatTime"] = build.stamp(build.T0 + beat)
        node["status"]["images"] = [{"names": [f"image-{beat}"]}]
        node["metadata"] |= {"resourceVersion": str(1000 + beat), "annotations": {"beat": str(beat)}}
        node["metadata"]["managedFields"] = [{"manager": "kubelet", "time": build.stamp(build.T0 + beat)}]
        shop.see("MODIFIED", node)
    await shop.turn()
    assert len(shop.entries) == before
    shop.see("MODIFIED", build.node("worker-1", ready="Unknown"))
    await shop.turn()
    assert shop.observer.snapshot(BOX)["items"]["node/worker-1"]["ready"] == "Unknown"


async def test_the_same_object_again_is_no_entry_and_an_unknown_deletion_neither(shop: Shop) -> None:
    await shop.begin()
    before = len(shop.entries)
    shop.observer.watcher.deliver(_event("MODIFIED", shop.pods["uid-storefront"]))
    shop.observer.watcher.deliver(_event("DELETED", build.pod("never-seen")))
    await shop.turn()
    assert len(shop.entries) == before


def _event(op: Any, obj: dict[str, Any]) -> Any:
    from sandbox.watching import WatchEvent

    return WatchEvent(op, obj["kind"], {**obj, "metadata": {**obj["metadata"], "namespace": PLAN.namespace}})


async def test_a_record_goes_on_with_a_gap_and_only_what_changed(shop: Shop) -> None:
    await shop.begin()
    shop.new_pod("stays")
    shop.new_pod("goes")
    await shop.turn()
    last = shop.entries[-1]
    del shop.pods["uid-goes"]
    shop.clock.now += 30
    await shop.start_process()
    shop.pods["uid-new"] = build.pod("new", "uid-new", owner="ReplicaSet", node="worker-1")
    shop.see("ADDED", shop.pods["uid-new"])
    await shop.open()
    added = [each for each in shop.entries if each.seq > last.seq]
    assert {each.epoch for each in added} == {2}
    assert added[0].kind == "gap"
    assert added[0].change == {"from": last.at, "until": shop.clock.now, "how": "lost"}
    objects = {each.uid: each.change for each in added if each.kind == "object"}
    assert objects["uid-goes"]["op"] == "DELETED"
    assert objects["uid-new"]["op"] == "ADDED"
    assert all(change["synthetic"] for change in objects.values())
    assert "uid-stays" not in objects  # nothing changed, nothing is said
    assert not [uid for uid, change in objects.items() if change["kind"] == "Node"]


async def test_L11_the_epoch_rises_and_an_old_one_needs_a_snapshot(shop: Shop) -> None:
    await shop.begin()
    epoch, seq = shop.observer.epoch, len(shop.entries)
    await shop.start_process()
    await shop.open()
    assert shop.observer.epoch == epoch + 1
    assert shop.observer.deltas_since(BOX, epoch, seq) is None
    assert shop.observer.snapshot(BOX)["seq"] == len(shop.entries)


async def test_an_attempt_goes_on_after_a_start_of_the_process(shop: Shop) -> None:
    await shop.begin()
    await shop.start_process()
    await shop.open()
    assert shop.track.begun
    assert len(shop.kinds("start")) == 1
    assert shop.observer.asking.prober._running  # customers come again


async def test_opening_twice_is_opening_once(shop: Shop) -> None:
    await shop.begin()
    track, before = shop.track, len(shop.entries)
    await shop.observer.open(BOX, PLAN, shop.exercise, {"replicas": 3})
    assert shop.track is track
    assert len(shop.entries) == before


async def test_it_opens_once_ready_holds_and_the_platform_has_said_ready(shop: Shop) -> None:
    """`ready` of a lesson may hold while its start is still being applied."""
    await shop.start_process()
    await shop.open()
    shop.say_phase("preparing")
    shop.track.opened = True
    shop.see("ADDED", build.service())
    await shop.turn()
    assert shop.kinds("start") == []
    shop.say_phase("ready")
    await shop.turn()
    assert [change["phase"] for change in shop.kinds("phase")] == ["preparing", "ready", "open"]
    assert len(shop.kinds("start")) == 1


async def test_a_stale_word_of_ready_does_not_close_the_shop_again(shop: Shop) -> None:
    await shop.begin()
    shop.say_phase("ready")
    await shop.turn()
    assert shop.observer.snapshot(BOX)["items"]["sandbox/self"]["phase"] == "open"
    assert len(shop.kinds("start")) == 1


async def test_a_fault_in_the_record_whose_call_never_went_out_goes_out(shop: Shop) -> None:
    await shop.begin()
    shop.deploy("a", "b", "c")
    await shop.turn()
    target = {"kind": "Pod", "name": "a", "uid": "uid-a"}
    shop.observer.append(
        BOX,
        "fault",
        "kill",
        {"id": "kill", "phase": "started", "by": "student", "target": target},
        "observer",
    )
    shop.observer.commit()
    await shop.start_process()
    for obj in (build.service(), build.deployment(3, ready=3)):
        shop.see("ADDED", obj)
    await shop.open()
    assert shop.api.deleted == ["a"]
    assert shop.api.asked[-1][2]["body"]["preconditions"] == {"uid": "uid-a"}


async def test_probes_follow_the_phases(shop: Shop) -> None:
    await shop.start_process()
    await shop.open()
    running = shop.observer.asking.prober._running
    assert not running
    shop.say_phase("ready")
    assert list(running) == [f"{BOX}/front"]
    shop.answer(503)
    shop.say_phase("ready")  # again: the counts go on
    shop.answer(503)
    shop.say_phase("expiring")
    assert not running
    await shop.turn()
    summaries = [change for change in shop.kinds("probe") if change.get("summary")]
    assert [(change["sent"], change["failed"]) for change in summaries] == [(2, 2)]
    shop.answer(200)  # one still under way when it was stopped
    await shop.turn()
    assert len([change for change in shop.kinds("probe") if not change.get("summary")]) == 2


async def test_a_long_answer_is_not_kept(shop: Shop) -> None:
    await shop.begin()
    shop.answer(503, body='{"x": "' + "y" * 20_000 + '"}')
    await shop.turn()
    change = shop.kinds("probe")[-1]
    assert change["json"] == {}
    assert len(change["body"]) == 400


async def test_an_answer_of_a_pod_that_is_not_of_this_sandbox_is_a_failure(shop: Shop) -> None:
    await shop.begin()
    shop.answer(200, pod="uid-of-somebody-else")
    await shop.turn()
    change = shop.kinds("probe")[-1]
    assert (change["ok"], change["error"]) == (False, "answered by a stranger")


async def test_a_blocked_loop_is_told_as_a_late_gap(shop: Shop) -> None:
    await shop.begin()
    before = shop.clock.now
    shop.clock.now += 9.0
    shop.observer._look_at_deadlines(before, shop.clock.now)
    await shop.turn()
    assert shop.kinds("gap") == [{"from": before, "until": shop.clock.now, "how": "late"}]
    await shop.wait(5)
    assert len(shop.kinds("gap")) == 1


async def test_a_clock_that_goes_back_turns_no_entry_back(shop: Shop) -> None:
    await shop.begin()
    shop.clock.now -= 100
    shop.new_pod("more")
    await shop.wait(1)
    times = [each.at for each in shop.entries]
    assert times == sorted(times)


async def test_tokens_are_renewed_in_time_and_forgotten_with_the_sandbox(shop: Shop) -> None:
    await shop.begin()
    first = await shop.observer.token_for(shop.track)
    assert await shop.observer.token_for(shop.track) is first
    shop.clock.now += 3600 - acting.RENEW_BEFORE + 1
    assert await shop.observer.token_for(shop.track) is not first
    shop.observer.close(BOX)
    assert shop.observer._tokens == {}


async def test_the_watch_tells_every_sandbox_of_its_gaps(shop: Shop) -> None:
    await shop.begin()
    shop.observer._on_gap("lost", shop.clock.now - 5, shop.clock.now)
    await shop.turn()
    assert [change["how"] for change in shop.kinds("gap")] == ["lost"]


async def test_when_the_cluster_was_away_lost_requests_are_ours_until_its_network_has_caught_up(
    shop: Shop,
) -> None:
    await shop.begin()
    since, until = shop.clock.now - 5, shop.clock.now
    shop.observer._on_away(since, until)
    await shop.turn()
    (change,) = shop.kinds("trouble")
    assert (change["from"], change["until"]) == (since, until + CATCHING_UP)
    assert change["kinds"] == ["probe", "load"]
    assert "away for 5 s" in change["text"]


async def test_a_sandbox_opened_again_while_its_namespace_still_goes_sees_the_end_of_it(shop: Shop) -> None:
    await shop.begin()
    shop.say_phase("expiring")
    shop.observer.close(BOX)
    shop.see("MODIFIED", build.pod("storefront", "uid-storefront", owner=None, deleting=shop.clock.now))
    await shop.open()
    assert shop.observer.snapshot(BOX)["items"]["pod/uid-storefront"]["deleting"] is not None
    assert not shop.observer.asking.prober._running  # nobody asks while it goes
    shop.end_pod("storefront")
    await shop.turn()
    assert "pod/uid-storefront" not in shop.observer.snapshot(BOX)["items"]
    numbers = [each.seq for each in shop.entries]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_what_happens_while_it_is_closed_reaches_no_record(shop: Shop) -> None:
    await shop.begin()
    shop.observer.close(BOX)
    before, shown = len(shop.entries), len(shop.frames)
    shop.new_pod("unseen")
    shop.observer._on_gap("late", 0.0, 1.0)
    await shop.wait(1)
    assert (len(shop.entries), len(shop.frames)) == (before, shown)
