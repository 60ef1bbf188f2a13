"""Bad luck while starting over or breaking something: numbers are not skipped, nothing is lost or done twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from sandbox.cluster import kinds
from sandbox.errors import ClusterUnavailable
from sandbox.observing import ActRefused, Observer, acting
from sandbox.plan import plan_for
from sandbox.record.entry import Entry
from tests.sandbox.record.judging import Fault, check, exercise

BOX = "0" * 32
KILL = Fault(id="kill", kind="kill-pod", target="pod:app=shop", by="student", settle=5.0)
AGAIN = Fault(id="again", kind="kill-pod", target="pod:app=shop", by="submit", settle=5.0)
POD = {"kind": "Pod", "metadata": {"name": "shop", "uid": "u1", "labels": {"app": "shop"}}}


class Store:
    """A record in memory."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.epochs = 0

    def append(self, sandbox: str, entries: Iterable[Entry]) -> None:
        self.entries += entries

    def read(self, sandbox: str, *, after: int = 0, until: int | None = None) -> Iterator[Entry]:
        return iter([each for each in self.entries if each.seq > after])

    def last_seq(self, sandbox: str) -> int:
        return len(self.entries)

    def next_epoch(self) -> int:
        self.epochs += 1
        return self.epochs


class Api:
    """An API server as these acts need it; `away` = it does not answer, `slow` holds every answer back."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.away = False
        self.slow = asyncio.Event()
        self.slow.set()

    async def request(self, method: str, path: str, **_: Any) -> dict[str, Any]:
        await self.slow.wait()
        if self.away:
            raise ClusterUnavailable("It does not answer.")
        self.asked.append((method, path))
        if path.endswith("/token"):
            return {"status": {"token": "t", "expirationTimestamp": "2100-01-01T00:00:00Z"}}
        return {"items": []}


class Bench:
    def __init__(self, *, faults: tuple[Fault, ...] = (KILL, AGAIN)) -> None:
        self.store, self.api = Store(), Api()
        self.exercise = exercise(check("eventually", id="a", during="again"), faults=faults, ready=None)

    async def start_process(self) -> Observer:
        made = Observer(
            observer=self.api, keeper=self.api, runner=self.api, store=self.store, audit=None, images={}
        )  # type: ignore[arg-type]
        await made.open(BOX, plan_for(BOX, pods=5, memory=2**27, cpu=0.5), self.exercise, {})
        self.observer = made
        return made

    async def open_shop(self) -> None:
        """As the reconciler says it: `ready`, and then the attempt begins."""
        self.observer.append(BOX, "phase", "", {"phase": "ready"}, "platform")
        self.observer.commit()

    @property
    def track(self) -> Any:
        return self.observer.track(BOX)

    def kinds(self, kind: str) -> list[dict[str, Any]]:
        return [each.change for each in self.store.entries if each.kind == kind]


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    async def clean(*_: Any) -> None:
        return None

    async def token(*_: Any) -> Any:
        return acting.Token("t", 2e10)

    monkeypatch.setattr(acting, "wait_until_clean", clean)
    monkeypatch.setattr(acting, "student_token", token)
    made = Bench()
    await made.start_process()
    await made.open_shop()
    made.track.append("object", "u1", {"op": "ADDED", "kind": "Pod", "object": POD}, "watch")
    return made


async def test_two_clicks_on_start_again_make_one_attempt(bench: Bench) -> None:
    bench.api.slow.clear()
    first, second = (asyncio.ensure_future(bench.observer.restart(BOX, [])) for _ in range(2))
    await asyncio.sleep(0)
    bench.api.slow.set()
    assert await first == 2
    with pytest.raises(ActRefused, match="still under way"):
        await second
    assert [each["attempt"] for each in bench.kinds("start")] == [1, 2]


async def test_start_again_before_it_began_skips_no_number(bench: Bench) -> None:
    bench.exercise = exercise(check("eventually", id="a"), ready="false")
    await bench.start_process()
    bench.track.begun = True
    assert await bench.observer.restart(BOX, []) == 2
    assert await bench.observer.restart(BOX, []) == 2


async def test_the_next_attempts_number_survives_the_process(bench: Bench) -> None:
    bench.exercise = exercise(check("eventually", id="a"), ready="false")
    await bench.start_process()
    await bench.observer.restart(BOX, [])
    await bench.start_process()
    assert (bench.track.attempt, bench.track.begun, bench.track.attempt_until) == (2, False, 0.0)


async def test_reset_keeps_the_attempt_and_its_time(bench: Bench) -> None:
    until = bench.track.attempt_until
    await bench.observer.reset(BOX, [])
    assert (bench.track.attempt, bench.track.attempt_until) == (1, until)


async def test_what_is_handed_in_is_tested_before_anybody_starts_over(bench: Bench) -> None:
    bench.observer.submit(BOX)
    with pytest.raises(ActRefused, match="being tested"):
        await bench.observer.reset(BOX, [])
    with pytest.raises(ActRefused, match="being tested"):
        await bench.observer.restart(BOX, [])
    bench.observer.append(BOX, "handover", "1", {"attempt": 1}, "observer")
    await bench.observer.reset(BOX, [])
    assert [each["attempt"] for each in bench.kinds("start")] == [1, 2]


async def test_a_reset_that_met_a_silent_cluster_can_be_finished(bench: Bench) -> None:
    bench.api.away = True
    with pytest.raises(ClusterUnavailable):
        await bench.observer.reset(BOX, [])
    assert bench.observer.is_half_reset(BOX)
    assert "by itself" in bench.kinds("phase")[-1]["text"]
    with pytest.raises(ClusterUnavailable):
        await bench.observer.finish_reset(BOX, [])
    await bench.start_process()  # the process dies, too
    assert bench.observer.is_half_reset(BOX)
    bench.api.away = False
    await bench.observer.finish_reset(BOX, [])
    assert not bench.observer.is_half_reset(BOX)
    assert (len(bench.kinds("reset")), len(bench.kinds("start"))) == (1, 2)


async def test_no_window_opens_while_the_cluster_is_silent(bench: Bench) -> None:
    bench.api.away = True
    with pytest.raises(ClusterUnavailable):
        await bench.observer.start_fault(BOX, "kill")
    assert not [each for each in bench.kinds("fault") if each["phase"] == "started"]
    bench.api.away = False
    assert await bench.observer.start_fault(BOX, "kill") == "shop"
    assert [method for method, _ in bench.api.asked[-2:]] == ["GET", "DELETE"]


async def test_no_window_opens_while_the_kinds_come_back_one_by_one(bench: Bench) -> None:
    bench.observer.watcher.broke(kinds.POD)
    with pytest.raises(ActRefused, match="behind the cluster"):
        await bench.observer.start_fault(BOX, "kill")
    bench.observer.watcher.goes_on(kinds.POD)
    assert await bench.observer.start_fault(BOX, "kill") == "shop"


async def test_two_clicks_break_one_pod(bench: Bench) -> None:
    bench.api.slow.clear()
    first, second = (asyncio.ensure_future(bench.observer.start_fault(BOX, "kill")) for _ in range(2))
    await asyncio.sleep(0)
    bench.api.slow.set()
    assert await first == "shop"
    with pytest.raises(ActRefused, match="still being watched"):
        await second
    assert len([each for each in bench.kinds("fault") if each["phase"] == "started"]) == 1


async def test_our_test_waits_for_a_silent_cluster(bench: Bench) -> None:
    bench.observer.submit(BOX)
    bench.api.away = True
    await bench.observer._start_ours(bench.track, "again")
    assert not [each for each in bench.kinds("fault") if each["phase"] in ("started", "failed")]
    bench.api.away = False
    await bench.observer._start_ours(bench.track, "again")
    assert [each["phase"] for each in bench.kinds("fault") if each["id"] == "again"][-1] == "started"


async def test_no_fault_of_the_student_slips_in_after_hand_in(bench: Bench) -> None:
    bench.api.slow.clear()
    fault = asyncio.ensure_future(bench.observer.start_fault(BOX, "kill"))
    await asyncio.sleep(0)
    bench.observer.submit(BOX)
    bench.api.slow.set()
    with pytest.raises(ActRefused, match="without it"):
        await fault


async def test_time_is_up_hands_in_and_the_next_attempt_has_all_its_time(bench: Bench) -> None:
    limit = bench.track.attempt_until
    bench.track.advance(limit - 1)
    bench.observer._after(bench.track)
    assert bench.kinds("submit") == []
    bench.track.advance(limit)
    bench.observer._after(bench.track)
    bench.observer.commit()
    assert [each["by"] for each in bench.kinds("submit")] == ["time"]
    bench.observer.append(BOX, "handover", "1", {"attempt": 1}, "observer")
    bench.observer.commit()
    bench.exercise = exercise(check("eventually", id="a"), ready="false")
    await bench.start_process()
    await bench.observer.reset(BOX, [])
    assert (bench.track.attempt, bench.track.attempt_until) == (2, 0.0)
