"""Loads, memory and what happens to both when somebody is lost, as a whole observer writes it down."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from sandbox.observing import ActRefused
from sandbox.probing import STRANGER
from sandbox.record.exercise import Load
from tests.sandbox.observing.shop import BOX, Shop
from tests.sandbox.record.lesson14 import exercise as lesson14

LOADS = (
    Load(id="rush", target="storefront:80/items", rate=4.0, lasting=60.0, rates=(4.0, 8.0)),
    Load(id="other", target="storefront:80", rate=4.0, lasting=60.0, script="browse"),
    Load(id="third", target="storefront:80", rate=4.0, lasting=60.0, script="browse"),
    Load(id="morning", target="storefront:80/", rate=2.0, lasting=10.0, by="timeline", at=20.0),
)


@pytest.fixture
def shop(clock: Any) -> Shop:
    return Shop(clock, msgspec.structs.replace(lesson14(), loads=LOADS[:3]))


async def begun(shop: Shop) -> None:
    await shop.begin()
    shop.observer.asking._on_state(True)
    prober = shop.observer.asking.prober
    prober.connected = True


def hear(shop: Shop, **fields: Any) -> None:
    """A line of the prober."""
    shop.observer.asking.prober._take(json.dumps(fields).encode())


def loads(shop: Shop, load: str = "rush") -> list[Any]:
    """Phases, seconds as what was sent, failures as their error."""
    changes = [each.change for each in shop.entries if (each.kind, each.uid) == ("load", load)]
    return [each.get("phase") or each.get("error") or each.get("sent") for each in changes]


def commands(shop: Shop) -> list[dict[str, Any]]:
    return [json.loads(line) for line in shop.observer.asking.prober._unsent]


async def test_a_load_is_in_the_record_before_it_is_sent_and_its_news_after(shop: Shop) -> None:
    await begun(shop)
    shop.store.tries = 0
    until = await shop.observer.start_load(BOX, "rush", rate=8.0)
    assert until == shop.clock.now + 60.0
    (sent,) = [each for each in commands(shop) if each["op"] == "load"]
    assert (sent["rate"], sent["http"].partition(":80")[2]) == (8.0, "/items")
    assert shop.track.plan.namespace in sent["within"]
    hear(shop, op="failure", id=f"{BOX}/rush", error="timeout", ms=2000)
    hear(shop, op="second", id=f"{BOX}/rush", sent=8, failed=1, p95=12.0, pods={"uid-storefront": 7})
    hear(shop, op="ended", id=f"{BOX}/rush")
    await shop.turn()
    assert loads(shop) == ["started", "timeout", 8, "ended"]
    item = shop.track.picture.items["load/rush"]
    assert (item["phase"], item["sent"], item["failed"], item["rate"]) == ("ended", 8, 1, 8.0)


@pytest.mark.parametrize(
    ("load", "rate", "code"),
    [("nobody", None, "unknown"), ("rush", 5.0, "unknown"), ("rush", True, "unknown")],
)
async def test_a_load_that_is_not_offered_is_refused(shop: Shop, load: str, rate: Any, code: str) -> None:
    await begun(shop)
    with pytest.raises(ActRefused) as refused:
        await shop.observer.start_load(BOX, load, rate=rate)
    assert refused.value.code == code
    assert loads(shop, load) == []


async def test_two_at_a_time_and_none_twice(shop: Shop) -> None:
    await begun(shop)
    await shop.observer.start_load(BOX, "rush")
    with pytest.raises(ActRefused, match="on their way already"):
        await shop.observer.start_load(BOX, "rush")
    await shop.observer.start_load(BOX, "other")
    with pytest.raises(ActRefused, match="At most 2 crowds"):
        await shop.observer.start_load(BOX, "third")
    await shop.observer.stop_load(BOX, "other")
    assert commands(shop)[-1] == {"op": "end", "id": f"{BOX}/other"}
    hear(shop, op="ended", id=f"{BOX}/other")
    with pytest.raises(ActRefused, match="gone already"):
        await shop.observer.stop_load(BOX, "other")
    await shop.turn()
    assert shop.kinds("load")[-1] == {"id": "other", "phase": "ended", "stopped": True}
    await shop.observer.start_load(BOX, "third")


async def test_without_a_prober_or_a_record_nobody_is_sent(shop: Shop) -> None:
    await begun(shop)
    shop.observer.asking.prober.connected = False
    with pytest.raises(ActRefused, match="just now"):
        await shop.observer.start_load(BOX, "rush")
    assert loads(shop) == []
    shop.observer.asking.prober.connected = True
    shop.store.refuses = True
    with pytest.raises(ActRefused, match="Try again"):
        await shop.observer.start_load(BOX, "rush")
    shop.store.refuses = False
    await shop.wait(1)
    assert loads(shop) == ["started", "ended"]
    assert not shop.observer.asking.prober.loads_of(BOX)


async def test_a_prediction_before_a_load_comes_first(clock: Any) -> None:
    spec = lesson14()
    first = msgspec.structs.replace(spec.predictions[0], before="rush")
    shop = Shop(clock, msgspec.structs.replace(spec, loads=LOADS[:1], predictions=(first,)))
    await begun(shop)
    with pytest.raises(ActRefused) as refused:
        await shop.observer.start_load(BOX, "rush")
    assert refused.value.code == "predict-first"
    shop.observer.predict(BOX, "who-returns", "new")
    await shop.observer.start_load(BOX, "rush")


async def test_a_reset_calls_a_load_off(shop: Shop) -> None:
    await begun(shop)
    await shop.observer.start_load(BOX, "rush")
    await shop.observer.reset(BOX, [])
    assert loads(shop) == ["started", "ended"]
    assert {"op": "stop-all", "prefix": f"{BOX}/"} in commands(shop)
    hear(shop, op="second", id=f"{BOX}/rush", sent=4)
    assert loads(shop) == ["started", "ended"]


async def test_a_lost_sender_ends_the_load_as_trouble_of_ours(shop: Shop) -> None:
    await begun(shop)
    await shop.observer.start_load(BOX, "rush")
    shop.observer.asking.prober._lose_what_ran()
    await shop.turn()
    assert loads(shop) == ["started", "ended"]
    (trouble,) = shop.kinds("trouble")
    assert trouble["kinds"] == ["load"]
    assert [each.kind for each in shop.entries][-2:] == ["trouble", "load"]  # while its window is open


async def test_an_observer_that_closes_says_that_the_load_was_lost(shop: Shop) -> None:
    await begun(shop)
    await shop.observer.start_load(BOX, "rush")
    shop.observer.close(BOX)
    assert [each.kind for each in shop.entries][-2:] == ["trouble", "load"]
    assert shop.kinds("load")[-1] == {"id": "rush", "phase": "ended", "why": "the sender was lost"}


async def test_after_a_start_of_the_process_no_load_runs_on(shop: Shop) -> None:
    await begun(shop)
    await shop.observer.start_load(BOX, "rush")
    await shop.turn()
    await shop.start_process()
    await shop.open()
    assert loads(shop) == ["started", "ended"]
    assert shop.track.loads == {"rush": "ended"}


async def test_customers_of_the_timeline_come_when_it_is_time_and_once(clock: Any) -> None:
    shop = Shop(clock, msgspec.structs.replace(lesson14(), loads=LOADS))
    await begun(shop)
    shop.observer.asking.prober.connected = False
    await shop.wait(22)
    assert loads(shop, "morning") == []
    shop.observer.asking.prober.connected = True
    await shop.wait(2)
    assert loads(shop, "morning") == ["started"]
    hear(shop, op="ended", id=f"{BOX}/morning")
    await shop.wait(30)
    assert loads(shop, "morning") == ["started", "ended"]
    with pytest.raises(ActRefused, match="by themselves"):
        await shop.observer.start_load(BOX, "morning")


async def test_an_answer_of_a_stranger_is_a_failure_of_the_probe(shop: Shop) -> None:
    await begun(shop)
    shop.answer(pod="uid-of-another-sandbox")
    await shop.turn()
    last = shop.kinds("probe")[-1]
    assert (last["ok"], last["error"]) == (False, STRANGER)
    assert shop.track.picture.items["probe/front"]["pod"] == "pod/uid-storefront"  # the last that counted


async def test_a_pod_that_answered_and_went_is_no_stranger(shop: Shop) -> None:
    await begun(shop)
    shop.new_pod("other")
    shop.end_pod("storefront")
    shop.answer()
    await shop.turn()
    assert all(each.get("error") != STRANGER for each in shop.kinds("probe"))


# --- nobody to ask -------------------------------------------------------------------------------------
async def test_requests_that_nobody_sent_are_trouble_of_ours(shop: Shop) -> None:
    await begun(shop)
    since = shop.clock.now
    shop.observer.asking._on_state(False)
    shop.observer.asking._summarise()
    assert shop.kinds("trouble") == []  # a stream that breaks is back at once
    for _ in range(60):
        await shop.wait(0.5)
        shop.observer.asking._summarise()
    troubles = shop.kinds("trouble")
    assert all((each["from"], each["kinds"]) == (since, ["probe", "load"]) for each in troubles)
    assert troubles[0]["until"] > since + 1
    assert 3 <= len(troubles) <= 12
    covered = [each["until"] for each in troubles]
    assert covered == sorted(covered)
    shop.observer.asking._on_state(True)
    known = len(shop.kinds("trouble"))
    await shop.wait(10)
    shop.observer.asking._summarise()
    assert len(shop.kinds("trouble")) == known


# --- memory --------------------------------------------------------------------------------------------
async def test_memory_is_measured_of_pods_with_an_address_and_told_when_it_changes(shop: Shop) -> None:
    await begun(shop)
    pod = shop.pods["uid-storefront"]
    pod["status"]["podIP"] = "10.1.2.3"
    pod["metadata"]["resourceVersion"] = "900"
    shop.see("MODIFIED", pod)
    shop.observer.asking._measure()
    (asked,) = [each for each in commands(shop) if each["op"] == "memory"]
    assert asked == {"op": "memory", "id": BOX, "pods": {"uid-storefront": "10.1.2.3"}}
    for used in (11_000_000, 11_000_500, 12_000_000):
        hear(shop, op="memory", id=BOX, memory={"uid-storefront": used, "uid-of-another-sandbox": 5})
    await shop.turn()
    assert [each["pods"] for each in shop.kinds("measure")] == [
        {"uid-storefront": 11_000_000}, {"uid-storefront": 12_000_000},
    ]  # fmt: skip
    assert shop.track.picture.items["pod/uid-storefront"]["mem"] == 12_000_000


async def test_nobody_measures_where_nobody_looks_and_nothing_is_sent(clock: Any) -> None:
    shop = Shop(clock)
    await begun(shop)
    asked = shop.observer.asking._asked[BOX]
    assert asked.is_measured  # the test looks
    shop.track.listeners.clear()
    assert not asked.is_measured
